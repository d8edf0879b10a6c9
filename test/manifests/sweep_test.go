package manifests

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/genode-operator/genode-operator/internal/testenv"
)

// A sweep's values may be of any type, which CEL rules see only when they ask for it with dyn.
func TestASweepIsEitherValuesOrARange(t *testing.T) {
	config := testenv.Start(t)
	api := newCreator(t, config)
	namespace := testenv.Namespace(t, config)
	values, interval := []any{int64(1), "2", map[string]any{"a": int64(3)}}, map[string]any{"from": int64(1), "to": int64(3)}
	cases := map[string]struct {
		sweep map[string]any
		want  string // part of the error; empty: accepted
	}{
		"values of any type are accepted": {map[string]any{"task": "hello", "attribute": "config.a", "values": values}, ""},
		"a range is accepted":             {map[string]any{"task": "hello", "attribute": "priority", "range": interval}, ""},
		"neither is refused":              {map[string]any{"task": "hello", "attribute": "priority"}, "give either values or range"},
		"both are refused":                {map[string]any{"task": "hello", "attribute": "priority", "values": values, "range": interval}, "give either values or range"},
		"a task that is none is refused":  {map[string]any{"task": "other", "attribute": "priority", "range": interval}, "every sweep must name a task"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "genode-operator.io/v1alpha1",
				"kind":       "TaskSet",
				"metadata":   map[string]any{"name": "sweep"},
				"spec": map[string]any{
					"tasks":   []any{map[string]any{"name": "hello", "pkg": "hey"}},
					"sweeps":  []any{tc.sweep},
					"targets": map[string]any{"selector": map[string]any{}},
				},
			}}
			err := api.tryCreate(t.Context(), object, namespace)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}

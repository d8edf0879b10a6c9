package validation

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

// TestTheAPIServerAcceptsTheLibrary: every task-set needs nothing but targets.
func TestTheAPIServerAcceptsTheLibrary(t *testing.T) {
	config := testenv.Start(t)
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := testenv.Namespace(t, config)
	for _, e := range library.TaskSets() {
		t.Run(e.Name, func(t *testing.T) {
			ts, err := library.TaskSet(e.Name)
			if err != nil {
				t.Fatal(err)
			}
			ts.Namespace = namespace
			ts.Spec.Targets.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"lab": "demo"}}
			if err := c.Create(t.Context(), ts, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict)); err != nil {
				t.Error(err)
			}
		})
	}
}

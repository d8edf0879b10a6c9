package variant_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// values reads all variants of a campaign, each as its values in the order of the sweeps.
func values(t *testing.T, spec *v1alpha1.TaskSetSpec) []string {
	t.Helper()
	s, err := variant.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for n := range s.Count().Uint64() {
		var one []string
		for _, v := range s.Values(n) {
			one = append(one, v.Value)
		}
		all = append(all, strings.Join(one, " "))
	}
	return all
}

func TestOrder(t *testing.T) {
	listed := func(task, attribute string, alternatives ...string) v1alpha1.Sweep {
		return v1alpha1.Sweep{Task: task, Attribute: attribute, Values: js(alternatives...)}
	}
	cases := map[string]struct {
		order  v1alpha1.Order
		sweeps []v1alpha1.Sweep
		want   []string // values in the order of the sweeps
	}{
		"as given, the last sweep is the fastest": {
			v1alpha1.OrderGiven, []v1alpha1.Sweep{listed("hello", "priority", "1", "2"), listed("hello", "periodMilliseconds", "10", "20")},
			[]string{"1 10", "1 20", "2 10", "2 20"},
		},
		"nothing said means as given": {
			"", []v1alpha1.Sweep{listed("load", "priority", "1", "2"), listed("hello", "priority", "3", "4")},
			[]string{"1 3", "1 4", "2 3", "2 4"},
		},
		"taskgen: period is before priority in the alphabet": {
			v1alpha1.OrderTaskgen, []v1alpha1.Sweep{listed("hello", "priority", "1", "2"), listed("hello", "periodMilliseconds", "10", "20")},
			[]string{"1 10", "2 10", "1 20", "2 20"},
		},
		"taskgen: the last task is the fastest": {
			v1alpha1.OrderTaskgen, []v1alpha1.Sweep{listed("load", "priority", "1", "2"), listed("hello", "priority", "3", "4")},
			[]string{"1 3", "2 3", "1 4", "2 4"},
		},
		"taskgen: config:a is before pkg": {
			v1alpha1.OrderTaskgen, []v1alpha1.Sweep{listed("load", "pkg", `"hey"`, `"pi"`), listed("load", "config.a", "1", "2")},
			[]string{"hey 1", "pi 1", "hey 2", "pi 2"},
		},
		"taskgen: coreoffset is before cores": {
			v1alpha1.OrderTaskgen, []v1alpha1.Sweep{listed("load", "cores", "1", "2"), listed("load", "coreOffset", "0", "1")},
			[]string{"1 0", "2 0", "1 1", "2 1"},
		},
		"taskgen: config:a1 is before config:a:x": {
			v1alpha1.OrderTaskgen, []v1alpha1.Sweep{listed("load", "config.a.x", "1", "2"), listed("load", "config.a1", "3", "4")},
			[]string{"1 3", "2 3", "1 4", "2 4"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := campaign(tc.sweeps...)
			spec.Order = tc.order
			if diff := cmp.Diff(tc.want, values(t, spec)); diff != "" {
				t.Errorf("variants (-want +got):\n%s", diff)
			}
		})
	}
}

package taskset

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
)

func TestTheStatusListsTheFirstTasks(t *testing.T) {
	own := []v1alpha1.Task{{Name: "zeta"}, {Name: "alpha"}}
	made := []string{"zeta", "alpha", "hey-10", "pi-2", "cond-42-9", "generated-0", "generated-10", "generated-9"}
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprint("hey-", i)
	}
	cases := map[string]struct {
		spec    v1alpha1.TaskSetSpec
		tallied []string
		want    []string
	}{
		"those of the spec, before anything ran": {v1alpha1.TaskSetSpec{Tasks: own}, nil, []string{"zeta", "alpha"}},
		"then those that were made": {
			v1alpha1.TaskSetSpec{Tasks: own, Blocks: []v1alpha1.BlockList{{}}, Generator: &v1alpha1.Generator{}}, made,
			[]string{"zeta", "alpha", "pi-2", "cond-42-9", "hey-10", "generated-0", "generated-9", "generated-10"},
		},
		"up to 32": {v1alpha1.TaskSetSpec{Blocks: []v1alpha1.BlockList{{}}}, many, many[:maxTasks]},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tally := campaign.NewTally()
			for _, task := range tc.tallied {
				tally.Tasks[task] = &campaign.TaskTally{Jobs: 1}
			}
			var got []string
			for _, s := range statistics(&v1alpha1.TaskSet{Spec: tc.spec}, tally) {
				got = append(got, s.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("tasks of the status (-want +got):\n%s", diff)
			}
		})
	}
}

package parity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

func TestF34ManyTasksInASet(t *testing.T) {
	for _, n := range []int{100, 1000, taskset.MaxTasks} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			records := l.run(l.plan(fmt.Sprintf(`
blocks:
- alternatives: [{use: hey.HelloWorld, repeat: %d}]
- alternatives: [{draws: [{attribute: priority, uniform: {from: 1, to: 127}}]}]
`, n)))
			succeeded(t, records)
			if len(records[0].Jobs) != n || target.Count("BINARY") != 1 {
				t.Errorf("%d jobs of %d tasks, %d binaries", len(records[0].Jobs), n, target.Count("BINARY"))
			}
			descriptions := starts(target)
			if len(descriptions) != 1 || len(descriptions[0]) != n {
				t.Fatalf("%d descriptions of %d tasks", len(descriptions), len(descriptions[0]))
			}
			for i, task := range descriptions[0] {
				if task.Elements["id"] != fmt.Sprint(i) || task.Pkg != "hey" || task.Priority < 1 || task.Priority > 127 {
					t.Fatalf("task %d arrived as %v", i, task.Elements)
				}
			}
		})
	}
}

func TestF34MoreTasksThanATargetCanTellApartAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ spec, want string }{
		"too many":  {"blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 101}]}, {alternatives: [{repeat: 100}]}]", "10100 tasks"},
		"EDF tasks": {"blocks: [{alternatives: [{use: hey.HelloWorld, set: {deadlineMilliseconds: 5}, repeat: 1001}]}]", "names that repeat from id 1000 on"},
		"admission control": {"blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 1001}]}]\nadmissionControl: {goal: Fairness}",
			"admissionControl: the target's names of tasks repeat"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := variant.Build(specOf(t, tc.spec)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

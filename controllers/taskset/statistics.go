package taskset

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
)

// statistics are those of the first tasks.
func statistics(ts *v1alpha1.TaskSet, t *campaign.Tally) []v1alpha1.TaskStatistics {
	var out []v1alpha1.TaskStatistics
	for _, name := range firstTasks(ts, t) {
		s := v1alpha1.TaskStatistics{Name: name}
		if x := t.Tasks[name]; x != nil {
			s.Jobs, s.FailedJobs = x.Jobs, x.Failed
			if x.Measured > 0 {
				s.MinResponseMilliseconds, s.MaxResponseMilliseconds = ptr.To(x.Min), ptr.To(x.Max)
				s.MeanResponseMilliseconds = ptr.To((x.Sum + x.Measured/2) / x.Measured)
			}
		}
		out = append(out, s)
	}
	return out
}

// firstTasks are the tasks of the spec and, as soon as one of their jobs has ended, those that blocks and the
// generator made, in the order of their positions.
func firstTasks(ts *v1alpha1.TaskSet, t *campaign.Tally) []string {
	var names []string
	for _, task := range ts.Spec.Tasks[:min(len(ts.Spec.Tasks), maxTasks)] {
		names = append(names, task.Name)
	}
	if len(names) == maxTasks || len(ts.Spec.Blocks) == 0 && ts.Spec.Generator == nil {
		return names
	}
	made := slices.DeleteFunc(slices.Collect(maps.Keys(t.Tasks)), func(name string) bool { return slices.Contains(names, name) })
	slices.SortFunc(made, func(a, b string) int {
		generatedA, positionA := position(a)
		generatedB, positionB := position(b)
		return cmp.Or(cmp.Compare(generatedA, generatedB), cmp.Compare(positionA, positionB), cmp.Compare(a, b))
	})
	return append(names, made[:min(len(made), maxTasks-len(names))]...)
}

// position reads it from the name of a task that was made: hey-7, or generated-7, which comes after all others.
func position(name string) (generated, position int) {
	at := strings.LastIndexByte(name, '-')
	if name[:max(at, 0)] == "generated" {
		generated = 1
	}
	position, err := strconv.Atoi(name[at+1:])
	if err != nil { // of no task that was made
		return generated, 0
	}
	return generated, position
}

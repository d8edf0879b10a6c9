package compare

import (
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/schedulability"
)

// once is the period of tasks that are released once: longer than any response time that is looked for.
const once = int64(1) << 40

// Bound is what the response time of task i cannot exceed on one processor. If a task has a deadline, that is under EDF,
// as taskloaders and simulated targets have it; see package schedulability. Otherwise it is under Genode's priorities, 0 the
// highest, by response-time analysis. Tasks of the same priority count as more urgent ones, so that it holds
// whichever of them is first. It is sim.Never if there is no bound, or if an execution time is not known.
func Bound(tasks []taskset.Task, i int) sim.Time {
	if slices.ContainsFunc(tasks, func(t taskset.Task) bool { return t.Deadline > 0 }) {
		return boundByDeadlines(tasks, i)
	}
	var set analysis.Set
	for n := range tasks {
		if n == i || tasks[n].Priority > tasks[i].Priority {
			continue
		}
		set = append(set, analysed(&tasks[n]))
	}
	set = append(set, analysed(&tasks[i]))
	if set.Check() != nil {
		return sim.Never
	}
	worst, err := analysis.ResponseTime(set, len(set)-1)
	if err != nil {
		return sim.Never
	}
	return worst * sim.Millisecond
}

func boundByDeadlines(tasks []taskset.Task, i int) sim.Time {
	check, err := schedulability.New(nil, 1, schedulability.EDF)
	if err != nil { // what it is asked for is its own
		return sim.Never
	}
	if bound, known := check.Verdict(tasks).Bounds[tasks[i].Name]; known {
		return bound * sim.Millisecond
	}
	return sim.Never
}

// analysed is a task in milliseconds as the analysis has it.
func analysed(t *taskset.Task) analysis.Task {
	out := analysis.Task{C: int64(t.ExecutionTime), T: int64(t.Period), D: int64(t.Deadline)}
	if out.T == 0 {
		out.T = once
	}
	if out.D == 0 {
		out.D = out.T
	}
	return out
}

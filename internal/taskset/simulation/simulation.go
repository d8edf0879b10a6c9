// Package simulation makes systems of the simulator out of the tasks of a variant. It is pure.
package simulation

import (
	"errors"
	"fmt"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Tasks are the tasks of a variant for the simulator: the execution time is the WCET; the deadline is the period
// unless there is one; a period of 0 makes one job; the critical time kills. A task's ID is its position. The
// error names each task without an execution time.
func Tasks(tasks []taskset.Task) ([]sim.Task, error) {
	var problems []error
	out := make([]sim.Task, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		if t.ExecutionTime == 0 {
			problems = append(problems, fmt.Errorf("%w: tasks[%d] (%s).executionTimeMilliseconds: 0: say how long a job takes at most", sim.ErrInvalid, i, t.Name))
		}
		out[i] = sim.Task{
			ID: t.ID, Name: t.Name, Offset: milliseconds(t.Offset), Period: milliseconds(t.Period),
			Deadline: milliseconds(t.Deadline), WCET: milliseconds(t.ExecutionTime), Priority: int64(t.Priority),
			Jobs: int64(t.NumberOfJobs), CriticalTime: milliseconds(t.CriticalTime),
		}
	}
	return out, errors.Join(problems...)
}

func milliseconds(n uint32) sim.Time { return sim.Time(n) * sim.Millisecond }

// Scheduler is the one that fits the tasks: fixed priorities as Genode has them, 0 the highest, if there are
// several, and earliest deadline first otherwise.
func Scheduler(tasks []taskset.Task) string {
	for i := range tasks {
		if tasks[i].Priority != tasks[0].Priority {
			return "Genode-FP"
		}
	}
	return "EDF"
}

package schedulability

import (
	"fmt"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Job is a job that has run, on a target or in a simulation.
type Job struct {
	Task     string
	Number   int32
	Response int64 // ms; -1: not known
	// Killed: something ended it. AtPeriod: that was the beginning of the next period of its task.
	Killed, AtPeriod bool
}

// Contradicts says how a job contradicts the verdict; empty if it does not. A job misses its deadline if it takes
// longer, or is killed at the deadline or later. What a target adds itself, such as the time for starting a job,
// counts: the tests know nothing of it.
func (v *Verdict) Contradicts(t *taskset.Task, j *Job) string {
	bound, bounded := v.Bounds[j.Task]
	switch deadline := relative(t); {
	case v.Certain && j.missed(t, deadline):
		return fmt.Sprintf("task %s, job %d missed its deadline of %d ms, although the tests accept the variant", j.Task, j.Number, deadline)
	case bounded && j.Response > bound:
		return fmt.Sprintf("task %s, job %d took %d ms, more than the bound of %d ms", j.Task, j.Number, j.Response, bound)
	}
	return ""
}

func (j *Job) missed(t *taskset.Task, deadline int64) bool {
	switch {
	case j.Response > deadline, j.Killed && j.Response == deadline:
		return true
	}
	return j.AtPeriod && t.Period > 0 && deadline <= int64(t.Period)
}

package taskset

import (
	"fmt"
	"strconv"
	"time"
)

// Admission is what a target's admission control and optimizer are told.
type Admission struct {
	Goal          string        // GoalNone, GoalFairness or GoalUtilization
	QueryInterval time.Duration // between two looks at the monitor; whole milliseconds, generation 2017 only
}

// Goals of the optimizer.
const (
	GoalNone        = "None"
	GoalFairness    = "Fairness"
	GoalUtilization = "Utilization"
)

// DefaultQueryInterval is what targets are told when an Admission has none.
const DefaultQueryInterval = time.Second

// OptimizeDocument renders what a target of generation 2017 is told in a message of its own. It always has
// all elements, because the controller dies when one of them is missing.
func OptimizeDocument(a Admission) []byte {
	w := writer{}
	w.open(0, "optimize")
	w.goal(1, a)
	w.leaf(1, "query_interval", strconv.FormatInt(a.interval().Milliseconds(), 10))
	w.close(0, "optimize")
	return w.trimmed()
}

func (a Admission) interval() time.Duration {
	if a.QueryInterval == 0 {
		return DefaultQueryInterval
	}
	return a.QueryInterval
}

// goal says of each goal whether it applies: the first one that does wins.
func (w *writer) goal(depth int, a Admission) {
	w.open(depth, "goal")
	for _, g := range []struct{ name, goal string }{{"fairness", GoalFairness}, {"utilization", GoalUtilization}} {
		applies := "0"
		if a.Goal == g.goal {
			applies = "1"
		}
		w.open(depth+1, g.name)
		w.leaf(depth+2, "apply", applies)
		w.close(depth+1, g.name)
	}
	w.close(depth, "goal")
}

// Check says whether the admission control of a generation can be told this about these tasks, if it is to be
// told anything: 2017 and 1608b have a way to be told. With Auto the generation does not matter. A nil Admission
// is always right.
func (a *Admission) Check(tasks []Task, generation string) error {
	switch {
	case a == nil:
		return nil
	case a.Goal != GoalNone && a.Goal != GoalFairness && a.Goal != GoalUtilization:
		return fmt.Errorf("admissionControl.goal: %q: use %s, %s or %s", a.Goal, GoalNone, GoalFairness, GoalUtilization)
	case a.QueryInterval < 0 || a.QueryInterval%time.Millisecond != 0:
		return fmt.Errorf("admissionControl.queryIntervalMilliseconds: %s: use whole milliseconds from 1 on", a.QueryInterval)
	case generation == G1608a || generation == G1802:
		return fmt.Errorf("admissionControl: generation %s has no way to be told; remove it, or use targets of generation %s or %s", generation, G2017, G1608b)
	}
	return CheckAdmission(tasks, a)
}

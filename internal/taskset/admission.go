package taskset

import "time"

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

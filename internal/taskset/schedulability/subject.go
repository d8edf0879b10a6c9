package schedulability

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// subject is a variant as tests see it, its tasks by priority.
type subject struct {
	set        analysis.Set
	names      []string
	priorities []uint32
	policy     string
	cpus       int
	tied       bool // tasks have the same priority
	monotonic  bool // the priorities are rate-monotonic ones
}

func newSubject(tasks []taskset.Task, policy string, cpus int) (*subject, error) {
	sorted := slices.Clone(tasks)
	slices.SortStableFunc(sorted, func(a, b taskset.Task) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(relative(&a), relative(&b)))
	})
	s := &subject{policy: policy, cpus: cpus, monotonic: true}
	for i := range sorted {
		t := &sorted[i]
		if t.ExecutionTime == 0 {
			return nil, fmt.Errorf("task %s: executionTimeMilliseconds: 0: tests need a worst-case execution time, at least 1", t.Name)
		}
		s.set = append(s.set, analysis.Task{C: int64(t.ExecutionTime), T: period(t), D: relative(t)})
		s.names, s.priorities = append(s.names, t.Name), append(s.priorities, t.Priority)
		if i > 0 {
			s.tied = s.tied || t.Priority == sorted[i-1].Priority
			s.monotonic = s.monotonic && s.set[i-1].T <= s.set[i].T
		}
	}
	s.monotonic = s.monotonic && !s.tied
	return s, s.set.Check()
}

func period(t *taskset.Task) int64 {
	if t.Period == 0 {
		return once
	}
	return int64(t.Period)
}

// relative is the relative deadline, ms.
func relative(t *taskset.Task) int64 {
	if t.Deadline > 0 {
		return int64(t.Deadline)
	}
	return period(t)
}

// run runs a test. Tests take the order of the tasks for their priorities; of equal ones any may be first.
func (s *subject) run(test analysis.Test) analysis.Verdict {
	switch {
	case s.tied && test.Name == "RTA":
		return s.tiedResponses()
	case s.tied && test.Policy == "G-FP":
		return analysis.Verdict{}
	}
	return test.Run(s.set, s.cpus)
}

// tiedResponses is response-time analysis where for each task the others of its priority count as more urgent.
func (s *subject) tiedResponses() analysis.Verdict {
	if s.cpus != 1 {
		return analysis.Verdict{}
	}
	v := analysis.Verdict{Applies: true, Schedulable: true}
	for i, t := range s.set {
		var order []int
		for k := range s.set {
			if k != i && s.priorities[k] <= s.priorities[i] {
				order = append(order, k)
			}
		}
		worst, err := analysis.ResponseTime(s.set.Pick(append(order, i)), len(order))
		if err != nil || worst > t.D {
			worst, v.Schedulable = -1, false
		}
		v.Bounds = append(v.Bounds, worst)
	}
	return v
}

// concerns reports whether a test is about what the target does.
func (s *subject) concerns(test analysis.Test) bool {
	switch test.Policy {
	case "FP":
		return s.policy == FP && s.cpus == 1 && test.Name == "RTA" // OPA would have other priorities
	case "RM":
		return s.policy == FP && s.cpus == 1 && s.monotonic
	case "G-FP":
		return s.policy == FP
	case "EDF":
		return s.policy == EDF && s.cpus == 1
	case "G-EDF":
		return s.policy == EDF
	}
	return false
}

package analysis

import (
	"errors"
	"fmt"
	"math/big"
)

// Task is a sporadic task. All times have the same unit.
type Task struct {
	C int64 // worst-case execution time, at least 1
	T int64 // period, or the shortest time between two releases; at least 1
	D int64 // relative deadline, at least 1
	J int64 // release jitter: how long after its arrival a job may be released; 0 for none
	B int64 // blocking: how long a job may be held up by tasks of lower priority; 0 for none
}

// Set is a task-set. For fixed priorities the first task has the highest one.
type Set []Task

// ErrInvalid is returned for task-sets that no test can say anything about.
var ErrInvalid = errors.New("invalid task-set")

// largest keeps sums of products of two times within 63 bits, and busy periods countable.
const largest = int64(1) << 53

// Check refuses what is not a task-set. The error names task, field, value and what to do.
func (s Set) Check() error {
	if len(s) == 0 {
		return fmt.Errorf("%w: there are no tasks; add one", ErrInvalid)
	}
	for i, t := range s {
		for _, f := range []struct {
			name       string
			value, min int64
		}{{"C", t.C, 1}, {"T", t.T, 1}, {"D", t.D, 1}, {"J", t.J, 0}, {"B", t.B, 0}} {
			if f.value < f.min || f.value > largest {
				return fmt.Errorf("%w: tasks[%d].%s: %d is out of range; use %d to %d", ErrInvalid, i, f.name, f.value, f.min, largest)
			}
		}
	}
	return nil
}

// Utilization is the sum of C/T, exactly.
func (s Set) Utilization() *big.Rat {
	return s.sum(func(t Task) *big.Rat { return big.NewRat(t.C, t.T) })
}

// Density is the sum of C/min(D, T), exactly.
func (s Set) Density() *big.Rat { return s.sum(Task.density) }

func (t Task) density() *big.Rat { return big.NewRat(t.C, min(t.D, t.T)) }

func (s Set) sum(of func(Task) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, t := range s {
		sum.Add(sum, of(t))
	}
	return sum
}

// constrained reports whether no deadline is longer than its period.
func (s Set) constrained() bool {
	for _, t := range s {
		if t.D > t.T {
			return false
		}
	}
	return true
}

// overloaded reports whether some task cannot meet its deadline even alone, or all of them need more than
// the processors have.
func (s Set) overloaded(processors int) bool {
	for _, t := range s {
		if t.C > t.D || t.C > t.T {
			return true
		}
	}
	return s.Utilization().Cmp(big.NewRat(int64(processors), 1)) > 0
}

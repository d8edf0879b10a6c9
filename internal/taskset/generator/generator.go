// Package generator makes random task-sets the way studies of schedulability do: utilizations that add
// up to a given sum, periods from a distribution, execution times from both. It is pure: whatever is
// random comes from the source of random numbers that is handed in.
//
// Utilizations are fractions of one processor, 0 to 1; times have the unit of the periods, which is a
// millisecond everywhere else in this repository.
package generator

import (
	"fmt"
	"math"
)

// Source is a source of random numbers; *rand.Rand of math/rand/v2 is one, variants have their own.
type Source interface {
	// Float64 is uniform over 0 to less than 1.
	Float64() float64
	// Uint64N is uniform over 0 to n-1; n is more than 0.
	Uint64N(n uint64) uint64
}

// ExecutionTime of a task: period x utilization, rounded to the nearest whole number, at least 1. Rounding
// makes the sum of executionTime/period differ from the sum of the utilizations: use long periods where that
// matters.
func ExecutionTime(period int64, utilization float64) int64 {
	return max(1, int64(math.Round(utilization*float64(period))))
}

// checkSum checks what all algorithms are asked for; most is the largest utilization of one task.
func checkSum(count int, sum, most float64) error {
	if count < 1 || count > MaxTasks {
		return fmt.Errorf("count: %d is out of range; use 1 to %d", count, MaxTasks)
	}
	if !(most > 0 && most <= 1) { // not a number fails as well
		return fmt.Errorf("largest utilization: %g is out of range; a task takes more than 0 and at most 1", most)
	}
	if !(sum > 0 && sum <= float64(count)*most) {
		return fmt.Errorf("utilization: %g is out of range; %d tasks of at most %g each take more than 0 and at most %g", sum, count, most, float64(count)*most)
	}
	return nil
}

// MaxTasks is the largest number of tasks in a set.
const MaxTasks = 1000

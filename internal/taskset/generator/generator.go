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
	"math/rand/v2"
)

// Source is a source of random numbers; *rand.Rand of math/rand/v2 is one.
type Source interface {
	// Float64 is uniform over 0 to less than 1.
	Float64() float64
	// Uint64N is uniform over 0 to n-1; n is more than 0.
	Uint64N(n uint64) uint64
}

// NewSource makes a source of its own for each pair of seed and number, so that set number n is had
// without those before it. It is PCG-DXSM (O'Neill, PCG: A Family of Simple Fast Space-Efficient
// Statistically Good Algorithms for Random Number Generation, 2014).
func NewSource(seed int64, number uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), number))
}

// Task is one generated task.
type Task struct {
	Period        int64   // of the distribution that was asked for
	ExecutionTime int64   // period x utilization, rounded, at least 1
	Utilization   float64 // as drawn: before rounding
}

// Generate makes one task for each utilization, its period drawn by periods. Rounding makes the sum of
// ExecutionTime/Period differ from the sum of the utilizations: use long periods where that matters.
func Generate(r Source, utilizations []float64, periods Periods) []Task {
	tasks := make([]Task, len(utilizations))
	for i, u := range utilizations {
		period := periods(r)
		tasks[i] = Task{Period: period, Utilization: u, ExecutionTime: max(1, int64(math.Round(u*float64(period))))}
	}
	return tasks
}

func checkSum(count int, sum float64) error {
	if count < 1 || count > MaxTasks {
		return fmt.Errorf("count: %d is out of range; use 1 to %d", count, MaxTasks)
	}
	if !(sum > 0 && sum <= float64(count)) { // not a number fails as well
		return fmt.Errorf("utilization: %g is out of range; %d tasks take more than 0 and at most %[2]d", sum, count)
	}
	return nil
}

// MaxTasks is the largest number of tasks in a set.
const MaxTasks = 1000

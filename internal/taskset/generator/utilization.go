package generator

import (
	"fmt"
	"math"
	"slices"
)

// UUniFast draws count utilizations whose sum is sum, uniformly from all such lists. It is the
// algorithm of Bini and Buttazzo (Measuring the Performance of Schedulability Tests, Real-Time Systems
// 30, 2005): the sum of the remaining i-1 ones is the present sum times the (i-1)-th root of a uniform
// number. It is for one processor: the sum must be at most 1, because single utilizations would exceed 1.
func UUniFast(r Source, count int, sum float64) ([]float64, error) {
	if err := checkSum(count, sum, 1); err != nil {
		return nil, err
	}
	if sum > 1 {
		return nil, fmt.Errorf("utilization: UUniFast is for one processor, and %g is more; use UUniFastDiscard or RandFixedSum", sum)
	}
	return uUniFast(r, count, sum), nil
}

func uUniFast(r Source, count int, sum float64) []float64 {
	out := make([]float64, count)
	for i := range count - 1 {
		rest := sum * math.Pow(r.Float64(), 1/float64(count-1-i))
		out[i] = sum - rest
		sum = rest
	}
	out[count-1] = sum
	return out
}

// discards bounds UUniFastDiscard.
const discards = 10_000

// UUniFastDiscard draws as UUniFast does, for any number of processors, and draws again until no single
// utilization exceeds most (Davis and Burns, Priority Assignment for Global Fixed Priority Pre-emptive
// Scheduling in Multiprocessor Real-Time Systems, RTSS 2009, where that is 1). It gives up after 10,000
// attempts; ask Acceptance before.
func UUniFastDiscard(r Source, count int, sum, most float64) ([]float64, error) {
	if err := checkSum(count, sum, most); err != nil {
		return nil, err
	}
	for range discards {
		out := uUniFast(r, count, sum)
		if slices.Max(out) <= most {
			return out, nil
		}
	}
	return nil, fmt.Errorf("utilization: %g over %d tasks of at most %g each was discarded %d times; use RandFixedSum", sum, count, most, discards)
}

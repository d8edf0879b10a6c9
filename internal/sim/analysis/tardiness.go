package analysis

import (
	"math/big"
	"slices"
)

// Tardiness is by how much less a task's own execution time adds to the tardiness of its jobs under global EDF: no job
// of a task ends later than x + C after its deadline. It holds for deadlines that are periods and U <= m; else ok is
// false. x is rounded up. (Devi and Anderson, Tardiness Bounds under Global EDF Scheduling on a Multiprocessor, RTSS
// 2005.)
func Tardiness(s Set, processors int) (x int64, ok bool) {
	if !s.implicit() || !s.constrained() || s.overloaded(processors) {
		return 0, false
	}
	work := make([]int64, len(s))
	shares := make([]*big.Rat, len(s))
	for i, t := range s {
		work[i], shares[i] = t.C, big.NewRat(t.C, t.T)
	}
	slices.SortFunc(work, func(a, b int64) int { return int(b - a) })
	slices.SortFunc(shares, func(a, b *big.Rat) int { return b.Cmp(a) })
	others := int(up(s.Utilization())) - 1 // processors that can be busy while a job waits
	above := -work[len(work)-1]
	for _, c := range work[:min(others, len(work))] {
		above += c
	}
	below := big.NewRat(int64(processors), 1)
	for _, u := range shares[:min(max(others-1, 0), len(shares))] {
		below.Sub(below, u)
	}
	if above <= 0 {
		return 0, true
	}
	return up(below.Quo(new(big.Rat).SetInt64(above), below)), true
}

// up is the least whole number that is not less than r.
func up(r *big.Rat) int64 {
	above := new(big.Int).Add(r.Num(), r.Denom())
	above.Sub(above, big.NewInt(1))
	return above.Div(above, r.Denom()).Int64()
}

package sched

import (
	"math/big"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// favoured is global EDF in which some tasks come before all others.
type favoured struct {
	global
	choose func([]sim.Task) []bool
}

func (f *favoured) Init(v sim.View) error {
	first := f.choose(v.Tasks())
	f.toBack = true
	f.key = func(j *sim.Job) int64 {
		if first[j.Index] {
			return -1
		}
		return j.Deadline
	}
	return f.global.Init(v)
}

// NewEDFUS is EDF-US[1/2]: tasks that need more than half a processor have the highest priority, the others
// are scheduled by EDF. (Srinivasan and Baruah, Deadline-based Scheduling of Periodic Task Systems on
// Multiprocessors, Information Processing Letters 84(2), 2002; Baker 2005 for this threshold.)
func NewEDFUS() sim.Scheduler {
	half := big.NewRat(1, 2)
	return &favoured{choose: func(tasks []sim.Task) []bool {
		first := make([]bool, len(tasks))
		for i := range tasks {
			first[i] = utilization(&tasks[i]).Cmp(half) > 0
		}
		return first
	}}
}

// NewPriD is EDF(k): the k-1 heaviest tasks have the highest priority, the others are scheduled by EDF, with
// the k that needs the fewest processors. (Goossens, Funk and Baruah, Priority-Driven Scheduling of
// Periodic Task Systems on Multiprocessors, RTS 25, 2003.)
func NewPriD() sim.Scheduler {
	return &favoured{choose: func(tasks []sim.Task) []bool {
		order := make([]int, len(tasks))
		rest := new(big.Rat) // utilization of the tasks from the k-th on
		for i := range tasks {
			order[i] = i
			rest.Add(rest, utilization(&tasks[i]))
		}
		slices.SortStableFunc(order, func(a, b int) int { return utilization(&tasks[b]).Cmp(utilization(&tasks[a])) })
		best, fewest := 0, int64(-1)
		for k, i := range order {
			rest.Sub(rest, utilization(&tasks[i]))
			if need := processorsNeeded(k, rest, utilization(&tasks[i])); need >= 0 && (fewest < 0 || need < fewest) {
				best, fewest = k, need
			}
		}
		first := make([]bool, len(tasks))
		for _, i := range order[:best] {
			first[i] = true
		}
		return first
	}}
}

// processorsNeeded is k + ceil(rest/(1-u)); less than 0 for u >= 1 with something left.
func processorsNeeded(k int, rest, u *big.Rat) int64 {
	room := new(big.Rat).Sub(one, u)
	if room.Sign() <= 0 {
		if rest.Sign() == 0 {
			return int64(k) + 1
		}
		return -1
	}
	q := new(big.Rat).Quo(rest, room)
	up := new(big.Int).Add(q.Num(), new(big.Int).Sub(q.Denom(), big.NewInt(1)))
	return int64(k) + up.Quo(up, q.Denom()).Int64()
}

// fairLateness orders jobs by their priority points, release + D - C(m-1)/m.
type fairLateness struct{ zeroLaxity }

func (f *fairLateness) Init(v sim.View) error {
	m := int64(v.Processors())
	f.key = func(j *sim.Job) int64 {
		if j.Deadline > sim.Never/m {
			return sim.Never
		}
		return j.Deadline*m - (m-1)*j.Task.WCET
	}
	return f.zeroLaxity.Init(v)
}

// NewGFL is global fair lateness: EDF with priority points that make the latest job least late. (Erickson,
// Anderson and Ward, Fair Lateness Scheduling: Reducing Maximum Lateness in G-EDF-like Scheduling, RTS 50,
// 2014.)
func NewGFL() sim.Scheduler { return &fairLateness{zeroLaxity{never: true}} }

// NewGFLZL is the same with promotion at zero laxity.
func NewGFLZL() sim.Scheduler { return &fairLateness{} }

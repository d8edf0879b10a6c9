package sched

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// keyed orders jobs by a number that does not change; among equal ones the task's place in the system decides.
func keyed(key func(*sim.Job) int64) func(a, b *sim.Job) int {
	return func(a, b *sim.Job) int { return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.Index, b.Index)) }
}

// favoured is global EDF in which some tasks come before all others.
type favoured struct {
	selecting
	choose func([]sim.Task, int) []bool
	first  []bool
}

func (f *favoured) Init(v sim.View) error {
	f.first = f.choose(v.Tasks(), v.Processors())
	f.order = keyed(func(j *sim.Job) int64 {
		if f.first[j.Index] {
			return -1
		}
		return j.Deadline
	})
	return f.selecting.Init(v)
}

// NewEDFUS is EDF-US[1/2]: tasks that need more than half a processor have the highest priority, the others
// are scheduled by EDF. (Srinivasan and Baruah, Deadline-based Scheduling of Periodic Task Systems on
// Multiprocessors, Information Processing Letters 84(2), 2002; Baker 2005 for this threshold.)
func NewEDFUS() sim.Scheduler {
	half := big.NewRat(1, 2)
	return &favoured{choose: func(tasks []sim.Task, _ int) []bool {
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
	return &favoured{choose: func(tasks []sim.Task, _ int) []bool {
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
	f.key = func(j *sim.Job) int64 { return j.Deadline*m - (m-1)*j.Task.WCET }
	return f.zeroLaxity.Init(v)
}

// NewGFL is global fair lateness: EDF with priority points that make the latest job least late. (Erickson,
// Anderson and Ward, Fair Lateness Scheduling: Reducing Maximum Lateness in G-EDF-like Scheduling, RTS 50,
// 2014.)
func NewGFL() sim.Scheduler { return &fairLateness{zeroLaxity{never: true}} }

// NewGFLZL is the same with promotion at zero laxity.
func NewGFLZL() sim.Scheduler { return &fairLateness{} }

// NewEDZL is EDF until zero laxity: a job that must run from now on to meet its deadline comes first. (Cho,
// Lee, Han and Lin, Efficient Real-Time Scheduling Algorithms for Multiprocessor Systems, IEICE Transactions
// on Communications E85-B, 2002.)
func NewEDZL() sim.Scheduler { return &zeroLaxity{key: byDeadline} }

// zeroLaxity schedules by a key that does not change, and puts jobs first that have no time to wait left.
type zeroLaxity struct {
	selecting
	key   func(*sim.Job) int64
	never bool // nothing is promoted
	armed sim.Time
}

func (z *zeroLaxity) Init(v sim.View) error {
	plain := keyed(z.key)
	z.order = func(a, b *sim.Job) int {
		return cmp.Or(cmp.Compare(a.Key.First, b.Key.First), plain(a, b))
	}
	return z.selecting.Init(v)
}

// Tick implements sim.Ticker: a decision follows by itself.
func (z *zeroLaxity) Tick(int) {}

func (z *zeroLaxity) Decide(processor int) []sim.Decision {
	if z.never {
		return z.selecting.Decide(processor)
	}
	for _, j := range z.jobs {
		if j.Key.First = 0; j.Deadline != sim.Never && z.view.Laxity(j) <= 0 {
			j.Key.First = -1
		}
	}
	out := z.selecting.Decide(processor)
	z.remind(processor)
	return out
}

// remind arms a timer for the next job that would have no time left to wait, unless one comes before it.
func (z *zeroLaxity) remind(processor int) {
	soonest := sim.Never
	for _, j := range z.jobs[min(len(z.jobs), z.view.Processors()):] {
		if laxity := z.view.Laxity(j); j.Deadline != sim.Never && laxity > 0 {
			soonest = min(soonest, laxity)
		}
	}
	if soonest == sim.Never {
		return
	}
	now := z.view.Now()
	if at := now + soonest; z.armed <= now || z.armed > at {
		z.armed = at
		z.view.Timer(at, processor, 0)
	}
}

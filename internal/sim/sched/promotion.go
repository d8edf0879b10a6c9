package sched

import (
	"math"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// urgent is the key of jobs that come before all others.
const urgent = math.MinInt64

// promote puts jobs before all others that have less laxity than that, those that run included: they are not to be
// pushed aside.
func (g *global) promote(least sim.Time) {
	for p := range g.view.Processors() {
		if j := g.view.Running(p); j != nil && laxity(g.view, j) < least {
			j.Key.First = urgent
		}
	}
	for again := true; again; {
		again = false
		for _, j := range g.ready.jobs {
			if j.Key.First != urgent && laxity(g.view, j) < least {
				g.ready.remove(j)
				j.Key.First = urgent
				g.ready.push(j)
				again = true
				break
			}
		}
	}
}

// zeroLaxity schedules by a key that does not change, and puts jobs first that have no time to wait left.
type zeroLaxity struct {
	global
	never bool       // nothing is promoted
	armed []sim.Time // by task
}

func (z *zeroLaxity) Init(v sim.View) error {
	z.armed, z.toBack = make([]sim.Time, len(v.Tasks())), true
	return z.global.Init(v)
}

// Tick implements sim.Ticker: a decision follows by itself.
func (z *zeroLaxity) Tick(int) {}

// Wants implements sim.Canceler: a job that runs has no need to be promoted.
func (z *zeroLaxity) Wants(task int) bool {
	for _, j := range z.ready.jobs {
		if j.Index == task {
			return z.view.Laxity(j) <= 0
		}
	}
	return false
}

func (z *zeroLaxity) Decide(processor int) []sim.Decision {
	if z.never {
		return z.global.Decide(processor)
	}
	z.promote(1)
	out := z.global.Decide(processor)
	z.remind(processor)
	return out
}

// remind arms timers for the times from which on jobs must not wait.
func (z *zeroLaxity) remind(processor int) {
	now := z.view.Now()
	for _, j := range z.ready.jobs {
		if j.Deadline == sim.Never || j.Key.First == urgent {
			continue
		}
		if at := now + z.view.Laxity(j); z.armed[j.Index] != at {
			z.armed[j.Index] = at
			z.view.Timer(at, processor, j.Index)
		}
	}
}

// NewEDZL is EDF until zero laxity: a job that must run from now on to meet its deadline comes first. (Cho,
// Lee, Han and Lin, Efficient Real-Time Scheduling Algorithms for Multiprocessor Systems, IEICE Transactions
// on Communications E85-B, 2002.)
func NewEDZL() sim.Scheduler { return &zeroLaxity{global: global{key: byDeadline}} }

// criticalLaxity is EDF in which a job that would be late after the shortest job that runs comes first.
type criticalLaxity struct{ global }

func (c *criticalLaxity) Decide(processor int) []sim.Decision {
	next := sim.Never // until a processor is free by itself
	for p := range c.view.Processors() {
		left := sim.Time(0)
		if j := c.view.Running(p); j != nil {
			left = c.view.Left(j)
		}
		next = min(next, left)
	}
	c.promote(next)
	return c.global.Decide(processor)
}

// NewEDCL is EDF until critical laxity: at each release and end a job that cannot wait until the next processor
// is free comes first. (Kato and Yamasaki, Global EDF-based Scheduling with Efficient Priority Promotion,
// RTCSA 2008.)
func NewEDCL() sim.Scheduler { return &criticalLaxity{global{key: byDeadline}} }

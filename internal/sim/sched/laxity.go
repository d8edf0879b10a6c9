package sched

import (
	"cmp"
	"math/bits"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// quantumLaxity is the time between two looks at the laxities.
const quantumLaxity = sim.Millisecond

// ticking is a scheduler whose order of jobs changes as time goes by: it is looked at with every message and,
// while jobs wait, every quantum. A look costs nothing.
type ticking struct {
	selecting
	quantum sim.Time
	armed   sim.Time
}

// Tick implements sim.Ticker: a decision follows by itself.
func (t *ticking) Tick(int) {}

func (t *ticking) Decide(processor int) []sim.Decision {
	now := t.view.Now()
	if len(t.jobs) > t.view.Processors() && t.armed <= now {
		t.armed = now - now%t.quantum + t.quantum
		t.view.Timer(t.armed, processor, 0)
	}
	return t.selecting.Decide(processor)
}

// leastLaxity orders by deadline - now - work left; among equal ones by the task's place in the system.
type leastLaxity struct{ ticking }

func (l *leastLaxity) Init(v sim.View) error {
	l.order = func(a, b *sim.Job) int {
		return cmp.Or(cmp.Compare(laxity(v, a), laxity(v, b)), cmp.Compare(a.Index, b.Index))
	}
	return l.ticking.Init(v)
}

func laxity(v sim.View, j *sim.Job) sim.Time {
	if j.Deadline == sim.Never {
		return sim.Never
	}
	return v.Laxity(j)
}

// NewLLF is global least laxity first, looked at every quantum. (Mok, Fundamental Design Problems of
// Distributed Systems for the Hard-Real-Time Environment, MIT 1983; Dertouzos and Mok, Multiprocessor On-Line
// Scheduling of Hard-Real-Time Tasks, IEEE TSE 15(12), 1989.)
func NewLLF(quantum sim.Time) sim.Scheduler { return &leastLaxity{ticking{quantum: quantum}} }

// leastSlackRate orders by (work left)/(deadline - now), the largest first.
type leastSlackRate struct{ ticking }

func (l *leastSlackRate) Init(v sim.View) error {
	l.order = func(a, b *sim.Job) int { return compareRates(v, b, a) }
	return l.ticking.Init(v)
}

// compareRates compares exactly, in 128 bits. A job whose deadline is over has the largest rate, and one
// without a deadline the smallest.
func compareRates(v sim.View, a, b *sim.Job) int {
	leftA, roomA := slackRate(v, a)
	leftB, roomB := slackRate(v, b)
	highA, lowA := bits.Mul64(leftA, roomB)
	highB, lowB := bits.Mul64(leftB, roomA)
	return cmp.Or(cmp.Compare(highA, highB), cmp.Compare(lowA, lowB))
}

func slackRate(v sim.View, j *sim.Job) (left, room uint64) {
	if j.Deadline == sim.Never {
		return 0, 1
	}
	if j.Deadline <= v.Now() {
		return 1, 0
	}
	return uint64(v.Left(j)), uint64(j.Deadline - v.Now())
}

// NewLSTR is least slack-time rate first, looked at every quantum: the job that needs the largest part of
// the time to its deadline. (Hwang, Choi and Kim, Least Slack Time Rate First: an Efficient Scheduling
// Algorithm for Pervasive Computing Environment, JUCS 17(6), 2011.)
func NewLSTR(quantum sim.Time) sim.Scheduler { return &leastSlackRate{ticking{quantum: quantum}} }

func init() {
	quantum := func(o *Options) sim.Time {
		return o.Duration("quantum", quantumLaxity, "time between two looks at the laxities")
	}
	Register(Policy{"LLF", Global, "least laxity first, every millisecond", func(o *Options) sim.Scheduler { return NewLLF(quantum(o)) }})
	Register(Policy{"LSTR", Global, "least slack-time rate first, every millisecond", func(o *Options) sim.Scheduler { return NewLSTR(quantum(o)) }})
	Register(Policy{"EDCL", Global, "EDF until critical laxity", Plain(NewEDCL)})
}

package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// modifiedLaxity is least laxity first that puts off a switch where laxities are equal. At each release and end the jobs
// with the least laxities are chosen, among equal ones those with earlier deadlines. In between a job goes on although
// others have less laxity by now, as long as they are due later; one that is due earlier takes over as soon as
// its laxity is as small.
type modifiedLaxity struct {
	selecting
	fresh bool // something was released or has ended
	armed sim.Time
}

func (l *modifiedLaxity) Init(v sim.View) error {
	l.order = func(a, b *sim.Job) int {
		return cmp.Or(cmp.Compare(laxity(v, a), laxity(v, b)), cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(a.Index, b.Index))
	}
	return l.selecting.Init(v)
}

func (l *modifiedLaxity) Activated(j *sim.Job) {
	l.selecting.Activated(j)
	l.fresh = true
}

func (l *modifiedLaxity) Ended(j *sim.Job) {
	l.selecting.Ended(j)
	l.fresh = true
}

// Tick implements sim.Ticker: a decision follows by itself.
func (l *modifiedLaxity) Tick(int) {}

func (l *modifiedLaxity) Decide(processor int) []sim.Decision {
	n := min(len(l.jobs), l.view.Processors())
	if l.fresh {
		l.fresh = false
		slices.SortStableFunc(l.jobs, l.order)
	} else {
		l.takeOver(n)
	}
	l.remind(processor, n)
	return l.assign(l.jobs[:n])
}

// takeOver lets those that wait, the earliest deadline first, run in place of the job that is due last of those whose
// laxity they have reached. The first n jobs run.
func (l *modifiedLaxity) takeOver(n int) {
	waiting := l.jobs[n:]
	slices.SortStableFunc(waiting, func(a, b *sim.Job) int { return cmp.Compare(a.Deadline, b.Deadline) })
	for w, j := range waiting {
		last := -1
		for at, r := range l.jobs[:n] {
			due := r.Deadline > j.Deadline && laxity(l.view, j) <= laxity(l.view, r)
			if due && (last < 0 || r.Deadline > l.jobs[last].Deadline) {
				last = at
			}
		}
		if last >= 0 {
			waiting[w], l.jobs[last] = l.jobs[last], j
		}
	}
}

// remind arms a timer for the first take-over. The laxity of a job that runs stays the same.
func (l *modifiedLaxity) remind(processor, n int) {
	soonest := sim.Never
	for _, j := range l.jobs[n:] {
		for _, r := range l.jobs[:n] {
			if r.Deadline > j.Deadline {
				soonest = min(soonest, max(1, laxity(l.view, j)-laxity(l.view, r)))
			}
		}
	}
	now := l.view.Now()
	if soonest == sim.Never || soonest > sim.Never-now {
		return
	}
	if at := now + soonest; l.armed <= now || l.armed > at {
		l.armed = at
		l.view.Timer(at, processor, 0)
	}
}

// NewMLLF is modified least laxity first. It is optimal on one processor: a job that is due earlier than the one that
// runs has always more laxity. (Oh and Yang, A Modified Least-Laxity-First Scheduling Algorithm for Real-Time
// Tasks, RTCSA 1998.)
func NewMLLF() sim.Scheduler { return &modifiedLaxity{} }

func init() {
	Register(Policy{"MLLF", Global, "least laxity first, switches put off", Plain(NewMLLF)})
}

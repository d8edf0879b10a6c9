package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// reduced schedules by a reduction to several uniprocessors: of the duals that a server serves, the one with the
// earliest deadline that has time left runs, so its server does not, and the other servers do.
type reduced struct {
	claims
	p             *planned
	roots, others []*server
	serving       []*server // their duals
	run           []*sim.Job
	since         sim.Time
	next          sim.Time
}

func (a *reduced) start(p *planned) error {
	a.p = p
	a.admitKnown(p.view)
	var tasks []*claim
	for i := range a.all {
		if k := &a.all[i]; k.granted && k.task.WCET > 0 {
			tasks = append(tasks, k)
		}
	}
	a.roots, a.others = reduce(tasks, p.view.Processors())
	return nil
}

func (a *reduced) choose(now sim.Time) sim.Time {
	for _, s := range a.serving {
		s.rest -= now - a.since
	}
	a.close(now)
	a.since, a.next, a.serving, a.run = now, sim.Never, a.serving[:0], a.run[:0]
	for _, s := range a.others {
		if s.limit <= now {
			s.replenish(now)
		}
		a.next = min(a.next, s.limit)
	}
	for _, r := range a.roots {
		a.serve(r, now)
	}
	if len(a.run) > len(a.p.want) { // costs have upset the budgets
		slices.SortStableFunc(a.run, func(x, y *sim.Job) int { return cmp.Compare(x.Deadline, y.Deadline) })
		a.run = a.run[:len(a.p.want)]
	}
	a.p.anywhere(a.run)
	return a.next
}

// replenish gives the dual its time up to the next deadline of the tasks.
func (s *server) replenish(now sim.Time) {
	s.limit = sim.Never
	for _, k := range s.below {
		s.limit = min(s.limit, k.nextKnown(now))
	}
	if s.limit == sim.Never { // nothing comes any more
		s.rest = sim.Never
		return
	}
	served := s.served(s.limit)
	s.rest = max(0, served-s.issued)
	s.issued = max(s.issued, served)
}

// serve lets a server run.
func (a *reduced) serve(s *server, now sim.Time) {
	if len(s.duals) == 0 {
		if j := earliest(s.tasks); j != nil {
			a.run = append(a.run, j)
		}
		return
	}
	var first *server
	for _, d := range s.duals {
		if d.rest > 0 && (first == nil || d.limit < first.limit) {
			first = d
		}
	}
	if first != nil {
		a.serving = append(a.serving, first)
		if first.rest != sim.Never {
			a.next = min(a.next, now+first.rest)
		}
		for _, d := range first.duals { // a server that idles serves no dual
			a.serve(d, now)
		}
	}
	for _, d := range s.duals {
		if d != first {
			a.serve(d, now)
		}
	}
}

// NewRUN is reduction to uniprocessor. It is optimal for periodic tasks. (Regnier, Lima, Massa, Levin and Brandt, RUN:
// Optimal Multiprocessor Real-Time Scheduling via Reduction to Uniprocessor, RTSS 2011.)
func NewRUN() sim.Scheduler { return &planned{algorithm: &reduced{}} }

// NewWCRUN is RUN in which no processor idles while a job waits.
func NewWCRUN() sim.Scheduler { return &planned{conserving: true, algorithm: &reduced{}} }

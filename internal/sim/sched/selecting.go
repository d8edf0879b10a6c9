package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// selecting chooses with each decision the jobs that run, as many as there are processors, out of all that
// could; whoever is chosen and runs already stays where it is.
type selecting struct {
	view  sim.View
	jobs  []*sim.Job // that could run
	order func(a, b *sim.Job) int
	free  []int
	out   []sim.Decision
}

func (s *selecting) Init(v sim.View) error {
	s.view = v
	return nil
}

func (s *selecting) Activated(j *sim.Job) { s.jobs = append(s.jobs, j) }

func (s *selecting) Ended(j *sim.Job) {
	if at := slices.Index(s.jobs, j); at >= 0 {
		s.jobs = slices.Delete(s.jobs, at, at+1)
	}
}

func (s *selecting) Decide(int) []sim.Decision {
	return s.choose(min(len(s.jobs), s.view.Processors()))
}

// choose lets the first n jobs run.
func (s *selecting) choose(n int) []sim.Decision {
	slices.SortStableFunc(s.jobs, s.order)
	return s.assign(s.jobs[:n])
}

// assign gives every chosen job a processor: the one it runs on, else the one its task was on last if that is to
// be had, else the first one.
func (s *selecting) assign(chosen []*sim.Job) []sim.Decision {
	s.free, s.out = s.free[:0], s.out[:0]
	for p := range s.view.Processors() {
		if j := s.view.Running(p); j == nil || !slices.Contains(chosen, j) {
			s.free = append(s.free, p)
		}
	}
	for _, j := range chosen {
		if j.Processor() >= 0 {
			continue
		}
		at := max(0, slices.Index(s.free, j.Home()))
		s.out = append(s.out, sim.Decision{Job: j, Processor: s.free[at]})
		s.free = slices.Delete(s.free, at, at+1)
	}
	for _, p := range s.free {
		if s.view.Running(p) != nil {
			s.out = append(s.out, sim.Decision{Processor: p})
		}
	}
	return s.out
}

// NewEDF2 is global EDF that chooses the earliest deadlines as a set.
func NewEDF2() sim.Scheduler {
	return &selecting{order: func(a, b *sim.Job) int {
		return cmp.Or(cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(a.Index, b.Index))
	}}
}

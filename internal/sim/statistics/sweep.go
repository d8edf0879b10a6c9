package statistics

import (
	"context"
	"fmt"
	"runtime"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Sweep simulates many systems under several schedulers.
type Sweep struct {
	// Points of the sweep, for instance utilizations, and the number of systems for each of them.
	Points, Sets int
	// System makes a system of a point; the same one for the same numbers. Several are made at a time.
	System func(point, set int) (*sim.System, error)
	// Schedulers under each of which each system is simulated.
	Schedulers []Scheduler
	// Workers simulate at the same time; 0: one for each processor of this machine. They make no difference to what comes
	// out.
	Workers int
	// Known is the number of outcomes that are left out, because an earlier run that was stopped has told them.
	Known int
	// PerTask adds response times of each task to the outcomes.
	PerTask bool
}

// Scheduler makes schedulers of a kind.
type Scheduler struct {
	Name string
	New  func() (sim.Scheduler, error)
}

// Outcome is what came of one system under one scheduler.
type Outcome struct {
	Point       int     `json:"point"`
	Set         int     `json:"set"`
	Scheduler   string  `json:"scheduler"`
	Utilization float64 `json:"utilization"`
	// Accepted systems miss no deadline.
	Accepted bool `json:"accepted"`
	// Refused says why a scheduler did not take a system, for instance because no partition was found.
	Refused     string `json:"refused,omitempty"`
	Released    int64  `json:"released"`
	Ended       int64  `json:"ended"`
	Aborted     int64  `json:"aborted"`
	Missed      int64  `json:"missed"`
	Preemptions int64  `json:"preemptions"`
	Migrations  int64  `json:"migrations"`
	// Response times of completed jobs, and of those of each task.
	Response Summary   `json:"response"`
	Tasks    []Summary `json:"tasks,omitempty"`

	jobs *Jobs
}

// Jobs are all jobs of the outcome.
func (o *Outcome) Jobs() *Jobs { return o.jobs }

// Summary of some times, in nanoseconds.
type Summary struct {
	Count     int64    `json:"count"`
	Least     sim.Time `json:"min"`
	Mean      float64  `json:"mean"`
	Deviation float64  `json:"std"`
	Median    float64  `json:"p50"`
	P95       float64  `json:"p95"`
	P99       float64  `json:"p99"`
	Most      sim.Time `json:"max"`
}

// Summary of the times so far.
func (t *Times) Summary() Summary {
	return Summary{
		Count: t.Count(), Least: t.Least(), Mean: t.Mean(), Deviation: t.Deviation(),
		Median: t.Percentile(50), P95: t.Percentile(95), P99: t.Percentile(99), Most: t.Most(),
	}
}

// Run emits the outcomes: by points, then sets, then schedulers. It stops at an error of System, of emit, or of ctx, and
// at an invalid system; a system that a scheduler refuses is an outcome.
func (s *Sweep) Run(ctx context.Context, emit func(*Outcome) error) error {
	each := len(s.Schedulers)
	if s.Points < 1 || s.Sets < 1 || each < 1 || s.Known < 0 {
		return fmt.Errorf("a sweep of %d points with %d sets and %d schedulers, %d outcomes known: use at least one of each, and 0 or more", s.Points, s.Sets, each, s.Known)
	}
	workers := s.Workers
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	number := s.Known / each * each
	return inOrder(ctx, s.Known/each, s.Points*s.Sets, workers, s.simulate, func(set []*Outcome) error {
		for _, o := range set {
			if number++; number > s.Known {
				if err := emit(o); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// simulate simulates one system under all schedulers.
func (s *Sweep) simulate(ctx context.Context, number int) ([]*Outcome, error) {
	point, set := number/s.Sets, number%s.Sets
	system, err := s.System(point, set)
	if err == nil {
		err = system.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("point %d, set %d: %w", point, set, err)
	}
	all := make([]*Outcome, len(s.Schedulers))
	for i, scheduler := range s.Schedulers {
		o := &Outcome{Point: point, Set: set, Scheduler: scheduler.Name, Utilization: utilization(system)}
		if err := s.under(ctx, system, scheduler, o); err != nil {
			return nil, fmt.Errorf("point %d, set %d, scheduler %s: %w", point, set, scheduler.Name, err)
		}
		all[i] = o
	}
	return all, nil
}

func (s *Sweep) under(ctx context.Context, system *sim.System, scheduler Scheduler, o *Outcome) error {
	policy, err := scheduler.New()
	if err != nil {
		return err
	}
	c := NewCollector(system)
	if !s.PerTask {
		c = newTogether(system)
	}
	_, err = sim.Run(ctx, system, policy, c)
	o.jobs = c.All()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		o.Refused = err.Error()
		o.jobs = &Jobs{}
		return nil
	}
	o.fill(c, s.PerTask)
	return nil
}

func (o *Outcome) fill(c *Collector, perTask bool) {
	j := o.jobs
	o.Released, o.Ended, o.Aborted, o.Missed = j.Released, j.Ended, j.Aborted, j.Missed
	o.Preemptions, o.Migrations = j.Preemptions, j.Migrations
	o.Accepted = j.Missed == 0
	o.Response = j.Response.Summary()
	for i := range c.tasks {
		if perTask {
			o.Tasks = append(o.Tasks, c.tasks[i].Response.Summary())
		}
	}
}

// utilization is the part of a processor at speed 1 that the periodic tasks need.
func utilization(s *sim.System) float64 {
	sum := 0.0
	for i := range s.Tasks {
		if t := &s.Tasks[i]; t.Period > 0 {
			sum += float64(t.WCET) / float64(t.Period)
		}
	}
	return sum
}

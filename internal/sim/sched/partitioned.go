package sched

import (
	"fmt"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// partitioned gives every task a processor of its own choice for good, and each processor a ready list of
// its own. Among equally urgent jobs the one that was activated first runs, even if another one runs now.
type partitioned struct {
	view    sim.View
	key     func(*sim.Job) int64
	place   func(sim.View) ([]int, error) // processors of the tasks
	homes   []int
	ready   []queue // the running job included
	counter uint64
	out     [1]sim.Decision
}

func (p *partitioned) Init(v sim.View) error {
	homes, err := p.place(v)
	if err != nil {
		return err
	}
	p.view, p.homes, p.ready = v, homes, make([]queue, v.Processors())
	for task, home := range homes {
		v.Place(task, home)
	}
	return nil
}

// Parallel implements sim.Parallel.
func (p *partitioned) Parallel() {}

func (p *partitioned) Activated(j *sim.Job) {
	p.counter++
	j.Key.First, j.Key.Third = p.key(j), p.counter
	p.ready[p.homes[j.Index]].push(j)
}

func (p *partitioned) Ended(j *sim.Job) { p.ready[p.homes[j.Index]].remove(j) }

func (p *partitioned) Decide(processor int) []sim.Decision {
	j := p.ready[processor].first()
	if j == p.view.Running(processor) {
		return nil
	}
	p.out[0] = sim.Decision{Job: j, Processor: processor}
	return p.out[:]
}

// NewEDFMono is EDF on one processor, with ties by activation.
func NewEDFMono() sim.Scheduler { return &partitioned{key: byDeadline, place: onlyOne} }

// NewRMMono is rate monotonic on one processor, with ties by activation.
func NewRMMono() sim.Scheduler { return &partitioned{key: byPeriod, place: onlyOne} }

func onlyOne(v sim.View) ([]int, error) {
	if v.Processors() != 1 {
		return nil, fmt.Errorf("%w: processors: %d: this scheduler is for one; use a global or a partitioned one", sim.ErrInvalid, v.Processors())
	}
	return make([]int, len(v.Tasks())), nil
}

// newFixed schedules each processor, with the tasks where they are pinned to.
func newFixed(key func(*sim.Job) int64) func() sim.Scheduler {
	return func() sim.Scheduler { return &partitioned{key: key, place: placeAsSaid} }
}

// newPartitioned schedules each processor by EDF, RM or another key, after packing the tasks.
func newPartitioned(key func(*sim.Job) int64, pack packer) func() sim.Scheduler {
	return func() sim.Scheduler { return &partitioned{key: key, place: pack.place} }
}

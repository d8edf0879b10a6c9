package simso

import (
	"context"
	"fmt"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// simulation is one variant on its way through the simulator, in a goroutine of its own.
type simulation struct {
	cancel context.CancelFunc
	out    <-chan []session.Event // closed when it is over
	err    error                  // why it failed; to be read once out is closed
	done   chan struct{}          // closed with out
}

// simulate begins a simulation. It goes on until its end or cancel.
func (c *Class) simulate(run session.Run, system *sim.System, name string, scheduler sim.Scheduler) *simulation {
	ctx, cancel := context.WithCancel(context.Background())
	f := newFeed(run.Tasks, &seat{room: c.room, stop: ctx.Done()}, c.options.Clock)
	s := &simulation{cancel: cancel, out: f.out, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer close(f.out)
		defer cancel()
		defer f.seat.leave()
		f.seat.take()
		if err := through(ctx, system, scheduler, f); err != nil && ctx.Err() == nil {
			s.err = fmt.Errorf("%w: variant %d under scheduler %s: %w", session.ErrUnsupported, run.Variant, name, err)
			return
		}
		f.end(ctx.Err() != nil)
	}()
	return s
}

// through is sim.Run. A scheduler that breaks down ends its own simulation, not the program that holds other
// sessions.
func through(ctx context.Context, system *sim.System, scheduler sim.Scheduler, f *feed) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the scheduler broke down: %v", broken)
		}
	}()
	_, err = sim.Run(ctx, system, scheduler, f)
	return err
}

// stop ends the simulation and returns what it has told and nobody has fetched.
func (s *simulation) stop() []session.Event {
	s.cancel()
	var rest []session.Event
	for batch := range s.out {
		rest = append(rest, batch...)
	}
	return rest
}

// seat is the right to keep a processor of this machine busy. It is used by one goroutine.
type seat struct {
	room  chan struct{}
	stop  <-chan struct{} // closed: it is not waited for any more
	taken bool
}

func (s *seat) take() {
	select {
	case s.room <- struct{}{}:
		s.taken = true
	case <-s.stop:
	}
}

func (s *seat) leave() {
	if s.taken {
		s.taken = false
		<-s.room
	}
}

// prepare makes system and scheduler of a variant.
func prepare(run session.Run, s Settings) (*sim.System, string, sim.Scheduler, error) {
	system, name, err := System(run, s)
	if err != nil {
		return nil, "", nil, err
	}
	if err := system.Check(); err != nil {
		return nil, "", nil, err
	}
	options, err := s.options()
	if err != nil {
		return nil, "", nil, err
	}
	scheduler, err := sched.NewWith(name, options)
	return system, name, scheduler, err
}

package simso

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Options of a Class.
type Options struct {
	Registry *session.Registry  // of open sessions; nil: a private one
	Clock    clock.PassiveClock // of Event.Received; nil: real time
	// Workers is how many simulations run at a time; the others wait. By default it is one less than the
	// processors that this program may use, at least 1, so that sessions with other targets do not wait for them.
	Workers int
}

// Class opens sessions with simulated targets.
type Class struct {
	options Options
	room    chan struct{} // holds a token for each simulation that runs
}

var _ session.Class = (*Class)(nil)

// New makes a class.
func New(o Options) *Class {
	if o.Registry == nil {
		o.Registry = session.NewRegistry(o.Clock)
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Workers < 1 {
		o.Workers = max(1, runtime.GOMAXPROCS(0)-1)
	}
	return &Class{options: o, room: make(chan struct{}, o.Workers)}
}

// Available implements session.Class: a simulation is possible whenever its settings are.
func (*Class) Available(_ context.Context, t session.Target) error {
	return Check(t)
}

// Connect implements session.Class. The generation decides what is refused, as it would with a target; with
// Auto that is only what every generation would refuse. Settings that make no sense are ErrUnsupported.
func (c *Class) Connect(ctx context.Context, t session.Target) (session.Session, error) {
	settings, err := settingsOf(t)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	if t.Generation == "" {
		t.Generation = taskset.Auto
	}
	return &simulated{
		class: c, target: t, settings: settings, closed: make(chan struct{}), entry: c.options.Registry.Enter(t.Name, "simulation"),
	}, nil
}

// simulated is a session with a simulated target.
type simulated struct {
	class    *Class
	target   session.Target
	settings Settings
	entry    *session.Entry
	current  atomic.Pointer[simulation] // nil: nothing was started, or it was stopped
	once     sync.Once
	closed   chan struct{}
}

func (s *simulated) usable() error {
	select {
	case <-s.closed:
		return fmt.Errorf("simulation %s: %w", s.target.Name, session.ErrClosed)
	default:
		return nil
	}
}

// Start begins to simulate a variant. It is refused (ErrUnsupported) as a target would have it, and when it lacks
// what a simulation needs to know.
func (s *simulated) Start(ctx context.Context, run session.Run) error {
	if err := errors.Join(s.usable(), ctx.Err()); err != nil {
		return err
	}
	s.halt()
	if err := errors.Join(taskset.Check(run.Tasks, s.target.Generation), run.Admission.Check(run.Tasks, s.target.Generation)); err != nil {
		return fmt.Errorf("%w %s of %s: %w", session.ErrUnsupported, s.target.Generation, s.target.Name, err)
	}
	system, name, scheduler, err := prepare(run, s.settings)
	if err != nil {
		return fmt.Errorf("%w: variant %d cannot be simulated: %w", session.ErrUnsupported, run.Variant, err)
	}
	s.entry.StartedVariant()
	s.current.Store(s.class.simulate(run, system, name, scheduler))
	if err := s.usable(); err != nil { // closed meanwhile
		s.halt()
		return err
	}
	return nil
}

// Next returns the next events. A variant that cannot be simulated under its scheduler is ErrUnsupported, and the
// session stays usable.
func (s *simulated) Next(ctx context.Context) ([]session.Event, error) {
	if err := errors.Join(s.usable(), ctx.Err()); err != nil {
		return nil, err
	}
	var out <-chan []session.Event
	current := s.current.Load()
	if current != nil {
		out = current.out
	}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.closed:
			return nil, s.usable()
		case events, more := <-out:
			if more {
				return events, nil
			}
			if current.err != nil {
				return nil, current.err
			}
			out = nil // it is over, and has nothing more to say
		}
	}
}

// Stop ends the simulation: EXIT_EXTERNAL for the jobs that had begun.
func (s *simulated) Stop(context.Context) ([]session.Event, error) {
	return s.halt(), s.usable()
}

func (s *simulated) halt() []session.Event {
	if current := s.current.Swap(nil); current != nil {
		return current.stop()
	}
	return nil
}

// Generation implements session.Session.
func (s *simulated) Generation() string { return s.target.Generation }

// Traffic implements session.Session: nothing is sent anywhere.
func (*simulated) Traffic() (received, sent int64) { return 0, 0 }

// Close implements session.Session. It may be called while another call waits, which ends it.
func (s *simulated) Close() error {
	s.once.Do(func() {
		close(s.closed)
		if current := s.current.Load(); current != nil {
			current.cancel()
			<-current.done
		}
		s.entry.Leave()
	})
	return nil
}

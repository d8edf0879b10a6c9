// Package stdio is the session class of the dry run: it has no target. Each variant that is started is
// printed, as it would be sent to a taskloader, and is over at once: all tasks report that their jobs are done,
// and none of them had any.
//
//	# variant 17 for default/dry, generation 1608b
//	# binary hey: 44372 bytes, sha256 3fa9c1…
//	# description: 278 bytes
//	<taskset>
//	…
//	</taskset>
//
// An admission control document (generation 2017) comes before the description, likewise. Variants of sessions
// that run at the same time are not mixed.
package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Class opens sessions that print.
type Class struct {
	mu  sync.Mutex
	out io.Writer
}

var _ session.Class = (*Class)(nil)

// New makes a class that prints to out, one write for each variant.
func New(out io.Writer) *Class { return &Class{out: out} }

// Available implements session.Class: a dry run is always possible.
func (*Class) Available(context.Context, session.Target) error { return nil }

// Connect implements session.Class. The generation decides what is refused, as it would with a target; with
// Auto that is only what every generation would refuse.
func (c *Class) Connect(ctx context.Context, t session.Target) (session.Session, error) {
	if t.Generation == "" {
		t.Generation = taskset.Auto
	}
	return &dry{class: c, target: t, closed: make(chan struct{})}, ctx.Err()
}

func (c *Class) write(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.out.Write(text)
	return err
}

// dry is a session without a target.
type dry struct {
	class  *Class
	target session.Target
	events []session.Event // that Next returns
	failed error
	sent   atomic.Int64
	once   sync.Once
	closed chan struct{}
}

func (s *dry) usable() error {
	select {
	case <-s.closed:
		return fmt.Errorf("dry run %s: %w", s.target.Name, session.ErrClosed)
	default:
		return s.failed
	}
}

// Start prints a variant. It is refused (ErrUnsupported) as a target would have it.
func (s *dry) Start(ctx context.Context, run session.Run) error {
	if err := errors.Join(s.usable(), ctx.Err()); err != nil {
		return err
	}
	if err := errors.Join(taskset.Check(run.Tasks, s.target.Generation), run.Admission.Check(run.Tasks, s.target.Generation)); err != nil {
		return fmt.Errorf("%w %s of %s: %w", session.ErrUnsupported, s.target.Generation, s.target.Name, err)
	}
	text := Text(s.target, run)
	if err := s.class.write(text); err != nil {
		s.failed = fmt.Errorf("print variant %d: %w: %w", run.Variant, session.ErrLost, err)
		return s.failed
	}
	s.sent.Add(int64(len(text)))
	s.events = nil
	for _, t := range run.Tasks {
		s.events = append(s.events, session.Event{Type: session.EventJobsDone, TaskID: t.ID, Received: clock.RealClock{}.Now()})
	}
	return nil
}

// Next says of each task that its jobs are done.
func (s *dry) Next(ctx context.Context) ([]session.Event, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if events := s.events; len(events) > 0 {
		s.events = nil
		return events, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closed:
		return nil, s.usable()
	}
}

// Stop has nothing to stop; what Next has not told yet is returned.
func (s *dry) Stop(context.Context) ([]session.Event, error) {
	events := s.events
	s.events = nil
	return events, s.usable()
}

// Generation implements session.Session.
func (s *dry) Generation() string { return s.target.Generation }

// Traffic is how many bytes were printed.
func (s *dry) Traffic() (received, sent int64) { return 0, s.sent.Load() }

// Close implements session.Session.
func (s *dry) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// Text is what is printed of a variant.
func Text(t session.Target, run session.Run) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# variant %d for %s, generation %s\n", run.Variant, t.Name, t.Generation)
	a := run.Admission
	if a != nil && t.Generation == taskset.G2017 {
		document(&b, "admission control", taskset.OptimizeDocument(*a))
		a = nil
	}
	for _, pkg := range slices.Sorted(maps.Keys(run.Binaries)) {
		if slices.ContainsFunc(run.Tasks, func(t taskset.Task) bool { return t.Pkg == pkg }) {
			fmt.Fprintf(&b, "# binary %s: %d bytes, sha256 %x\n", pkg, len(run.Binaries[pkg].Content), run.Binaries[pkg].SHA256)
		}
	}
	document(&b, "description", taskset.DescriptionWithGoal(run.Tasks, a))
	return b.Bytes()
}

func document(b *bytes.Buffer, what string, text []byte) {
	fmt.Fprintf(b, "# %s: %d bytes\n%s\n", what, len(text), text)
}

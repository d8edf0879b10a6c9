package taskloader

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Options of the class. The zero value of each field means its default.
type Options struct {
	// Registry of open sessions that connections enter and leave. Default: one of the class's own.
	Registry *session.Registry
	// Clock stamps received events; time-outs always run on the real clock. Default: the real clock.
	Clock clock.PassiveClock
	// DialTimeout is how long a connection may take to open. Default: 3 s.
	DialTimeout time.Duration
	// IOTimeout is how long the peer may take to accept bytes, to answer, and to send the rest of a frame
	// that it has begun. Default: 10 s.
	IOTimeout time.Duration
	// ProbeTimeout is how long a target of generation Auto may take to answer. Default: 300 ms.
	ProbeTimeout time.Duration
	// Quiet ends a drain after so much silence. Default: 300 ms.
	Quiet time.Duration
	// QuietAfterAnswer ends a drain after so much silence once the target has answered a query that was
	// sent after STOP. Default: 50 ms.
	QuietAfterAnswer time.Duration
	// PollInterval is the time between two polls of a target that does not push. Default: 250 ms.
	PollInterval time.Duration
	// MaxFrame is the longest frame in bytes that is accepted. Default: 16 MiB.
	MaxFrame uint32
	// Log gets details (V(4)) of what is skipped, and all bytes that are sent and received (V(6)). Default: none.
	Log logr.Logger
}

// Class opens sessions to taskloaders. It may be used from any number of goroutines.
type Class struct {
	options Options
	memory  memory
}

var _ session.Class = (*Class)(nil)

// New makes the class.
func New(o Options) *Class {
	setDefault(&o.DialTimeout, 3*time.Second)
	setDefault(&o.IOTimeout, 10*time.Second)
	setDefault(&o.ProbeTimeout, 300*time.Millisecond)
	setDefault(&o.Quiet, 300*time.Millisecond)
	setDefault(&o.QuietAfterAnswer, 50*time.Millisecond)
	setDefault(&o.PollInterval, 250*time.Millisecond)
	setDefault(&o.MaxFrame, 16<<20)
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Registry == nil {
		o.Registry = session.NewRegistry(o.Clock)
	}
	return &Class{options: o}
}

func setDefault[T time.Duration | uint32](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Available reports whether the target's port accepts a connection, which it then closes. Taskloaders
// leak a little memory for every connection, so ask sparingly.
func (c *Class) Available(ctx context.Context, t session.Target) error {
	opened, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	return opened.Close()
}

// Connect opens a session; with generation Auto it finds out the generation. Besides the errors of the
// interface it returns ErrUnsupported for a generation that does not exist, and ctx's error.
//
// A target serves one connection at a time: while another client is connected, Connect succeeds, and
// the first Start that has a binary to send times out.
func (c *Class) Connect(ctx context.Context, t session.Target) (session.Session, error) {
	if t.Generation == "" {
		t.Generation = taskset.Auto
	}
	known := []string{taskset.Auto, taskset.G2017, taskset.G1608a, taskset.G1608b, taskset.G1802}
	if !slices.Contains(known, t.Generation) {
		return nil, fmt.Errorf("%w: generation %q of target %s does not exist; use one of %v", session.ErrUnsupported, t.Generation, t.Name, known)
	}
	opened, err := c.dial(ctx, t)
	if err != nil {
		return nil, err
	}
	entry := c.options.Registry.Enter(t.Name, opened.RemoteAddr().String())
	s := &link{
		options:    &c.options,
		memory:     &c.memory,
		target:     t,
		generation: t.Generation,
		held:       map[string][32]byte{},
		uncertain:  true,
		conn: &conn{
			net: opened, entry: entry, timeout: c.options.IOTimeout,
			in: framing.Splitter{Max: c.options.MaxFrame}, chunk: make([]byte, 32<<10),
			log: c.options.Log.WithValues("target", t.Name),
		},
	}
	if t.Generation == taskset.Auto {
		if err := s.probe(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (c *Class) dial(ctx context.Context, t session.Target) (net.Conn, error) {
	dialer := net.Dialer{
		Timeout:         c.options.DialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
	}
	opened, err := dialer.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, dialFailure(ctx, t, err)
	}
	if tcp, isTCP := opened.(*net.TCPConn); isTCP {
		if err := tcp.SetNoDelay(true); err != nil {
			return nil, errors.Join(dialFailure(ctx, t, err), opened.Close())
		}
	}
	return opened, nil
}

// Package session says how a target is talked to: one small interface, a folder per session class
// behind it, and a registry of the sessions that are open.
//
//	Connect ──► Start ──► Events … ──► Stop ──► Start … ──► Close
//	               ▲                      │
//	               └── next variant ◄─────┘
//
// Sessions are long-lived: many variants go through one connection.
package session

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Errors that every class reports for the same things; classes wrap them with what happened.
var (
	// ErrLost: the peer closed the connection (end of file) between or inside messages.
	ErrLost = errors.New("session lost")
	// ErrReset: the connection was reset.
	ErrReset = errors.New("session reset")
	// ErrTimeout: the peer did not answer in time.
	ErrTimeout = errors.New("session timed out")
	// ErrGarbage: the peer sent what the protocol does not know.
	ErrGarbage = errors.New("malformed input from the target")
	// ErrClosed: the session was used after Close. It is net.ErrClosed, too, for errors.Is.
	ErrClosed error = closedError{}
	// ErrUnavailable: the peer refuses the connection or cannot be reached.
	ErrUnavailable = errors.New("target is unavailable")
	// ErrUnsupported: the task-set needs something that this target's generation does not know.
	ErrUnsupported = errors.New("not supported by the target's generation")
)

type closedError struct{}

func (closedError) Error() string        { return "session is closed" }
func (closedError) Is(target error) bool { return target == net.ErrClosed }

// Target is where a session goes.
type Target struct {
	Name       string // TargetSession, for people and for the registry
	Class      string // session class, see Classes
	Address    string // host:port; "" for a class without a peer
	Generation string // "Auto", "2017", "1608a", "1608b" or "1802"
	// Settings of a class that has some, for example simso.Settings; a comparable value. Nil: its defaults.
	Settings any
}

// Binary is a task's binary.
type Binary struct {
	Name    string // the pkg that it serves, 1 to 15 characters
	Content []byte
	SHA256  [32]byte // of Content
}

// Run is one variant, ready to be sent.
type Run struct {
	Variant   uint64 // its number, for people
	Tasks     []taskset.Task
	Binaries  map[string]Binary  // by pkg; every pkg of Tasks is present
	Admission *taskset.Admission // nil: the target is told nothing
	// Seed of what a simulated target draws: the same one gives the same events.
	Seed uint64
	// Duration after which the variant will be stopped, on the target's clock; 0: when its jobs have ended.
	Duration time.Duration
}

// Event types as the target names them; see Ends for which of them end a job.
const (
	EventStart        = "START"
	EventExit         = "EXIT"
	EventExitCritical = "EXIT_CRITICAL"
	EventExitExternal = "EXIT_EXTERNAL"
	EventExitPeriod   = "EXIT_PERIOD"
	EventExitError    = "EXIT_ERROR"
	EventOutOfQuota   = "OUT_OF_QUOTA"
	EventOutOfCaps    = "OUT_OF_CAPS"
	EventNotScheduled = "NOT_SCHEDULED"
	EventJobsDone     = "JOBS_DONE"
	EventExternal     = "EXTERNAL"
	EventUnknown      = "UNKNOWN"
)

// Event is one entry of a target's event log.
type Event struct {
	Type     string // one of the Event constants, or whatever else the target sent
	TaskID   int
	Stamp    int64     // milliseconds of the target's clock, with wrap-around repaired within a session
	Received time.Time // when it arrived here
	// Released is the stamp of the release of the job that starts or ends; nil where the target does not say it.
	// Only simulated targets do.
	Released *int64
}

// Ends reports whether the event ends a job of its task.
func (e Event) Ends() bool {
	switch e.Type {
	case EventStart, EventJobsDone, EventNotScheduled, EventExternal, EventUnknown:
		return false
	}
	return e.known()
}

func (e Event) known() bool {
	switch e.Type {
	case EventStart, EventExit, EventExitCritical, EventExitExternal, EventExitPeriod, EventExitError,
		EventOutOfQuota, EventOutOfCaps, EventNotScheduled, EventJobsDone, EventExternal, EventUnknown:
		return true
	}
	return false
}

// Session is an open connection to one target. It is used by one goroutine at a time, except that
// Close may be called from any. After an error every later call returns that error: the session is
// poisoned and has to be closed.
type Session interface {
	// Start sends a variant and starts it; the events of earlier variants are gone by then. The
	// description is checked against the target's generation first (ErrUnsupported).
	Start(ctx context.Context, run Run) error
	// Next returns the next events of the running variant, at least one. It blocks until there are
	// some, ctx ends (its error; the session stays usable), or the session fails.
	Next(ctx context.Context) ([]Event, error)
	// Stop ends whatever runs and drains what the target still has to say. The events that it drained
	// are returned; they belong to the variant that was stopped.
	Stop(ctx context.Context) ([]Event, error)
	// Generation is the target's generation as declared or detected.
	Generation() string
	// Traffic is how many bytes the session has received and sent so far.
	Traffic() (received, sent int64)
	// Close ends the session; a second call does nothing.
	Close() error
}

// Inspector is what sessions can do whose targets answer questions. A generation that does not know the word
// is not sent it: ErrUnsupported, and the session stays usable. The calls follow the rules of Session; what the
// target says of the running variant meanwhile is kept for Next and Stop.
type Inspector interface {
	Session
	// Live lists the threads of the target's whole system; none when it has nothing to tell.
	Live(ctx context.Context) ([]framing.Thread, error)
	// Profile asks for events that the target has not sent yet and returns what comes, also of tasks that are
	// not the running variant's; none when the log is empty. The stamps wrap as they do on the target.
	Profile(ctx context.Context) ([]framing.Event, error)
	// Reboot tells the target to restart and ends the session: later calls fail with ErrReset. The target
	// confirms nothing; that it answers again, with nothing left of what it knew, has to be seen.
	Reboot(ctx context.Context) error
}

// InspectorOf returns the session as an Inspector, or the one that it wraps and shows by a method
// Unwrap() Session; false when there is none.
func InspectorOf(s Session) (Inspector, bool) {
	for s != nil {
		if i, ok := s.(Inspector); ok {
			return i, true
		}
		wrapper, ok := s.(interface{ Unwrap() Session })
		if !ok {
			return nil, false
		}
		s = wrapper.Unwrap()
	}
	return nil, false
}

// Class opens sessions of one kind.
type Class interface {
	// Available checks whether the target could be connected to, without opening a session.
	Available(ctx context.Context, t Target) error
	// Connect opens a session. Errors: ErrUnavailable, ErrTimeout, ErrReset, ErrGarbage.
	Connect(ctx context.Context, t Target) (Session, error)
}

// With opens a session, runs use with it, and always closes it.
func With(ctx context.Context, c Class, t Target, use func(Session) error) (err error) {
	s, err := c.Connect(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return use(s)
}

package taskloader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// link is a session with one taskloader.
type link struct {
	options    *Options
	memory     *memory
	target     session.Target
	conn       *conn
	generation string
	echoesDue  int // how often AVAILABLE was sent and has not come back
	stamps     framing.Stamps
	held       map[string][32]byte // binaries that this connection has sent, by name
	unproven   []upload            // sent, and the target has not yet shown that it has them whole
	run        *running            // nil: nothing was started, or it is stopped
	// uncertain: jobs from before may still report how CLEAR ended them, because the last drain ended
	// without knowing that all of them had, or they belong to a connection that was lost.
	uncertain bool
	live      *liveView       // of a running variant on a target that does not push
	kept      []session.Event // of the running variant, that came while something else was waited for

	// message is held while the stream is inside a message, so that Close knows when it may say goodbye.
	message sync.Mutex

	mu     sync.Mutex
	failed error // what poisoned the session
	closed bool
	used   bool // a variant was sent
}

var _ session.Inspector = (*link)(nil)

// Generation is the generation as declared or detected.
func (s *link) Generation() string { return s.generation }

// Traffic implements session.Session.
func (s *link) Traffic() (received, sent int64) { return s.conn.entry.Traffic() }

func (s *link) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("target %s: %w", s.target.Name, session.ErrClosed)
	}
	return s.failed
}

// poison keeps the first error for all later calls, and returns err with the target's name.
func (s *link) poison(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("target %s: %w", s.target.Name, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
	return err
}

// Next returns the next events of the running variant; see session.Session.
func (s *link) Next(ctx context.Context) ([]session.Event, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if s.run == nil {
		return nil, errors.New("no variant is running: call Start before Next")
	}
	if kept := s.kept; len(kept) > 0 {
		s.kept = nil
		return kept, nil
	}
	defer s.conn.guard(ctx)()
	for {
		events, err := s.more(ctx)
		if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil, err // between or inside items, but none is lost
		}
		if err != nil {
			return nil, s.poison(err)
		}
		if len(events) > 0 {
			return events, nil
		}
	}
}

// more waits for one frame, or polls for it, and returns its events.
func (s *link) more(ctx context.Context) ([]session.Event, error) {
	wait := forever
	if s.live != nil {
		if err := s.send(ctx, "poll the target", framing.AppendWords(nil, framing.GetLive)); err != nil {
			return nil, err
		}
		events, err := s.answer(ctx)
		if err != nil || len(events) > 0 {
			return events, err
		}
		wait = s.options.PollInterval
	}
	events, _, err := s.receive(ctx, "wait for events", wait)
	if errors.Is(err, errQuiet) {
		return nil, nil
	}
	return events, err
}

// answer waits for the live frame that was asked for.
func (s *link) answer(ctx context.Context) ([]session.Event, error) {
	for {
		events, answered, err := s.receive(ctx, "wait for live data", s.options.IOTimeout)
		if errors.Is(err, errQuiet) {
			return nil, fmt.Errorf("wait for live data: %w: no answer to GET_LIVE in %s", session.ErrTimeout, s.options.IOTimeout)
		}
		if err != nil || answered || len(events) > 0 {
			return events, err
		}
	}
}

// receive waits for one item and returns its events as far as they belong to the running variant;
// answered is true for the answer to a query.
func (s *link) receive(ctx context.Context, doing string, wait time.Duration) (events []session.Event, answered bool, err error) {
	item, err := s.conn.next(ctx, doing, framing.Expect{Echo: s.echoesDue > 0}, wait)
	if err != nil {
		return nil, false, err
	}
	if item.Kind == framing.KindEcho {
		s.echoed()
		s.proven()
		return nil, true, nil
	}
	doc, err := decode(doing, item)
	if err != nil {
		return nil, false, err
	}
	return s.digest(doc), doc.Live, nil
}

// digest returns the events of a document as far as they belong to the running variant.
func (s *link) digest(doc framing.Document) []session.Event {
	if doc.Live && s.live != nil && s.run != nil {
		return s.admit(s.live.observe(doc.Threads, s.run.stopping), false)
	}
	events := s.admit(doc.Events, true)
	if len(events) > 0 {
		s.proven()
	}
	return events
}

func decode(doing string, item framing.Item) (framing.Document, error) {
	doc, err := framing.Decode(item.Body)
	if err != nil {
		return doc, fmt.Errorf("%s: %w: %w", doing, session.ErrGarbage, err)
	}
	return doc, nil
}

// echoed takes note that AVAILABLE came back, perhaps after the probe had given up on it.
func (s *link) echoed() {
	s.echoesDue--
	if s.target.Generation == taskset.Auto {
		s.generation = taskset.G1802
	}
}

// admit turns what came over the wire into events of the running variant.
func (s *link) admit(raw []framing.Event, wraps bool) []session.Event {
	var events []session.Event
	stale := 0
	if s.run != nil {
		stale = s.run.stale(raw)
	}
	for i, r := range raw {
		e := session.Event{Type: r.Type, TaskID: r.TaskID, Stamp: r.Stamp, Received: s.options.Clock.Now()}
		if e.Type == "" {
			e.Type = session.EventUnknown
		}
		if wraps {
			e.Stamp = s.stamps.Repair(r.Stamp)
		}
		if s.run == nil || i < stale || !s.run.admit(e) {
			s.options.Log.V(4).Info("Skipping an event of an earlier variant", "target", s.target.Name, "type", e.Type, "task", e.TaskID)
			continue
		}
		events = append(events, e)
	}
	return slices.Clip(events)
}

// send writes one or more whole messages.
func (s *link) send(ctx context.Context, doing string, p []byte) error {
	s.message.Lock()
	defer s.message.Unlock()
	if err := s.usable(); err != nil { // Close came first, and has said goodbye
		return err
	}
	return s.conn.write(ctx, doing, p)
}

// Close says goodbye to the target, if the stream is not inside a message, and closes the connection.
// It interrupts a call that is under way.
func (s *link) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	healthy := s.failed == nil && s.used
	s.mu.Unlock()
	defer s.conn.entry.Leave()
	if healthy && s.message.TryLock() {
		s.goodbye()
		s.message.Unlock()
	}
	_ = s.conn.net.Close() // there is nobody to tell: what matters was acknowledged by events
	return nil
}

// goodbye stops the tasks, because a taskloader lets those of a lost client run on.
func (s *link) goodbye() {
	words := framing.AppendWords(nil, framing.Stop, framing.Clear)
	if err := s.conn.net.SetWriteDeadline(real.Now().Add(time.Second)); err != nil {
		return
	}
	n, _ := s.conn.net.Write(words) // the connection is given up in any case
	s.conn.entry.Sent(n)
	s.conn.show("Sent", words[:n])
}

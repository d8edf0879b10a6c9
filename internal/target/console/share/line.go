package share

import (
	"context"
	"slices"
	"sync"
)

// Defaults of Options.
const (
	DefaultBacklog = 256 << 10
	DefaultInput   = 4 << 10
)

// chunk is the largest piece of output that a client gets at a time, in bytes.
const chunk = 16 << 10

// Options of a Line; the zero value is usable.
type Options struct {
	// Backlog is how many bytes of output are kept. 0 means DefaultBacklog.
	Backlog int
	// Input is how many bytes are taken from the writer before the guest reads them. 0 means DefaultInput.
	Input int
}

// Line is one serial line. Its methods may be called from any goroutine.
type Line struct {
	name  string
	input int
	typed chan struct{} // holds a token when there may be input

	mu            sync.Mutex
	out           backlog
	in            []byte
	columns, rows uint16
	clients       map[*Client]struct{}
	writer        *Client   // nil: nobody
	waiting       []*Client // for their turn to write, in order
	closed        string    // reason; "" while open
}

// NewLine makes a line that nobody is attached to.
func NewLine(name string, o Options) *Line {
	if o.Backlog <= 0 {
		o.Backlog = DefaultBacklog
	}
	if o.Input <= 0 {
		o.Input = DefaultInput
	}
	return &Line{
		name: name, input: o.Input, typed: make(chan struct{}, 1),
		out: backlog{max: o.Backlog}, clients: map[*Client]struct{}{},
	}
}

// Name is the line's name.
func (l *Line) Name() string { return l.name }

// Write takes output of the guest. It never fails and never blocks.
func (l *Line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.add(p)
	for c := range l.clients {
		c.wake()
	}
	return len(p), nil
}

// Take waits for input for the guest and moves up to len(p) bytes of it to p. The error is that of ctx.
func (l *Line) Take(ctx context.Context, p []byte) (int, error) {
	for {
		if n := l.take(p); n > 0 {
			return n, nil
		}
		select {
		case <-l.typed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (l *Line) take(p []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := copy(p, l.in)
	l.in = slices.Delete(l.in, 0, n)
	if n > 0 && l.writer != nil {
		signal(l.writer.room)
	}
	return n
}

// Restarted says that the guest was started anew: what was typed for the old one is thrown away.
func (l *Line) Restarted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in = l.in[:0]
	if l.writer != nil {
		signal(l.writer.room)
	}
	l.tell(Notice{Event: NoticeRestarted})
}

// Close lets all clients go, and takes no new ones. Output is taken as before. A second call does nothing.
func (l *Line) Close(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != "" {
		return
	}
	l.closed, l.waiting = reason, nil // nobody's turn comes
	for c := range l.clients {
		l.release(c, reason)
	}
}

// tell puts a notice at the end of every connected client's output; l.mu is held.
func (l *Line) tell(n Notice) {
	for c := range l.clients {
		if c.connected {
			c.pending.add(l.out.end, n)
			c.wake()
		}
	}
}

// connect gives a client its place in the output; l.mu is held.
func (l *Line) connect(c *Client) {
	c.connected = true
	c.offset = max(l.out.begin(), l.out.end-min(l.out.end, uint64(c.backlog)))
	c.pending = nil
	c.pending.add(c.offset, Notice{
		Event: NoticeConnected, Line: l.name, Access: c.access, Replayed: l.out.end - c.offset, Skipped: c.offset,
		Columns: l.columns, Rows: l.rows,
	})
	c.wake()
}

// seat makes a client the writer; l.mu is held.
func (l *Line) seat(c *Client) {
	l.writer, c.waits = c, false
	l.connect(c)
	signal(c.room)
}

// release takes a client out and gives its seat to the next one; l.mu is held. A client that was let go for
// a reason may still read what came before.
func (l *Line) release(c *Client, reason string) {
	if _, attached := l.clients[c]; !attached {
		return
	}
	delete(l.clients, c)
	c.gone = true
	if reason != "" {
		c.last = c.offset // of a client that only waited
		if c.connected {
			c.last = l.out.end
		}
		c.pending.add(c.last, Notice{Event: NoticeClosed, Reason: reason})
	}
	c.wake()
	signal(c.room)
	l.waiting = slices.DeleteFunc(l.waiting, func(w *Client) bool { return w == c })
	if l.writer != c {
		return
	}
	l.writer = nil
	if len(l.waiting) > 0 {
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.seat(next)
	}
}

// signal puts a token into a channel that holds one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

package share

import "context"

// Request says how a client wants to be attached.
type Request struct {
	Who    string // for others to see
	Access Access
	// NoWait makes Attach fail with ErrBusy instead of waiting for the turn to write.
	NoWait bool
	// Backlog is how many bytes of earlier output are wanted; negative: all that are kept.
	Backlog int
}

// Client is somebody who is attached to a Line. Next is called by one goroutine at a time, the other methods
// by any.
type Client struct {
	line    *Line
	who     string
	backlog uint64
	news    chan struct{} // holds a token when Next may have something
	room    chan struct{} // holds a token when Write may go on

	// What follows is guarded by line.mu.
	access    Access
	connected bool
	waits     bool // for the turn to write
	gone      bool
	offset    uint64 // of the next byte of output
	last      uint64 // of a client that was let go: where its output ends
	pending   notices
}

// Attach attaches a client; Detach must follow. It never waits: a client whose turn has not come is attached,
// and is told.
func (l *Line) Attach(r Request) (*Client, error) {
	c := &Client{
		line: l, who: r.Who, access: r.Access, backlog: uint64(max(r.Backlog, 0)),
		news: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	if r.Backlog < 0 {
		c.backlog = uint64(l.out.max)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed != "":
		return nil, ErrDetached
	case r.Access.rank() < Write.rank():
		c.access = Read
		l.connect(c)
	case l.writer == nil:
		l.seat(c)
	case r.Access == Steal:
		old := l.writer
		old.access = Read
		old.pending.add(l.out.end, Notice{Event: NoticeWriterLost, By: c.who})
		old.wake()
		signal(old.room)
		l.seat(c)
	case r.NoWait:
		return nil, ErrBusy
	default:
		c.waits = true
		c.pending.add(0, Notice{Event: NoticeWaiting, By: l.writer.who})
		l.waiting = append(l.waiting, c)
	}
	l.clients[c] = struct{}{}
	return c, nil
}

// Detach ends the attachment; calls that wait end. A second call does nothing.
func (c *Client) Detach() {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	c.line.release(c, "")
}

// Next waits for the next piece of output or the next notice, whichever comes first in the order of time;
// data is nil exactly when it is a notice. The error is ErrDetached or that of ctx.
func (c *Client) Next(ctx context.Context) (data []byte, notice Notice, err error) {
	for {
		if data, notice, err := c.next(); data != nil || notice.Event != "" || err != nil {
			return data, notice, err
		}
		select {
		case <-c.news:
		case <-ctx.Done():
			return nil, Notice{}, ctx.Err()
		}
	}
}

// next is Next without the waiting.
func (c *Client) next() (data []byte, notice Notice, err error) {
	l := c.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, due := c.pending.pop(c.offset); due {
		return nil, n, nil
	}
	end := l.out.end
	if c.gone {
		end = c.last
	}
	if c.connected && c.offset < min(end, l.out.begin()) {
		skipped := min(end, l.out.begin()) - c.offset
		c.offset += skipped
		return nil, Notice{Event: NoticeSkipped, Skipped: skipped}, nil
	}
	if to := c.pending.until(end); c.connected && c.offset < to {
		data = l.out.from(c.offset, int(min(chunk, to-c.offset)))
		c.offset += uint64(len(data))
		return data, Notice{}, nil
	}
	if c.gone {
		return nil, Notice{}, ErrDetached
	}
	return nil, Notice{}, nil
}

// Write gives input to the guest. It waits for the turn and for room, and returns how many bytes were taken:
// fewer than all with ErrReadOnly, ErrDetached, or the error of ctx.
func (c *Client) Write(ctx context.Context, p []byte) (int, error) {
	taken := 0
	for {
		n, err := c.put(p[taken:])
		taken += n
		if err != nil || taken == len(p) {
			return taken, err
		}
		select {
		case <-c.room:
		case <-ctx.Done():
			return taken, ctx.Err()
		}
	}
}

func (c *Client) put(p []byte) (int, error) {
	l := c.line
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.gone:
		return 0, ErrDetached
	case c.waits:
		return 0, nil
	case l.writer != c:
		return 0, ErrReadOnly
	}
	n := min(len(p), l.input-len(l.in))
	l.in = append(l.in, p[:n]...)
	if n > 0 {
		signal(l.typed)
	}
	return n, nil
}

// Resize says how large the writer's terminal is; of others it is ignored. A serial line cannot tell the
// guest, so the other clients are told, and it is kept for those who come later.
func (c *Client) Resize(columns, rows uint16) {
	l := c.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writer != c || l.columns == columns && l.rows == rows {
		return
	}
	l.columns, l.rows = columns, rows
	l.tell(Notice{Event: NoticeSize, Columns: columns, Rows: rows})
}

func (c *Client) wake() { signal(c.news) }

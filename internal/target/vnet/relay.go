package vnet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// copyBuffer is the size of a relay's buffer, one per direction, in bytes.
const copyBuffer = 32 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// relay is one forwarded connection, from the moment it was accepted.
type relay struct {
	client net.Conn
	cancel context.CancelFunc // of the dial

	mu       sync.Mutex
	guest    *guestConn // nil while the guest has not accepted
	wasCut   bool
	halfDone time.Time // when the client ended its direction; zero: not yet
}

// run copies in both directions until both have ended. What ends one side ends the other in the same way: the end
// of a stream is passed on as such, and everything else as a reset.
func (r *relay) run() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.pump(r.client, r.guest)
	}()
	if r.pump(r.guest, r.client) {
		r.mu.Lock()
		r.halfDone = time.Now()
		r.mu.Unlock()
	}
	<-done
	r.finish()
}

// pump copies from src to dst and passes the end of the stream on; true says that it came to it.
func (r *relay) pump(dst, src net.Conn) bool {
	b := copyBuffers.Get().(*[copyBuffer]byte) // the pool's only type
	defer copyBuffers.Put(b)
	// The plain interfaces: a TCPConn's own ReadFrom would allocate a buffer each time.
	_, err := io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, b[:])
	if err == nil {
		err = closeWrite(dst)
	}
	if err != nil {
		r.cut()
		return false
	}
	return true
}

// adopt takes the guest's side; false says that the relay was cut meanwhile, and the connection is reset.
func (r *relay) adopt(c *guestConn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wasCut {
		c.abort()
		return false
	}
	r.guest = c
	return true
}

// cut resets both sides. It may be called at any time, and more than once.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wasCut {
		return
	}
	r.wasCut = true
	r.cancel()
	reset(r.client)
	if r.guest != nil {
		r.guest.abort()
	}
}

// finish closes both sides after both streams have ended.
func (r *relay) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wasCut {
		return
	}
	r.wasCut = true // nothing is left to cut
	r.cancel()
	_ = r.client.Close()
	_ = r.guest.Close()
}

// reset closes a connection so that the peer sees a reset, where the transport knows one.
func reset(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = t.SetLinger(0) // fails only on a closed connection
	}
	_ = c.Close()
}

// closeWrite passes on the end of a stream. A transport without half-close cannot be told, and ends as a whole.
func closeWrite(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// relayRegistry knows the forwarded connections and bounds their number.
type relayRegistry struct {
	limit int

	mu     sync.Mutex
	open   map[*relay]struct{}
	closed bool
}

// add enters a relay. At the limit it cuts the one whose client ended its direction the longest time ago and
// waits for a guest that does not end its own; false says that there is none, or that the network is closed.
func (g *relayRegistry) add(r *relay) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	if g.open == nil {
		g.open = map[*relay]struct{}{}
	}
	if len(g.open) >= g.limit {
		oldest := g.longestHalfDoneLocked()
		if oldest == nil {
			return false
		}
		delete(g.open, oldest)
		oldest.cut()
	}
	g.open[r] = struct{}{}
	return true
}

func (g *relayRegistry) longestHalfDoneLocked() *relay {
	var oldest *relay
	var since time.Time
	for r := range g.open {
		r.mu.Lock()
		at := r.halfDone
		r.mu.Unlock()
		if !at.IsZero() && (oldest == nil || at.Before(since)) {
			oldest, since = r, at
		}
	}
	return oldest
}

func (g *relayRegistry) remove(r *relay) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, r)
}

func (g *relayRegistry) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}

// cut resets every connection.
func (g *relayRegistry) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for r := range g.open {
		r.cut()
	}
}

// close resets every connection and lets no more in.
func (g *relayRegistry) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cut()
}

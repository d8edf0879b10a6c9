package faketarget

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/gate"
)

// outbox is what waits to be sent on one connection. Nobody waits for it; a nil outbox loses everything.
type outbox struct {
	burst int

	mu     sync.Mutex
	ready  [][]byte // each is one write
	frames [][]byte // of a burst that is not complete
	more   chan struct{}
}

func newOutbox(burst int) *outbox { return &outbox{burst: burst, more: make(chan struct{}, 1)} }

// profile queues a profile frame, in a burst if there is one.
func (o *outbox) profile(message []byte) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.frames = append(o.frames, message)
	if len(o.frames) >= o.burst {
		o.flush()
	}
}

// put queues anything else, behind the frames.
func (o *outbox) put(message []byte) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.ready = append(o.ready, message)
	o.wake()
}

// finish closes the connection in order, behind everything that is queued; nothing may follow.
func (o *outbox) finish() {
	if o != nil {
		o.put(nil)
	}
}

func (o *outbox) flush() {
	if len(o.frames) > 0 {
		o.ready = append(o.ready, slices.Concat(o.frames...))
		o.frames = nil
		o.wake()
	}
}

func (o *outbox) wake() {
	select {
	case o.more <- struct{}{}:
	default:
	}
}

func (o *outbox) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.ready
	o.ready = nil
	return taken
}

// pieces says how writes are cut up.
type pieces struct {
	size  int
	pause time.Duration
	clock clock.Clock
}

// write sends what is queued until ctx ends or the socket fails; it passes the gate before each piece.
func (o *outbox) write(ctx context.Context, conn connection, g *gate.Gate, p pieces) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.more:
		}
		for _, message := range o.take() {
			if !p.write(ctx, conn, g, message) {
				return
			}
		}
	}
}

func (p pieces) write(ctx context.Context, conn connection, g *gate.Gate, message []byte) bool {
	if message == nil {
		return g.Pass(ctx) == nil && conn.CloseWrite() == nil
	}
	size := p.size
	if size <= 0 {
		size = len(message)
	}
	for piece := range slices.Chunk(message, max(size, 1)) {
		if g.Pass(ctx) != nil {
			return false
		}
		if _, err := conn.Write(piece); err != nil {
			return false
		}
		if !pause(ctx, p.clock, p.pause) {
			return false
		}
	}
	return true
}

// pause waits for d and reports whether ctx still lives.
func pause(ctx context.Context, c clock.Clock, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C():
		return true
	}
}

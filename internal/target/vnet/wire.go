package vnet

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// What is kept for a QEMU that does not read, in bytes; more is dropped, as a NIC would. The backlog holds the
	// windows of several connections, so that a busy guest does not cost retransmissions.
	maxBacklog = 1 << 20
	maxUrgent  = 4 << 10
	// chunkSize is what is written at once, in bytes, and with socketBuffer the most that an echo waits for.
	chunkSize    = 16 << 10
	socketBuffer = 64 << 10
	// idleBacklog is the memory that is kept, in bytes, when the backlog is empty.
	idleBacklog = 64 << 10
)

// wire writes frames to one connection and never waits: what the socket does not take at once is written
// later by run, and what exceeds the backlog is dropped. A QEMU that stopped reading must not hold up
// echoes or the TCP stack, and a transfer of many megabytes must not let the guest look frozen: echoes
// overtake what waits.
type wire struct {
	conn net.Conn
	raw  syscall.RawConn // nil when conn has no descriptor: then run writes everything
	wake chan struct{}

	mu      sync.Mutex
	busy    bool   // run owns the connection, frames have to wait
	rest    []byte // waits first: what the socket did not take of the last write
	urgent  []byte // frames that wait, before all others
	backlog []byte // frames that wait
	taken   int    // bytes of backlog that are gone already
	scratch []byte // frames that are being put together
	dropped uint64
}

func newWire(conn net.Conn) *wire {
	w := &wire{conn: conn, wake: make(chan struct{}, 1)}
	if b, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = b.SetWriteBuffer(socketBuffer) // only makes echoes slower when it fails
	}
	if sc, ok := conn.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			w.raw = raw
		}
	}
	return w
}

// send writes one frame, given in parts. It is dropped when QEMU is too far behind.
func (w *wire) send(parts ...[]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scratch = appendFrame(w.scratch[:0], parts...)
	if w.busy {
		w.backlog = w.keepLocked(w.backlog, w.taken, maxBacklog)
		return
	}
	w.writeLocked()
}

// sendUrgent writes one frame before all that waits. The time is right before the frame went to the socket.
func (w *wire) sendUrgent(frame []byte) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scratch = appendFrame(w.scratch[:0], frame)
	now := time.Now()
	if w.busy {
		w.urgent = w.keepLocked(w.urgent, 0, maxUrgent)
		return now
	}
	w.writeLocked()
	return now
}

// keepLocked appends scratch to a queue of which taken bytes are gone, unless that is full.
func (w *wire) keepLocked(queue []byte, taken, limit int) []byte {
	if len(queue)-taken+len(w.scratch) > limit {
		w.dropped++
		return queue
	}
	return append(queue, w.scratch...)
}

// writeLocked writes scratch; what the socket does not take is left to run.
func (w *wire) writeLocked() {
	n, err := w.tryWrite(w.scratch)
	if err != nil {
		w.dropped++
		_ = w.conn.Close() // the reader notices and ends the connection
		return
	}
	if n < len(w.scratch) {
		w.rest = append(w.rest[:0], w.scratch[n:]...)
		w.busy = true
		w.wake <- struct{}{} // never waits: not busy means that run has taken the token before
	}
}

// tryWrite writes what the socket takes without waiting.
func (w *wire) tryWrite(b []byte) (n int, err error) {
	if w.raw == nil {
		return 0, nil
	}
	var werr error
	err = w.raw.Write(func(fd uintptr) bool {
		for {
			n, werr = syscall.Write(int(fd), b)
			if !errors.Is(werr, syscall.EINTR) {
				return true
			}
		}
	})
	if err == nil && werr != nil && !errors.Is(werr, syscall.EAGAIN) {
		err = werr
	}
	return max(n, 0), err
}

// run writes what waits until ctx ends or the connection breaks. Closing the connection ends a write that
// waits.
func (w *wire) run(ctx context.Context) {
	chunk := make([]byte, 0, chunkSize)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		for chunk = w.take(chunk); len(chunk) > 0; chunk = w.take(chunk) {
			if _, err := w.conn.Write(chunk); err != nil {
				_ = w.conn.Close()
				return // stays busy: what comes now is dropped
			}
		}
	}
}

// take moves whole frames that wait to b, or nothing when all is written and the connection is given back
// to send.
func (w *wire) take(b []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	b = append(append(b[:0], w.rest...), w.urgent...)
	w.rest, w.urgent = w.rest[:0], w.urgent[:0]
	for w.taken < len(w.backlog) && len(b) < chunkSize {
		next := w.taken + prefixSize + int(binary.BigEndian.Uint32(w.backlog[w.taken:]))
		b = append(b, w.backlog[w.taken:next]...)
		w.taken = next
	}
	w.tidyLocked()
	w.busy = len(b) > 0
	return b
}

// tidyLocked gives the room of what was taken back.
func (w *wire) tidyLocked() {
	switch {
	case w.taken == len(w.backlog) && cap(w.backlog) > idleBacklog:
		w.backlog, w.taken = nil, 0
	case w.taken > len(w.backlog)/2:
		w.backlog, w.taken = w.backlog[:copy(w.backlog, w.backlog[w.taken:])], 0
	}
}

// drops is the number of frames that were dropped so far.
func (w *wire) drops() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

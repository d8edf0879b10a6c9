package vnet

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// maxBacklog bounds what is kept, in bytes, for a QEMU that does not read. More is dropped, as a NIC would.
const maxBacklog = 64 << 10

// wire writes frames to one connection and never waits: what the socket does not take at once is written
// later by run, and what exceeds the backlog is dropped. A QEMU that stopped reading must not hold up
// echoes or the TCP stack.
type wire struct {
	conn net.Conn
	raw  syscall.RawConn // nil when conn has no descriptor: then run writes everything
	wake chan struct{}

	mu      sync.Mutex
	busy    bool   // run owns the connection, frames go to the backlog
	backlog []byte // waits for run
	spare   []byte // the backlog's other buffer
	scratch []byte // frames that are being put together
	dropped uint64
}

func newWire(conn net.Conn) *wire {
	w := &wire{conn: conn, wake: make(chan struct{}, 1)}
	if sc, ok := conn.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			w.raw = raw
		}
	}
	return w
}

// send writes one frame, given in parts. The time is right before the frame went to the socket; false
// says that the frame was dropped.
func (w *wire) send(parts ...[]byte) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scratch = appendFrame(w.scratch[:0], parts...)
	return w.writeLocked()
}

// sendAll writes several frames at once; it returns the number that was not dropped.
func (w *wire) sendAll(frames [][][]byte) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := 0
	for len(frames) > 0 {
		w.scratch = w.scratch[:0]
		n := 0
		for n < len(frames) && (n == 0 || len(w.scratch) < maxBacklog/4) {
			w.scratch = appendFrame(w.scratch, frames[n]...)
			n++
		}
		frames = frames[n:]
		if _, ok := w.writeLocked(); ok {
			sent += n
		}
	}
	return sent
}

// writeLocked writes scratch, or keeps it, or drops it.
func (w *wire) writeLocked() (time.Time, bool) {
	now := time.Now()
	if w.busy {
		if len(w.backlog)+len(w.scratch) > maxBacklog {
			w.dropped++
			return now, false
		}
		w.backlog = append(w.backlog, w.scratch...)
		return now, true
	}
	n, err := w.tryWrite(w.scratch)
	if err != nil {
		w.dropped++
		_ = w.conn.Close() // the reader notices and ends the connection
		return now, false
	}
	if n < len(w.scratch) {
		w.backlog = append(w.backlog[:0], w.scratch[n:]...)
		w.busy = true
		w.wake <- struct{}{} // never waits: not busy means that run has taken the token before
	}
	return now, true
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

// run writes the backlog until ctx ends or the connection breaks. Closing the connection ends a write
// that waits.
func (w *wire) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		for b := w.take(); b != nil; b = w.take() {
			if _, err := w.conn.Write(b); err != nil {
				_ = w.conn.Close()
				return // stays busy: what comes now is dropped
			}
		}
	}
}

// take is the backlog, or nil when all is written and the connection is given back to send.
func (w *wire) take() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.backlog) == 0 {
		w.busy = false
		return nil
	}
	b := w.backlog
	w.backlog, w.spare = w.spare[:0], b
	return b
}

// drops is the number of writes that were dropped so far.
func (w *wire) drops() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

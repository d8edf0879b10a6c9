package vnet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
)

// pipe is a wire and the end that QEMU has. net.Pipe holds nothing: run writes everything, when it is read.
func pipe(t *testing.T) (*wire, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	w := newWire(ours)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		_, _ = ours.Close(), theirs.Close()
		<-ended
	})
	return w, theirs
}

func numbered(n uint32, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, n)
	return b
}

func TestUrgentFramesOvertakeAndTheOthersKeepTheirOrder(t *testing.T) {
	w, qemu := pipe(t)
	const count, urgent = 200, 1 << 20
	for i := range uint32(count) {
		w.send(numbered(i, 700)[:100], make([]byte, 600)) // in two parts
	}
	w.sendUrgent(numbered(urgent, 60))
	frames := newFrameReader(qemu, 1500)
	next, urgentAt := uint32(0), -1
	for i := range count + 1 {
		frame, err := frames.next()
		if err != nil {
			t.Fatal(err)
		}
		if n := binary.BigEndian.Uint32(frame); n == urgent {
			urgentAt = i
		} else if n != next || len(frame) != 700 {
			t.Fatalf("frame %d of %d bytes, want frame %d of 700", n, len(frame), next)
		} else {
			next++
		}
	}
	if most := 2 * chunkSize / 700; urgentAt < 0 || urgentAt > most {
		t.Errorf("the urgent frame came after %d others, want at most %d", urgentAt, most)
	}
}

func TestBacklogIsBoundedAndDropsWholeFrames(t *testing.T) {
	w, qemu := pipe(t)
	const size, count = 1500, 2 * maxBacklog / 1500
	for i := range uint32(count) {
		w.send(numbered(i, size))
	}
	dropped := int(w.drops())
	if kept := (count - dropped) * size; dropped == 0 || kept < maxBacklog/2 {
		t.Fatalf("%d of %d frames dropped, want some, and a full backlog kept", dropped, count)
	}
	frames := newFrameReader(qemu, 1500)
	for i := range count - dropped {
		if frame, err := frames.next(); err != nil || binary.BigEndian.Uint32(frame) != uint32(i) {
			t.Fatalf("frame %d: %v, %v, want the first ones in order", i, frame[:4], err)
		}
	}
	within(t, "the memory is given back", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.busy && cap(w.backlog) <= idleBacklog
	})
}

func TestWireOfAClosedConnectionDrops(t *testing.T) {
	w, qemu := pipe(t)
	_ = qemu.Close()
	for range 10 {
		w.send(numbered(1, 60))
	}
	if _, err := w.conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read = %v, want the end", err)
	}
}

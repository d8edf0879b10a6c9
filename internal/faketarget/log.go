package faketarget

import (
	"context"
	"slices"
	"time"
)

// Kinds of Records beside the names of messages (CLEAR, SEND_DESCS, SEND_BINARIES, BINARY, START, STOP,
// OPTIMIZE, GET_PROFILE, GET_LIVE, REBOOT, AVAILABLE).
const (
	Opened   = "OPENED"   // a connection is served from now on
	Ended    = "ENDED"    // it is no longer
	Unknown  = "UNKNOWN"  // a word that this generation does not know
	Truncate = "TRUNCATE" // the connection ended inside a message
	Hung     = "HUNG"     // it hangs until Thaw
	Died     = "DIED"     // the target has crashed, silently
)

// Record is one thing that the target heard or that happened to it.
type Record struct {
	Time       time.Time
	Connection int    // counts from 1
	What       string // name of a message, or one of the constants
	Word       uint32 // of a message
	Text       string // document of SEND_DESCS and OPTIMIZE; reason of DIED
	Tasks      []Task // of SEND_DESCS
	Count      int    // of SEND_BINARIES
	Name       string // of BINARY
	Size       int    // of BINARY
	SHA256     [32]byte
}

// Event is an entry of the target's event log, whether or not a client heard of it.
type Event struct {
	Type  string
	ID    uint32
	Stamp uint32 // milliseconds, wrapped
	Start int    // number of START messages before it
}

// Log is everything that the target has heard so far; nothing on a quiet one.
func (t *Target) Log() []Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.records)
}

// Events is the target's whole event log; nothing on a quiet one.
func (t *Target) Events() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.history)
}

// Received is every byte that came, over all connections; nothing on a quiet one.
func (t *Target) Received() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.received)
}

// Count is the number of records of that kind.
func (t *Target) Count(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[what]
}

// Await waits until something of that kind has happened n times since the target exists, or ctx ends.
func (t *Target) Await(ctx context.Context, what string, n int) error {
	for {
		t.mu.Lock()
		there := t.counts[what] >= n
		if !there && t.changed == nil {
			t.changed = make(chan struct{})
		}
		changed := t.changed
		t.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// note adds a record. The caller holds t.mu.
func (t *Target) note(r Record) {
	t.counts[r.What]++
	if !t.opts.Quiet {
		r.Time, r.Connection = t.opts.Clock.Now(), t.connections
		t.records = append(t.records, r)
	}
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

func binaryRecord(name string, b code) Record {
	return Record{What: "BINARY", Name: name, Size: len(b.content), SHA256: b.sum}
}

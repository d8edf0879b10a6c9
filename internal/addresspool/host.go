package addresspool

import (
	"net/netip"
	"time"
)

// State is what a Scanner knows of an address.
type State string

// States.
const (
	Answers State = "Answers" // its last check succeeded
	Silent  State = "Silent"  // it has answered before, and does not now
	InUse   State = "InUse"   // it was reported to serve somebody else; it is left alone for a while
)

// Host is an address that is remembered: it has answered, or was reported to be in use.
type Host struct {
	Addr  netip.Addr
	State State
	Since time.Time // of the state
	Error string    // of the last check, or why it is InUse; empty while it answers
	Next  time.Time // of the next check
}

// host is a Host and how far its back-off has come. Its methods are pure.
type host struct {
	Host
	failed  int       // checks in a row
	taken   int       // reports in a row that it is in use
	takenAt time.Time // the last of them
	news    int64     // counts what has become known: the result of a check that began before is old
}

// pauses of a Scanner; see ScannerOptions.
type pauses struct {
	recheck, silentFirst, silentLongest, takenFirst, takenLongest time.Duration
}

// back is a pause that doubles from first to longest; n counts from 1.
func back(first, longest time.Duration, n int) time.Duration {
	return min(first<<min(n-1, 20), longest)
}

// turn changes the state and returns whether it is another one.
func (h *host) turn(to State, why string, now time.Time) bool {
	h.news++
	h.Error = why
	if h.State == to {
		return false
	}
	h.State, h.Since = to, now
	return true
}

// checked takes the end of a check. It returns whether the state is another one, and the pause to the next.
func (h *host) checked(err error, now time.Time, p pauses) (changed bool, pause time.Duration) {
	if err == nil {
		h.failed = 0
		return h.turn(Answers, "", now), p.recheck
	}
	h.failed++
	return h.turn(Silent, err.Error(), now), back(p.silentFirst, p.silentLongest, h.failed)
}

// inUse takes a report that it serves somebody else, likewise. One that comes long after the one before is a
// first one again.
func (h *host) inUse(now time.Time, p pauses) (changed bool, pause time.Duration) {
	if now.Sub(h.takenAt) > 2*p.takenLongest {
		h.taken = 0
	}
	h.taken++
	h.takenAt = now
	return h.turn(InUse, "it accepts connections and says nothing: it serves another client", now), back(p.takenFirst, p.takenLongest, h.taken)
}

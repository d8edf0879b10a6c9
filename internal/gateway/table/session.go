package table

import (
	"net/netip"
	"time"
)

// Protocols, by their IANA numbers.
const (
	TCP uint8 = 6
	UDP uint8 = 17
)

// Action is what is done with the packets of a session. The numbers are those of the API.
type Action uint8

// Actions.
const (
	Drop    Action = 0 // throw away
	Forward Action = 1 // hand on without asking the application
	Mirror  Action = 2 // as Forward, with a copy to the next hop
	Snoop   Action = 3 // to the application as ever, with a copy to the next hop
)

// State is how far a session is. The numbers are those of the API.
type State uint8

// States.
const (
	Established  State = 0
	Closing1     State = 1 // one side has sent its FIN
	Closing2     State = 2 // both have
	Closed       State = 3
	UnknownState State = 4 // closed, but nobody saw how
)

// CloseCode is how a session ended. The numbers are those of the API.
type CloseCode uint8

// Close codes.
const (
	NotClosed   CloseCode = 0
	FinAck      CloseCode = 1
	Reset       CloseCode = 2
	Timeout     CloseCode = 3
	UnknownCode CloseCode = 4
)

// Tuple is what makes a packet belong to a session, as seen on the first one: from who begins to who answers.
// Packets the other way belong to it, too.
type Tuple struct {
	InLif, OutLif       string // logical interfaces; a number as its digits
	Protocol            uint8  // TCP or UDP
	Source, Destination netip.AddrPort
}

// Spec is what is asked for.
type Spec struct {
	ID      uint64
	Tuple   Tuple
	Action  Action
	NextHop netip.Addr // where copies go; only Mirror and Snoop look at it
	// IdleTimeout is the silence after which the session is closed. 0 means the table's default.
	IdleTimeout time.Duration
}

// Counters count one direction.
type Counters struct {
	Packets, Bytes uint64
}

// Session is a session as the table knows it.
type Session struct {
	Spec
	State   State
	Code    CloseCode
	In, Out Counters  // In: from who began
	Start   time.Time // when it was added, or its first packet was seen
	Last    time.Time // its newest packet; zero: none yet
	End     time.Time // zero while it is open
}

// idleAt is when the session will have been silent for too long.
func (s *Session) idleAt() time.Time {
	if s.Last.After(s.Start) {
		return s.Last.Add(s.IdleTimeout)
	}
	return s.Start.Add(s.IdleTimeout)
}

// Report is news of one session from whoever handles its packets.
type Report struct {
	ID      uint64
	In, Out Counters  // since the beginning
	Start   time.Time // of its first packet, if that is known
	Last    time.Time // of its newest packet; zero: none
	State   State     // never goes back
	Code    CloseCode // with Closed and UnknownState
	End     time.Time // with Closed; zero: now
}

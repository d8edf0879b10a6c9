package table

import (
	"errors"
	"fmt"
	"net/netip"
)

// Why a session is not taken, or not found.
var (
	// ErrInvalid is a session that makes no sense; asking again is no use.
	ErrInvalid = errors.New("the session cannot be taken")
	// ErrFull is a table with no place left.
	ErrFull = errors.New("the session table is full")
	// ErrUnknown is an id that the table does not have.
	ErrUnknown = errors.New("no such session")
)

// DuplicateError is a session that is in the table already.
type DuplicateError struct {
	Existing uint64 // id of the one that is there
	Tuple    bool   // it has the same tuple; else the same id
}

func (e *DuplicateError) Error() string {
	what := "id"
	if e.Tuple {
		what = "tuple"
	}
	return fmt.Sprintf("session %d has the same %s: delete it first", e.Existing, what)
}

// maxLif is the longest name of a logical interface, in bytes: what is stored for each session is bounded.
const maxLif = 64

// Validate says what is wrong with a session. Its error is an ErrInvalid that names the field.
func (s *Spec) Validate() error {
	if err := s.Tuple.validate(); err != nil {
		return err
	}
	switch {
	case s.Action > Snoop:
		return fmt.Errorf("%w: actionType %d: give 0 (drop), 1 (forward), 2 (mirror) or 3 (snoop)", ErrInvalid, s.Action)
	case s.Action.Copies() && (!s.NextHop.IsValid() || s.NextHop.IsUnspecified()):
		return fmt.Errorf("%w: actionNextHop: mirror and snoop need to know where the copies go", ErrInvalid)
	case s.IdleTimeout < 0:
		return fmt.Errorf("%w: cacheTimeout %s: it cannot be negative", ErrInvalid, s.IdleTimeout)
	}
	return nil
}

func (t *Tuple) validate() error {
	switch {
	case t.Protocol != TCP && t.Protocol != UDP:
		return fmt.Errorf("%w: protocolId %d: give 6 (TCP) or 17 (UDP)", ErrInvalid, t.Protocol)
	case !plain(t.Source.Addr()):
		return fmt.Errorf("%w: sourceIp: give an address of 4 or 16 bytes that fits ipVersion", ErrInvalid)
	case !plain(t.Destination.Addr()):
		return fmt.Errorf("%w: destinationIp: give an address of 4 or 16 bytes that fits ipVersion", ErrInvalid)
	case t.Source.Addr().Is4() != t.Destination.Addr().Is4():
		return fmt.Errorf("%w: sourceIp %s and destinationIp %s: both have to be IPv4, or both IPv6", ErrInvalid, t.Source.Addr(), t.Destination.Addr())
	case len(t.InLif) > maxLif || len(t.OutLif) > maxLif:
		return fmt.Errorf("%w: inLif and outLif: names of interfaces have at most %d bytes", ErrInvalid, maxLif)
	}
	return nil
}

// Copies is true of actions that send copies to a next hop.
func (a Action) Copies() bool { return a == Mirror || a == Snoop }

// plain is an address of a packet: one with a zone never comes over the wire.
func plain(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" }

package table

import (
	"errors"
	"fmt"
	"time"
)

// Defaults of Options.
const (
	DefaultCapacity       = 100_000
	DefaultIdleTimeout    = time.Hour
	DefaultMaxIdleTimeout = 24 * time.Hour
	DefaultUnreported     = 1 << 16
)

// firstOwnID is where ids begin that the table gives itself, for clients that bring none.
const firstOwnID = 1 << 63

// Options of a Table; the zero value is usable.
type Options struct {
	Capacity       int           // open sessions; 0 means DefaultCapacity
	SameTuple      bool          // take several sessions with one tuple, as long as their ids differ
	IdleTimeout    time.Duration // of sessions that ask for none; 0 means DefaultIdleTimeout
	MaxIdleTimeout time.Duration // longer ones are shortened to it; 0 means DefaultMaxIdleTimeout
	Unreported     int           // closed sessions that wait to be reported; 0 means DefaultUnreported
}

// Table is the table. New makes one.
type Table struct {
	o      Options
	open   map[uint64]*Session
	tuples map[key]uint64 // empty with SameTuple
	rows   rows
	closed queue
	lastID uint64
}

// New makes an empty table.
func New(o Options) *Table {
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	if o.MaxIdleTimeout <= 0 {
		o.MaxIdleTimeout = DefaultMaxIdleTimeout
	}
	if o.Unreported <= 0 {
		o.Unreported = DefaultUnreported
	}
	return &Table{
		o: o, open: map[uint64]*Session{}, tuples: map[key]uint64{}, lastID: firstOwnID,
		closed: queue{max: o.Unreported, newest: map[uint64]*Session{}},
	}
}

// Options are the table's, with defaults filled in.
func (t *Table) Options() Options { return t.o }

// Len is the number of open sessions.
func (t *Table) Len() int { return len(t.open) }

// FreeID is an id that no session has, from a range that clients do not use.
func (t *Table) FreeID() uint64 {
	for {
		t.lastID++
		if t.lastID < firstOwnID { // wrapped around
			t.lastID = firstOwnID
		}
		if _, taken := t.open[t.lastID]; !taken && t.closed.newest[t.lastID] == nil {
			return t.lastID
		}
	}
}

// Add takes a session into the table. The error is ErrInvalid, ErrFull or a DuplicateError.
func (t *Table) Add(now time.Time, s Spec) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if _, taken := t.open[s.ID]; taken {
		return &DuplicateError{Existing: s.ID}
	}
	tuple := s.Tuple.key()
	if id, taken := t.tuples[tuple]; taken {
		return &DuplicateError{Existing: id, Tuple: true}
	}
	if len(t.open) >= t.o.Capacity {
		return fmt.Errorf("%w: it has room for %d", ErrFull, t.o.Capacity)
	}
	if s.IdleTimeout == 0 {
		s.IdleTimeout = t.o.IdleTimeout
	}
	s.IdleTimeout = min(s.IdleTimeout, t.o.MaxIdleTimeout)
	row := &Session{Spec: s, Start: now}
	t.open[s.ID] = row
	if !t.o.SameTuple {
		t.tuples[tuple] = s.ID
	}
	t.rows.add(row)
	return nil
}

// AddAll takes all of the sessions or none. In the latter case each has an error: its own, or ErrInvalid because of the
// others; and when there is not room for all of them, that is ErrFull.
func (t *Table) AddAll(now time.Time, specs []Spec) []error {
	errs := make([]error, len(specs))
	var failed, full bool
	for i, s := range specs {
		errs[i] = t.Add(now, s)
		failed = failed || errs[i] != nil
		full = full || errors.Is(errs[i], ErrFull)
	}
	if !failed {
		return errs
	}
	for i, s := range specs {
		if errs[i] != nil {
			continue
		}
		t.Remove(s.ID)
		errs[i] = fmt.Errorf("%w: another one of its batch cannot, and it is all or none", ErrInvalid)
		if full {
			errs[i] = fmt.Errorf("%w: it has no room for the whole batch", ErrFull)
		}
	}
	return errs
}

// Get is an open session, else the newest one of this id that is closed and not reported yet.
func (t *Table) Get(id uint64) (Session, error) {
	if s := t.open[id]; s != nil {
		return *s, nil
	}
	if s := t.closed.newest[id]; s != nil {
		return *s, nil
	}
	return Session{}, fmt.Errorf("%w: %d", ErrUnknown, id)
}

// Remove takes an open session out as if it had never been there. It does nothing when there is none.
func (t *Table) Remove(id uint64) {
	s := t.open[id]
	if s == nil {
		return
	}
	delete(t.open, id)
	if tuple := s.Tuple.key(); t.tuples[tuple] == id {
		delete(t.tuples, tuple)
	}
	t.rows.remove(s)
}

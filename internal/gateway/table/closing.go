package table

import (
	"fmt"
	"time"
)

// Observe takes news of a session into account, and returns true when it has closed it. Counters and states never go back:
// reports may come late, and twice. News of a session that is not open changes nothing.
func (t *Table) Observe(now time.Time, r Report) bool {
	s := t.open[r.ID]
	if s == nil {
		return false
	}
	s.merge(r)
	if r.State != Closed && r.State != UnknownState {
		return false
	}
	t.finish(s, r.State, r.Code, r.ended(now))
	return true
}

func (r *Report) ended(now time.Time) time.Time {
	if r.End.IsZero() {
		return now
	}
	return r.End
}

// merge takes over what is newer in a report. Whether it closes the session is for others to say.
func (s *Session) merge(r Report) {
	s.In.raise(r.In)
	s.Out.raise(r.Out)
	if !r.Start.IsZero() {
		s.Start = r.Start
	}
	if r.Last.After(s.Last) {
		s.Last = r.Last
	}
	if r.State == Closing1 || r.State == Closing2 {
		s.State = max(s.State, r.State)
	}
}

func (c *Counters) raise(to Counters) {
	c.Packets, c.Bytes = max(c.Packets, to.Packets), max(c.Bytes, to.Bytes)
}

// finish moves an open session to those that are closed.
func (t *Table) finish(s *Session, state State, code CloseCode, end time.Time) {
	t.Remove(s.ID)
	s.State, s.Code, s.End = state, code, end
	t.closed.push(s)
}

// Delete takes a session out, with the last news of it, and returns it as it ended: Closing1 if it was open. A session
// that is closed and not reported yet is hereby reported.
func (t *Table) Delete(now time.Time, last Report) (Session, error) {
	s := t.open[last.ID]
	if s == nil {
		s = t.closed.newest[last.ID]
		if s == nil {
			return Session{}, fmt.Errorf("%w: %d", ErrUnknown, last.ID)
		}
		t.closed.remove(s)
		return *s, nil
	}
	t.Remove(s.ID)
	s.merge(last)
	s.State, s.End = max(s.State, Closing1), now
	return *s, nil
}

// Due are the sessions that have been silent for too long at a time.
func (t *Table) Due(now time.Time) (ids []uint64) {
	for _, s := range t.rows.inOrder() {
		if !s.idleAt().After(now) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Expire closes a session of Due, with the last news of it. Its end is when its time was up. One that was about to close
// counts as closed by FIN, as only the last word was missing; and if the news says that it has closed, that holds.
func (t *Table) Expire(last Report) {
	s := t.open[last.ID]
	if s == nil {
		return
	}
	end := s.idleAt()
	if t.Observe(end, last) {
		return
	}
	code := Timeout
	if s.State == Closing1 || s.State == Closing2 {
		code = FinAck
	}
	if s.Last.After(end) { // a packet came while its time ran out
		end = s.Last
	}
	t.finish(s, Closed, code, end)
}

// Take are closed sessions that have not been reported, the oldest first: at most so many, or all with 0. Whoever takes
// them reports them, or gives them back by Return.
func (t *Table) Take(most int) []Session { return t.closed.take(most) }

// Return gives back what could not be reported, in the order of Take. It comes first again.
func (t *Table) Return(sessions []Session) { t.closed.back(sessions) }

// Unreported is how many closed sessions wait for Take, and how many were forgotten because nobody took them.
func (t *Table) Unreported() (waiting int, forgotten uint64) {
	return t.closed.len(), t.closed.forgotten
}

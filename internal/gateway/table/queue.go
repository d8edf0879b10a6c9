package table

import "slices"

// queue are closed sessions in the order in which they closed. It is bounded: beyond max, the oldest is forgotten.
type queue struct {
	max       int
	waiting   []*Session
	newest    map[uint64]*Session // the newest of each id
	forgotten uint64
}

func (q *queue) len() int { return len(q.waiting) }

func (q *queue) push(s *Session) {
	q.waiting = append(q.waiting, s)
	q.newest[s.ID] = s
	q.limit()
}

// limit forgets what is too much, a sixteenth at a time, so that it costs little for each.
func (q *queue) limit() {
	if len(q.waiting) <= q.max {
		return
	}
	most := max(1, q.max-q.max/16)
	n := len(q.waiting) - most
	q.forgotten += uint64(n)
	q.drop(n)
}

// drop takes out the oldest n.
func (q *queue) drop(n int) {
	for _, s := range q.waiting[:n] {
		q.unname(s)
	}
	q.waiting = slices.Delete(q.waiting, 0, n)
}

func (q *queue) unname(s *Session) {
	if q.newest[s.ID] == s {
		delete(q.newest, s.ID)
	}
}

func (q *queue) take(most int) []Session {
	n := len(q.waiting)
	if most > 0 {
		n = min(n, most)
	}
	taken := copies(q.waiting[:n])
	q.drop(n)
	return taken
}

func (q *queue) back(sessions []Session) {
	again := make([]*Session, len(sessions))
	for i := len(sessions) - 1; i >= 0; i-- { // of two with one id, the later one is newer
		again[i] = &sessions[i]
		if q.newest[sessions[i].ID] == nil {
			q.newest[sessions[i].ID] = again[i]
		}
	}
	q.waiting = append(again, q.waiting...)
	q.limit()
}

// remove takes out one session; an older one of its id is the newest then.
func (q *queue) remove(s *Session) {
	q.unname(s)
	q.waiting = slices.DeleteFunc(q.waiting, func(w *Session) bool { return w == s })
	for _, w := range q.waiting {
		if w.ID == s.ID {
			q.newest[s.ID] = w
		}
	}
}

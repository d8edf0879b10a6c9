package framing

// Stamps repairs the wrap-around of a target's clock. Targets stamp with a 32-bit counter of
// microseconds divided by 1000, so after 4,294,967 ms (71.6 minutes) the stamps begin at 0 again.
// The zero Stamps is ready.
//
// A stamp that is more than half a turn below the newest one is taken for a wrap; one that is a
// little below it is out of order, as is one from the last minute before a wrap within the first
// minute after it. Turns in which nothing was stamped cannot be seen.
type Stamps struct {
	turns  int64
	newest int64
	any    bool
}

const (
	turn   = int64(1) << 32 // microseconds
	minute = 60_000         // milliseconds
)

// Repair returns the stamp without wrap-around: it goes on growing over the turns.
func (s *Stamps) Repair(raw int64) int64 {
	const half = turn / 2 / 1000
	switch {
	case !s.any:
		s.newest, s.any = raw, true
	case raw < s.newest-half:
		s.turns++
		s.newest = raw
	case s.turns > 0 && s.newest < minute && raw > turn/1000-minute: // from before the wrap
		return (s.turns-1)*turn/1000 + raw
	case raw > s.newest:
		s.newest = raw
	}
	return s.turns*turn/1000 + raw
}

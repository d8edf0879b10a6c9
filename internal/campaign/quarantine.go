package campaign

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Rules of the quarantine.
const (
	// quarantineAfter is the number of failed attempts in a row that put a target into quarantine.
	quarantineAfter = 5
	// Pauses of a target: from quarantineBase, doubled with each failure that follows, up to quarantineMax.
	quarantineBase = 30 * time.Second
	quarantineMax  = 10 * time.Minute
)

// Reasons of a quarantine beside those of attempts: no attempt is recorded.
const (
	ReasonInUse       = "InUse"       // somebody else uses the target
	ReasonResetFailed = "ResetFailed" // it was not back after a reset that the campaign asks for
)

// quarantine keeps variants away from targets on which attempt after attempt fails, of whatever campaign.
// A success forgives everything. The zero value is ready for use; it is pure, and not safe for concurrent use.
type quarantine struct {
	suspects map[string]*suspect // by target; only those that have failed since their last success
}

type suspect struct {
	failures int
	pause    time.Duration // after the newest failure; 0: none yet
	since    time.Time     // the newest failure
	reason   string
}

func (s *suspect) until() time.Time { return s.since.Add(s.pause) }

// failed takes note of a failed attempt.
func (q *quarantine) failed(now time.Time, target, reason string) {
	q.forget(now)
	s := q.suspect(target)
	s.failures++
	s.since, s.reason = now, reason
	if s.failures >= quarantineAfter {
		s.lock(now)
	}
}

// occupied takes note that somebody else uses the target: there is nothing to be learned from trying it
// four times more.
func (q *quarantine) occupied(now time.Time, target string) {
	s := q.suspect(target)
	s.failures = max(s.failures, quarantineAfter)
	s.reason = ReasonInUse
	s.lock(now)
}

func (s *suspect) lock(now time.Time) {
	s.since = now
	s.pause = min(max(2*s.pause, quarantineBase), quarantineMax)
}

// forget drops targets that were not heard of for long, so that memory does not grow with targets that come
// and go.
func (q *quarantine) forget(now time.Time) {
	const enough, long = 1024, 2 * quarantineMax
	if len(q.suspects) < enough {
		return
	}
	maps.DeleteFunc(q.suspects, func(_ string, s *suspect) bool { return now.Sub(s.since) > long })
}

func (q *quarantine) suspect(target string) *suspect {
	if q.suspects == nil {
		q.suspects = map[string]*suspect{}
	}
	if q.suspects[target] == nil {
		q.suspects[target] = &suspect{}
	}
	return q.suspects[target]
}

// succeeded forgives, and reports whether there was a quarantine to be forgiven.
func (q *quarantine) succeeded(target string) bool {
	s := q.suspects[target]
	delete(q.suspects, target)
	return s != nil && s.pause > 0
}

// until is when a target may be tried again; a time that is over if it may now. Where no other target is
// left, it is tried again after the shortest pause: a campaign that fails everywhere still makes progress.
func (q *quarantine) until(target string, last bool) time.Time {
	s := q.suspects[target]
	switch {
	case s == nil:
		return time.Time{}
	case last:
		return s.since.Add(min(s.pause, quarantineBase))
	}
	return s.until()
}

// holds reports whether the target is in quarantine.
func (q *quarantine) holds(now time.Time, target string) bool {
	s := q.suspects[target]
	return s != nil && now.Before(s.until())
}

// Quarantined is a target that gets no variant for a while.
type Quarantined struct {
	Target string // its name
	Until  time.Time
	Reason string // of the newest failure
}

// MaxQuarantined bounds the quarantined targets of a Snapshot.
const MaxQuarantined = 16

// list tells of at most MaxQuarantined of some targets, given by their keys and names: those that are in
// quarantine, in order of their names.
func (q *quarantine) list(now time.Time, names map[string]string) []Quarantined {
	var out []Quarantined
	for key, s := range q.suspects {
		if name, ours := names[key]; ours && now.Before(s.until()) {
			out = append(out, Quarantined{Target: name, Until: s.until(), Reason: s.reason})
		}
	}
	slices.SortFunc(out, func(a, b Quarantined) int { return cmp.Compare(a.Target, b.Target) })
	return out[:min(len(out), MaxQuarantined)]
}

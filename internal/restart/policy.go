package restart

import (
	"math"
	"time"
)

// Defaults for fields of a Policy that are zero. Limit has none: 0 allows no restart.
const (
	DefaultBase         = 500 * time.Millisecond
	DefaultMax          = 5 * time.Minute
	DefaultForgiveAfter = 10 * time.Minute
)

// Policy is the restart budget of one target.
type Policy struct {
	Base         time.Duration // pause before the first restart; each further one doubles it
	Max          time.Duration // longest pause
	ForgiveAfter time.Duration // healthy time after which earlier restarts are forgotten
	Limit        int           // restarts that are allowed before they are forgotten
}

// Decision is what a Policy says about one restart.
type Decision struct {
	Allowed   bool      // restart now
	At        time.Time // when it is, or was, due; zero when Exhausted
	Restarts  int       // earlier restarts that still count; store this plus one together with the restart
	Exhausted bool      // the budget is used up: no restart will be allowed before a healthy period
}

// Next decides about the next restart of a target that needs one. restarts is the number of restarts
// that counted so far, and last the time of the newest; for the first one, hand in the time of the
// failure (a zero last lets it happen at once). healthySince is when the target became healthy before
// this failure, and zero while it was not. All of them are stored values, so that whoever asks again
// after a crash waits the rest of the pause and not the whole.
func (p Policy) Next(restarts int, last, healthySince, now time.Time) Decision {
	restarts = p.Counted(restarts, healthySince, now)
	if restarts >= p.Limit {
		return Decision{Restarts: restarts, Exhausted: true}
	}
	at := now
	if !last.IsZero() {
		at = last.Add(p.Pause(restarts))
	}
	return Decision{Allowed: !now.Before(at), At: at, Restarts: restarts}
}

// Counted returns how many of the restarts still count: none of them after a healthy period of
// ForgiveAfter. A zero healthySince is a target that is not healthy.
func (p Policy) Counted(restarts int, healthySince, now time.Time) int {
	if restarts < 0 || !healthySince.IsZero() && now.Sub(healthySince) >= p.forgiveAfter() {
		return 0
	}
	return restarts
}

// ForgivenAt returns when a target that stays healthy gets its budget back, and zero when it is not healthy.
func (p Policy) ForgivenAt(healthySince time.Time) time.Time {
	if healthySince.IsZero() {
		return time.Time{}
	}
	return healthySince.Add(p.forgiveAfter())
}

// Pause returns the pause before a restart that follows on that many others.
func (p Policy) Pause(restarts int) time.Duration {
	base, longest := p.Base, p.Max
	if base <= 0 {
		base = DefaultBase
	}
	if longest <= 0 {
		longest = DefaultMax
	}
	doublings := max(restarts, 0)
	if doublings >= 62 || base > math.MaxInt64>>doublings {
		return longest
	}
	return min(base<<doublings, longest)
}

func (p Policy) forgiveAfter() time.Duration {
	if p.ForgiveAfter <= 0 {
		return DefaultForgiveAfter
	}
	return p.ForgiveAfter
}

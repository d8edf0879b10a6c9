package campaign

import (
	"slices"
	"time"
)

// preference is how long another target than the one that failed a variant is waited for.
const preference = 2 * time.Second

// retry is a variant that is due again.
type retry struct {
	lease    Lease
	avoid    string    // the target that failed it; "" if none did
	due      time.Time // not before
	anywhere time.Time // from then on even on the target to avoid
}

func (r retry) offered(now time.Time, target string) bool {
	return !now.Before(r.due) && (r.avoid != target || !now.Before(r.anywhere))
}

// Return ends a lease without a final record. When the attempt was recorded the next one counts one
// up; when it was not (nothing was sent, or it was ended on purpose), the same attempt is leased again.
// The pause doubles with each attempt, from 100 ms to 5 s; another target than the one to avoid, if there is
// one to avoid, is preferred for 2 s more.
func (l *Ledger) Return(now time.Time, lease Lease, avoid string, recorded bool) {
	delete(l.leased, lease.Variant)
	next := retry{lease: lease, avoid: avoid, due: now}
	if recorded {
		l.failures[lease.Variant] = lease.Attempt
		next.lease.Attempt++
		next.due = now.Add(retryPause(lease.Attempt))
	}
	next.anywhere = next.due.Add(preference)
	l.again = append(l.again, next)
}

// Wake is when Lease could lease something that it does not lease now, given nothing else happens; the
// zero time: never.
func (l *Ledger) Wake(now time.Time) time.Time {
	var at time.Time
	for _, r := range l.again {
		for _, t := range []time.Time{r.due, r.anywhere} {
			if t.After(now) && (at.IsZero() || t.Before(at)) {
				at = t
			}
		}
	}
	return at
}

func retryPause(attempt int32) time.Duration {
	const base, ceiling = 100 * time.Millisecond, 5 * time.Second
	return min(ceiling, base<<min(attempt-1, 16))
}

// GiveBack returns leases that nothing was done with. They are offered again before anything else, in their
// order.
func (l *Ledger) GiveBack(now time.Time, leases []Lease) {
	back := make([]retry, 0, len(leases))
	for _, x := range leases {
		delete(l.leased, x.Variant)
		back = append(back, retry{lease: x, due: now, anywhere: now})
	}
	l.again = slices.Concat(back, l.again)
}

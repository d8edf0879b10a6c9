package campaign

import (
	"math"
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/interval"
)

// Lease is the right to run one attempt at one variant. It ends with Ledger.Done or Ledger.Return.
type Lease struct {
	Variant uint64
	Attempt int32 // from 1
}

// Ledger says which variants of a campaign are finished, leased, or due again. It is pure: time is an
// argument. Its memory grows with the targets and with the variants that wait for another attempt, not
// with the campaign. It is not safe for concurrent use.
type Ledger struct {
	total    uint64
	cursor   uint64 // every variant below it is finished, leased or in again
	finished interval.Set
	leased   map[uint64]int32 // variant to attempt
	again    []retry          // in order of their failure
	failures map[uint64]int32 // attempts that stand in the store, of variants that are not finished
}

type retry struct {
	lease    Lease
	avoid    string    // the target that failed it
	due      time.Time // not before
	anywhere time.Time // from then on even on the target to avoid
}

func (r retry) offered(now time.Time, target string) bool {
	return !now.Before(r.due) && (r.avoid != target || !now.Before(r.anywhere))
}

// NewLedger makes the ledger of a campaign of so many variants.
func NewLedger(total uint64) *Ledger {
	return &Ledger{total: total, leased: map[uint64]int32{}, failures: map[uint64]int32{}}
}

// Recover tells the ledger of a record found in the store, before the first lease.
func (l *Ledger) Recover(variant uint64, attempt int32, final bool) {
	if final {
		l.finished.Add(variant)
		delete(l.failures, variant)
		return
	}
	if !l.finished.Has(variant) {
		l.failures[variant] = max(l.failures[variant], attempt)
	}
}

// Next leases the next variant to a target: first those that are due again, then a new one.
func (l *Ledger) Next(now time.Time, target string) (Lease, bool) {
	for i, r := range l.again {
		if !r.offered(now, target) {
			continue
		}
		l.again = slices.Delete(l.again, i, i+1)
		l.leased[r.lease.Variant] = r.lease.Attempt
		return r.lease, true
	}
	n := l.finished.NextMissing(l.cursor)
	if n >= l.total {
		l.cursor = l.total
		return Lease{}, false
	}
	l.cursor = n + 1
	lease := Lease{Variant: n, Attempt: l.failures[n] + 1}
	l.leased[n] = lease.Attempt
	return lease, true
}

// Offers reports whether Next would lease something to the target now.
func (l *Ledger) Offers(now time.Time, target string) bool {
	for _, r := range l.again {
		if r.offered(now, target) {
			return true
		}
	}
	return l.cursor < l.total && l.finished.NextMissing(l.cursor) < l.total
}

// Wake is when Next could lease something that it does not lease now, given nothing else happens; the
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

// Done ends a lease whose final record is in the store.
func (l *Ledger) Done(lease Lease) {
	delete(l.leased, lease.Variant)
	delete(l.failures, lease.Variant)
	l.finished.Add(lease.Variant)
}

// Return ends a lease without a final record. When the attempt was recorded the next one counts one
// up; when it was not (nothing was sent, or the engine stops), the same attempt is leased again.
// The pause doubles with each attempt, from 100 ms to 5 s; another target is preferred for 2 s more.
func (l *Ledger) Return(now time.Time, lease Lease, target string, recorded bool) {
	delete(l.leased, lease.Variant)
	next := lease
	due := now
	if recorded {
		l.failures[lease.Variant] = lease.Attempt
		next.Attempt++
		due = now.Add(retryPause(lease.Attempt))
	}
	l.again = append(l.again, retry{lease: next, avoid: target, due: due, anywhere: due.Add(2 * time.Second)})
}

func retryPause(attempt int32) time.Duration {
	const base, ceiling = 100 * time.Millisecond, 5 * time.Second
	return min(ceiling, time.Duration(float64(base)*math.Pow(2, float64(min(attempt, 16)-1))))
}

// Total is the number of variants.
func (l *Ledger) Total() uint64 { return l.total }

// Finished is the number of variants with a final record.
func (l *Ledger) Finished() uint64 { return l.finished.Count() }

// Leased is the number of variants that are on a target.
func (l *Ledger) Leased() int { return len(l.leased) }

// Complete reports whether every variant is finished.
func (l *Ledger) Complete() bool { return l.finished.Count() >= l.total }

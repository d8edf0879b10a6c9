package campaign

import (
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/interval"
)

// Lease is the right to run one attempt at one variant. It ends with Ledger.Done or Ledger.Return.
type Lease struct {
	Variant uint64
	Attempt int32 // from 1
}

// Ledger says which variants of a campaign are settled, leased, or due again.
//
//	0 ─────── settled, leased or due again ─────── cursor ── fresh ── horizon ── not surveyed yet ── total
//
// A variant is settled when its final record is in the store, or when the campaign leaves it out. Where
// nothing is left out the horizon is the total. A ledger is pure: time is an argument. Its memory grows with
// the targets and with the variants that wait for another attempt, not with the campaign. It is not safe for
// concurrent use.
type Ledger struct {
	total    uint64
	horizon  uint64
	cursor   uint64
	settled  interval.Set
	skipped  uint64           // of the settled ones, those that are left out
	reopened interval.Set     // below the cursor, to be run again because somebody asked for it
	leased   map[uint64]int32 // variant to attempt
	again    []retry          // in order of their failure
	failures map[uint64]int32 // attempts that stand in the store, of variants that are not settled
}

// NewLedger makes the ledger of a campaign of so many variants. If some of them may be left out, none is
// leased before Survey has told of it.
func NewLedger(total uint64, constrained bool) *Ledger {
	l := &Ledger{total: total, horizon: total, leased: map[uint64]int32{}, failures: map[uint64]int32{}}
	if constrained {
		l.horizon = 0
	}
	return l
}

// Recover tells the ledger of a record found in the store, before the first lease.
func (l *Ledger) Recover(variant uint64, attempt int32, final bool) {
	if final {
		l.settled.Add(variant)
		delete(l.failures, variant)
		return
	}
	if !l.settled.Has(variant) {
		l.failures[variant] = max(l.failures[variant], attempt)
	}
}

// Survey tells the ledger that every variant below hi was looked at, and which of them are left out beside
// those that it has heard of before.
func (l *Ledger) Survey(hi uint64, skipped []interval.Interval) {
	for _, s := range skipped {
		l.skipped += l.settled.AddRange(s.Lo, s.Hi)
	}
	l.horizon = max(l.horizon, hi)
}

// Lease leases up to most variants to a target and appends them to out: one that is due again, or some new
// ones that follow each other.
func (l *Ledger) Lease(now time.Time, target string, most int, out []Lease) []Lease {
	if lease, ok := l.repeat(now, target); ok {
		return append(out, lease)
	}
	for range most {
		n := l.settled.NextMissing(l.cursor)
		if n >= l.horizon {
			l.cursor = l.horizon
			return out
		}
		l.cursor = n + 1
		out = append(out, l.lease(Lease{Variant: n, Attempt: l.failures[n] + 1}))
	}
	return out
}

func (l *Ledger) repeat(now time.Time, target string) (Lease, bool) {
	for i, r := range l.again {
		if r.offered(now, target) {
			l.again = slices.Delete(l.again, i, i+1)
			return l.lease(r.lease), true
		}
	}
	if n, any := l.reopened.First(); any {
		l.reopened.Remove(n)
		return l.lease(Lease{Variant: n, Attempt: l.failures[n] + 1}), true
	}
	return Lease{}, false
}

func (l *Ledger) lease(x Lease) Lease {
	l.leased[x.Variant] = x.Attempt
	return x
}

// Offers reports whether Lease would lease something to the target now.
func (l *Ledger) Offers(now time.Time, target string) bool {
	for _, r := range l.again {
		if r.offered(now, target) {
			return true
		}
	}
	return l.reopened.Count() > 0 || l.settled.NextMissing(l.cursor) < l.horizon
}

// Done ends a lease whose final record is in the store.
func (l *Ledger) Done(lease Lease) {
	delete(l.leased, lease.Variant)
	delete(l.failures, lease.Variant)
	l.settled.Add(lease.Variant)
}

// Reopen makes a settled variant, at which so many attempts are in the store, due again. It does nothing for
// one that is not settled, or left out.
func (l *Ledger) Reopen(variant uint64, attempts int32) {
	if !l.settled.Remove(variant) {
		return
	}
	l.failures[variant] = attempts
	if variant < l.cursor {
		l.reopened.Add(variant)
	}
}

// Total is the number of variants.
func (l *Ledger) Total() uint64 { return l.total }

// Finished is the number of variants with a final record.
func (l *Ledger) Finished() uint64 { return l.settled.Count() - l.skipped }

// Skipped is the number of variants that are known to be left out.
func (l *Ledger) Skipped() uint64 { return l.skipped }

// Leased is the number of variants that are with targets, or whose record is being written.
func (l *Ledger) Leased() int { return len(l.leased) }

// Complete reports whether every variant is settled.
func (l *Ledger) Complete() bool { return l.settled.Count() >= l.total }

// Horizon is the first variant that was not surveyed.
func (l *Ledger) Horizon() uint64 { return l.horizon }

// Fresh is the number of surveyed variants that no target has got yet.
func (l *Ledger) Fresh() uint64 {
	return l.horizon - l.cursor - l.settled.CountIn(l.cursor, l.horizon)
}

// Scattered returns how far the ledger should be surveyed before it goes on recovering, because the gaps that
// left-out variants make between the recovered ones have become many; 0: not at all.
func (l *Ledger) Scattered() uint64 {
	const most = 4096
	if l.settled.Parts() < most || l.settled.End() <= l.horizon {
		return 0
	}
	return l.settled.End()
}

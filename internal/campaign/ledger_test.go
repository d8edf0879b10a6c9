package campaign

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var t0 = time.Unix(1_700_000_000, 0)

func next(l *Ledger, now time.Time, target string) (Lease, bool) {
	got := l.Lease(now, target, 1, nil)
	if len(got) == 0 {
		return Lease{}, false
	}
	return got[0], true
}

func TestLedgerHandsOutEveryVariantInOrder(t *testing.T) {
	l := NewLedger(3, false)
	for want := range uint64(3) {
		lease, ok := next(l, t0, "a")
		if !ok || lease != (Lease{Variant: want, Attempt: 1}) {
			t.Fatalf("Next = %+v, %v; want variant %d, attempt 1", lease, ok, want)
		}
	}
	if lease, ok := next(l, t0, "a"); ok {
		t.Fatalf("Next = %+v after the last variant", lease)
	}
	for n := range uint64(3) {
		l.Done(Lease{Variant: n, Attempt: 1})
	}
	if !l.Complete() {
		t.Error("not complete after every variant is done")
	}
}

func TestAFailedVariantPrefersAnotherTarget(t *testing.T) {
	l := NewLedger(1, false)
	lease, _ := next(l, t0, "a")
	l.Return(t0, lease, "a", true)
	cases := []struct {
		name   string
		after  time.Duration
		target string
		want   bool
	}{
		{"before the pause is over nobody gets it", 99 * time.Millisecond, "b", false},
		{"the target that failed it waits two seconds more", time.Second, "a", false},
	}
	for _, tc := range cases {
		if _, got := next(l, t0.Add(tc.after), tc.target); got != tc.want {
			t.Errorf("%s: leased %v", tc.name, got)
		}
	}
	if got, ok := next(l, t0.Add(100*time.Millisecond), "b"); !ok || got.Attempt != 2 {
		t.Errorf("another target after the pause: %+v, %v; want attempt 2", got, ok)
	}
}

func TestWakeIsWhenTheNextRetryIsDue(t *testing.T) {
	l := NewLedger(1, false)
	if at := l.Wake(t0); !at.IsZero() {
		t.Fatalf("Wake = %v with nothing to retry", at)
	}
	lease, _ := next(l, t0, "a")
	l.Return(t0, lease, "a", true)
	if at, want := l.Wake(t0), t0.Add(100*time.Millisecond); !at.Equal(want) {
		t.Errorf("Wake = %v, want %v", at, want)
	}
	if at, want := l.Wake(t0.Add(time.Second)), t0.Add(2100*time.Millisecond); !at.Equal(want) {
		t.Errorf("Wake after the pause = %v, want %v: then the same target may have it", at, want)
	}
}

func TestRecoveredRecordsAreNotRunAgain(t *testing.T) {
	l := NewLedger(4, false)
	l.Recover(0, 1, true)
	l.Recover(2, 1, false)
	l.Recover(2, 2, false)
	l.Recover(3, 1, false)
	l.Recover(3, 2, true)
	want := []Lease{{1, 1}, {2, 3}}
	for _, w := range want {
		if got, ok := next(l, t0, "a"); !ok || got != w {
			t.Errorf("Next = %+v, %v; want %+v", got, ok, w)
		}
	}
	if got, ok := next(l, t0, "a"); ok {
		t.Errorf("Next = %+v, want nothing", got)
	}
}

func TestALeaseOfManyFollowsTheOrder(t *testing.T) {
	l := NewLedger(10, false)
	l.Recover(2, 1, true)
	got := l.Lease(t0, "a", 3, nil)
	if diff := cmp.Diff([]Lease{{0, 1}, {1, 1}, {3, 1}}, got); diff != "" {
		t.Fatalf("leases (-want +got):\n%s", diff)
	}
	l.GiveBack(t0, got[1:])
	for _, want := range []uint64{1, 3, 4} {
		if got, ok := next(l, t0, "a"); !ok || got.Variant != want || got.Attempt != 1 {
			t.Errorf("leased %+v, want variant %d", got, want)
		}
	}
	if l.Leased() != 4 || l.Fresh() != 5 {
		t.Errorf("%d leased, %d fresh", l.Leased(), l.Fresh())
	}
}

func TestReopenedVariantsAreLeasedAgain(t *testing.T) {
	l := NewLedger(6, false)
	l.Recover(5, 4, true) // beyond the cursor
	for range 3 {
		lease, _ := next(l, t0, "a")
		l.Done(lease)
	}
	running, _ := next(l, t0, "a")
	l.Reopen(1, 4)
	l.Reopen(5, 4)
	l.Reopen(running.Variant, 1) // is not settled: it is on a target
	if l.Complete() || l.Finished() != 2 {
		t.Errorf("finished %d", l.Finished())
	}
	var got []Lease
	for lease, ok := next(l, t0, "a"); ok; lease, ok = next(l, t0, "a") {
		got = append(got, lease)
	}
	if diff := cmp.Diff([]Lease{{1, 5}, {4, 1}, {5, 5}}, got); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
}

// multiples leaves out every variant that is not a multiple of its number, and cannot say anything about variant 13.
type multiples uint64

func (m multiples) Constrained() bool { return true }
func (m multiples) Admits(n uint64) (bool, error) {
	if n == 13 {
		return false, errors.New("no such key: b")
	}
	return m > 0 && n%uint64(m) == 0, nil
}

func TestASurveyedCampaignRunsWhatIsNotLeftOut(t *testing.T) {
	for m, want := range map[multiples]int{1: 20_000, 3: 6_667 + 1, 5000: 4 + 1, 0: 1} {
		const total = 20_000
		l := NewLedger(total, true)
		if _, ok := next(l, t0, "a"); ok {
			t.Fatal("a variant was leased before anybody looked at it")
		}
		leased := 0
		for !l.Complete() {
			if l.Horizon() < total && l.Fresh() < surveyAhead {
				l.Survey(survey(m, l.Horizon(), total))
			}
			for lease, ok := next(l, t0, "a"); ok; lease, ok = next(l, t0, "a") {
				if in, err := m.Admits(lease.Variant); !in && err == nil {
					t.Fatalf("variant %d is to be left out", lease.Variant)
				}
				leased++
				l.Done(lease)
			}
			if parts := l.settled.Parts(); parts > 2*surveyAhead {
				t.Fatalf("%d intervals in memory", parts)
			}
		}
		if leased != want || l.Skipped() != uint64(total-want) || l.Finished() != uint64(want) {
			t.Errorf("multiples of %d: %d leased, %d finished, %d skipped; want %d", m, leased, l.Finished(), l.Skipped(), want)
		}
	}
}

// A ledger that is rebuilt from the records of every other variant needs no memory for the gaps.
func TestARecoveredCampaignWithGapsStaysSmall(t *testing.T) {
	const total, done = 1_000_000, 500_000
	l := NewLedger(total, true)
	most := 0
	for n := uint64(0); n < done; n += 2 {
		if n != 1000 {
			l.Recover(n, 1, true)
		}
		for l.Horizon() < l.Scattered() {
			l.Survey(survey(multiples(2), l.Horizon(), total))
		}
		most = max(most, l.settled.Parts())
	}
	if most > 5000 {
		t.Errorf("%d intervals in memory", most)
	}
	if lease, ok := next(l, t0, "a"); !ok || lease.Variant != 13 { // which cannot be decided
		t.Errorf("the first gap is %+v", lease)
	}
	if lease, ok := next(l, t0, "a"); !ok || lease.Variant != 1000 {
		t.Errorf("the second gap is %+v", lease)
	}
}

// Whatever fails, every variant ends exactly once, and never on two targets at a time.
func TestEveryVariantEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(1, 40).Draw(t, "total")
		l, now := NewLedger(total, false), t0
		leased, done, reopen := map[uint64]Lease{}, map[uint64]bool{}, 5
		for steps := 0; !l.Complete(); steps++ {
			if steps > 10_000 {
				t.Fatal("does not come to an end")
			}
			target := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "target")
			leases := l.Lease(now, target, rapid.IntRange(1, 4).Draw(t, "batch"), nil)
			if kept := rapid.IntRange(0, len(leases)).Draw(t, "kept"); kept < len(leases) {
				l.GiveBack(now, leases[kept:])
				leases = leases[:kept]
			}
			for _, lease := range leases {
				if _, twice := leased[lease.Variant]; twice || done[lease.Variant] {
					t.Fatalf("variant %d was leased twice or again after it was done", lease.Variant)
				}
				leased[lease.Variant] = lease
			}
			for n := range total {
				lease, there := leased[n]
				if !there {
					continue
				}
				delete(leased, n)
				if lease.Attempt%4 == 0 || rapid.Bool().Draw(t, "succeeds") {
					l.Done(lease)
					done[n] = true
				} else {
					l.Return(now, lease, target, rapid.Bool().Draw(t, "recorded"))
				}
				break
			}
			if reopen > 0 && steps%7 == 0 {
				if n := rapid.Uint64Range(0, total-1).Draw(t, "reopened"); done[n] {
					reopen--
					l.Reopen(n, 4)
					delete(done, n)
				}
			}
			now = now.Add(time.Second)
		}
		if uint64(len(done)) != total || l.Leased() != 0 {
			t.Fatalf("%d of %d variants done, %d leased", len(done), total, l.Leased())
		}
	})
}

package campaign

import (
	"testing"
	"time"

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

// Whatever fails, every variant ends exactly once, and never on two targets at a time.
func TestEveryVariantEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(1, 40).Draw(t, "total")
		l, now := NewLedger(total, false), t0
		leased, done := map[uint64]Lease{}, map[uint64]bool{}
		for steps := 0; !l.Complete(); steps++ {
			if steps > 10_000 {
				t.Fatal("does not come to an end")
			}
			target := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "target")
			if lease, ok := next(l, now, target); ok {
				if _, twice := leased[lease.Variant]; twice || done[lease.Variant] {
					t.Fatalf("variant %d was leased twice or again after it was done", lease.Variant)
				}
				leased[lease.Variant] = lease
			}
			for n, lease := range leased {
				delete(leased, n)
				if lease.Attempt > 3 || rapid.Bool().Draw(t, "succeeds") {
					l.Done(lease)
					done[n] = true
				} else {
					l.Return(now, lease, target, rapid.Bool().Draw(t, "recorded"))
				}
				break
			}
			now = now.Add(time.Second)
		}
		if uint64(len(done)) != total || l.Leased() != 0 {
			t.Fatalf("%d of %d variants done, %d leased", len(done), total, l.Leased())
		}
	})
}

package restart

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return t0.Add(d) }

func TestNext(t *testing.T) {
	p := Policy{Base: time.Second, Max: 10 * time.Second, ForgiveAfter: time.Minute, Limit: 5}
	cases := map[string]struct {
		restarts           int
		last, healthySince time.Time
		now                time.Time
		want               Decision
	}{
		"a first restart without a stored time happens at once": {
			now: t0, want: Decision{Allowed: true, At: t0}},
		"a first restart waits the base pause after the failure": {
			last: t0, now: after(900 * time.Millisecond), want: Decision{At: after(time.Second)}},
		"a pause that is over allows the restart": {
			last: t0, now: after(time.Second), want: Decision{Allowed: true, At: after(time.Second)}},
		"each restart doubles the pause": {
			restarts: 3, last: t0, now: after(7 * time.Second), want: Decision{At: after(8 * time.Second), Restarts: 3}},
		"the pause has a ceiling": {
			restarts: 4, last: t0, now: after(10 * time.Second), want: Decision{Allowed: true, At: after(10 * time.Second), Restarts: 4}},
		"a used budget allows nothing": {
			restarts: 5, last: t0, now: after(time.Hour), want: Decision{Restarts: 5, Exhausted: true}},
		"a healthy period gives the whole budget back": {
			restarts: 5, last: t0, healthySince: after(time.Second), now: after(61 * time.Second),
			want: Decision{Allowed: true, At: after(time.Second)}},
		"a healthy period that was too short forgives nothing": {
			restarts: 5, last: t0, healthySince: after(time.Second), now: after(60 * time.Second),
			want: Decision{Restarts: 5, Exhausted: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := p.Next(tc.restarts, tc.last, tc.healthySince, tc.now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Next (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALimitOfZeroAllowsNoRestart(t *testing.T) {
	if d := (Policy{}).Next(0, t0, time.Time{}, after(time.Hour)); !d.Exhausted || d.Allowed {
		t.Errorf("Next = %+v, want exhausted", d)
	}
}

func TestForgivenAt(t *testing.T) {
	p := Policy{ForgiveAfter: time.Minute}
	if got := p.ForgivenAt(t0); !got.Equal(after(time.Minute)) {
		t.Errorf("ForgivenAt = %v", got)
	}
	if got := p.ForgivenAt(time.Time{}); !got.IsZero() {
		t.Errorf("ForgivenAt of an unhealthy target = %v, want zero", got)
	}
}

func TestPauseNeverShrinksAndStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			Base: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "base")),
			Max:  time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(t, "max")),
		}
		n := rapid.IntRange(0, 1_000_000).Draw(t, "restarts")
		a, b := p.Pause(n), p.Pause(n+1)
		if a <= 0 || a > p.Max || b < a {
			t.Fatalf("Pause(%d) = %v, Pause(%d) = %v with max %v", n, a, n+1, b, p.Max)
		}
	})
}

func TestMayRestart(t *testing.T) {
	cases := map[string]struct {
		unhealthy, fleet, percent int
		want                      bool
	}{
		"a lone target may always be restarted":   {1, 1, 50, true},
		"two of two are too few to judge":         {2, 2, 50, true},
		"exactly the allowed share may":           {2, 4, 50, true},
		"one more than the share may not":         {3, 4, 50, false},
		"all of three may not at half":            {3, 3, 50, false},
		"a hundred percent switches the rule off": {7, 7, 100, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := MayRestart(tc.unhealthy, tc.fleet, tc.percent); got != tc.want {
				t.Errorf("MayRestart(%d, %d, %d) = %t", tc.unhealthy, tc.fleet, tc.percent, got)
			}
		})
	}
}

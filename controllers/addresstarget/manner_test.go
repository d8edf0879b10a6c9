package addresstarget

import (
	"errors"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

var (
	start      = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	errRefused = errors.New("refused")
)

const ms = time.Millisecond

// probe is a target in virtual time. A look at it takes no time when it answers, and as long as it may
// when it does not.
type probe struct {
	*view
	now   time.Time
	looks int
}

func newProbe(m manner) *probe { return &probe{view: newView(m, start), now: start} }

// until looks until the time is over, and returns when the verdict changed first; -1: never.
func (p *probe) until(end time.Duration, answers func(at time.Duration) bool) time.Duration {
	changed := time.Duration(-1)
	for before := p.sight; !p.next.After(start.Add(end)); {
		p.now = p.next
		begun, err := p.now, error(nil)
		if !answers(begun.Sub(start)) {
			p.now, err = begun.Add(p.patience(begun)), errRefused
		}
		p.note(begun, p.now, err)
		p.looks++
		if news(before, p.sight) && changed < 0 {
			changed = p.now.Sub(start)
		}
	}
	return changed
}

func always(time.Duration) bool { return true }
func never(time.Duration) bool  { return false }

func TestASilentTargetIsLostAfterTheEchoTimeout(t *testing.T) {
	p := newProbe(pinging(v1alpha1.HealthSpec{}))
	p.until(10*time.Second, always)
	if p.looks != 51 || !p.sight.Answers {
		t.Fatalf("%d looks in 10 s, sight %+v", p.looks, p.sight)
	}
	last := p.answered
	p.until(12*time.Second, never)
	if got := p.sight.Since.Sub(last); got != 900*ms || p.sight.Silent != got || p.sight.Answers {
		t.Errorf("lost after %s, sight %+v", got, p.sight)
	}
}

func TestOneLostEchoIsNoLoss(t *testing.T) {
	p := newProbe(pinging(v1alpha1.HealthSpec{}))
	n := 0
	p.until(time.Minute, func(time.Duration) bool { n++; return n%3 == 1 }) // two of three get lost
	if !p.sight.Answers || !p.sight.Since.Equal(start) {
		t.Errorf("sight %+v after %d looks", p.sight, n)
	}
}

func TestALostTargetIsLookedAtLessAndLessOftenAndComesBack(t *testing.T) {
	p := newProbe(pinging(v1alpha1.HealthSpec{}))
	if at := p.until(time.Minute, never); at != 900*ms {
		t.Errorf("lost after %s", at)
	}
	if p.looks > 40 {
		t.Errorf("%d looks at a lost target in a minute", p.looks)
	}
	back := p.next.Sub(start)
	p.until(back+time.Minute, always)
	if !p.sight.Answers || p.sight.Outage != back-900*ms {
		t.Errorf("sight %+v, want an outage of %s", p.sight, back-900*ms)
	}
}

func TestAnErrorAtOnceIsNotRepeatedAtOnce(t *testing.T) {
	p := newProbe(pinging(v1alpha1.HealthSpec{EchoIntervalMilliseconds: 100, EchoTimeoutMilliseconds: 3000}))
	for p.now = start; !p.sight.lost(); p.now = p.next {
		p.note(p.now, p.now, errRefused) // no route: the error needs no time
		p.looks++
		if p.looks > 31 {
			t.Fatalf("%d looks in %s", p.looks, p.now.Sub(start))
		}
	}
}

func TestAConnectionIsMadeSparingly(t *testing.T) {
	p := newProbe(connecting(time.Minute))
	p.until(10*time.Minute, always)
	if p.looks != 11 || !p.sight.Answers {
		t.Errorf("%d connections in 10 minutes, sight %+v", p.looks, p.sight)
	}
	p.looks = 0
	p.until(20*time.Minute, never)
	if !p.sight.lost() || p.looks > 18 {
		t.Errorf("%d connections in 10 minutes to a target that refuses, sight %+v", p.looks, p.sight)
	}
}

func TestAnOpenSessionIsAnAnswer(t *testing.T) {
	v := newView(connecting(time.Minute), start)
	v.note(start, start, errRefused)
	v.held(start.Add(time.Second))
	if !v.sight.Answers || !v.next.Equal(start.Add(time.Second+afterSession)) {
		t.Errorf("sight %+v, next look at %s", v.sight, v.next)
	}
}

package addresstarget

import (
	"cmp"
	"time"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

const (
	// defaultEchoInterval and defaultEchoTimeout are the API's defaults of spec.health.
	defaultEchoInterval = 200 * time.Millisecond
	defaultEchoTimeout  = 900 * time.Millisecond
	// tries is the number of lost echoes in a row that make a target silent: one may get lost on its way.
	tries = 3
	// pingLongest bounds the pause between two echo requests to a target that is lost.
	pingLongest = 2 * time.Second
	// connectLimit is one and two repetitions of the first packet, at 1 s and 3 s.
	connectLimit = 4 * time.Second
	// connectFirst is the first pause after a connection that was refused; it doubles up to the interval.
	connectFirst = time.Second
	// afterSession is the time after the end of a session in which another one may follow.
	afterSession = time.Second
	// shortestLook keeps the last look before a verdict from being none.
	shortestLook = 10 * time.Millisecond
)

// manner is how the targets of a class are looked at.
type manner struct {
	limit    time.Duration // of one look
	interval time.Duration // between two looks at a target that answers
	silence  time.Duration // without an answer, after which a target is lost; 0: one failed look is enough
	first    time.Duration // pause after the first look at a lost target; each further one doubles it
	longest  time.Duration // the longest such pause
	sparing  bool          // an open session stands for an answer, and is not disturbed
}

// pinging is the manner of class Ping.
func pinging(h v1alpha1.HealthSpec) manner {
	interval := cmp.Or(time.Duration(h.EchoIntervalMilliseconds)*time.Millisecond, defaultEchoInterval)
	silence := cmp.Or(time.Duration(h.EchoTimeoutMilliseconds)*time.Millisecond, defaultEchoTimeout)
	return manner{limit: silence / tries, interval: interval, silence: silence, first: interval, longest: max(interval, pingLongest)}
}

// connecting is the manner of class Genode; recheck is the pause between two connections to a target that
// accepts them.
func connecting(recheck time.Duration) manner {
	return manner{limit: connectLimit, interval: recheck, first: min(connectFirst, recheck), longest: recheck, sparing: true}
}

// view is what is known of one target, and when it is looked at the next time. It is pure.
type view struct {
	manner
	sight    Sight
	answered time.Time // the newest answer; before the first one, when the looking began
	failed   int       // looks at a lost target
	next     time.Time // when to look again
}

func newView(m manner, now time.Time) *view { return &view{manner: m, answered: now, next: now} }

// held notes that a session is open, which is as good as an answer.
func (v *view) held(now time.Time) {
	v.answer(now)
	v.next = now.Add(afterSession)
}

// patience is how long a look that begins now may take: a silent target has to be noticed in time.
func (v *view) patience(now time.Time) time.Duration {
	if v.silence == 0 || v.sight.lost() {
		return v.limit
	}
	return max(min(v.limit, v.answered.Add(v.silence).Sub(now)), shortestLook)
}

// note takes the end of a look that has begun at some time.
func (v *view) note(begun, now time.Time, err error) {
	if err == nil {
		v.answer(now)
		v.next = begun.Add(v.interval)
		return
	}
	v.sight.Error = err.Error()
	if now.Sub(v.answered) < v.silence && !v.sight.lost() {
		v.next = begun.Add(min(v.interval, v.limit))
		return
	}
	if !v.sight.lost() {
		v.sight = Sight{Seen: true, Since: now, Silent: now.Sub(v.answered), Error: v.sight.Error}
		v.failed = 0
	}
	v.next = now.Add(min(v.first<<min(v.failed, 20), v.longest))
	v.failed++
}

func (v *view) answer(now time.Time) {
	v.answered = now
	switch {
	case v.sight.Answers:
		v.sight.Error = ""
	case v.sight.lost():
		v.sight = Sight{Seen: true, Answers: true, Since: now, Outage: now.Sub(v.sight.Since)}
	default:
		v.sight = Sight{Seen: true, Answers: true, Since: now}
	}
}

// Sight is what a target looks like from here.
type Sight struct {
	Seen    bool      // there is a verdict; false until the first answer or the end of the first silence
	Answers bool      // the verdict
	Since   time.Time // of the verdict
	// Silent is the time from the last answer to the verdict that the target is lost.
	Silent time.Duration
	// Outage is the time from that verdict to the next answer.
	Outage time.Duration
	// Error of the newest look; empty when it was answered.
	Error string
}

func (s Sight) lost() bool { return s.Seen && !s.Answers }

// news says whether two sights differ in their verdict.
func news(a, b Sight) bool {
	return a.Seen != b.Seen || a.Answers != b.Answers || !a.Since.Equal(b.Since)
}

package parity

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestF12MalformedFrames(t *testing.T) {
	for _, m := range faketarget.Malformations() {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtPush, Do: faketarget.Replace(m.Bytes)}}})
			l := newLabWith(t, taskloader.Options{IOTimeout: 2 * time.Second}, target)
			records := l.run(l.plan(four))
			succeeded(t, records)
			want := campaign.ReasonMalformed
			if m.Silence {
				want = campaign.ReasonTargetSilent
			}
			if diff := cmp.Diff([]string{want}, l.reasons()); diff != "" {
				t.Errorf("reasons of failed attempts (-want +got):\n%s", diff)
			}
			if target.Count(faketarget.Died) != 0 || target.Count(faketarget.Opened) != 2 {
				t.Errorf("%d connections, want 2", target.Count(faketarget.Opened))
			}
		})
	}
}

// G7: a document without events, or with what nobody knows, killed the thread that read it.
func TestF12OddFramesAreSkipped(t *testing.T) {
	for _, m := range faketarget.Oddities() {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Times: -1, Do: faketarget.Send(m.Bytes)}}})
			l := newLab(t, target)
			records := l.run(l.plan(two))
			if diff := cmp.Diff([]string{"hello EXIT", "load EXIT"}, outcomes(records[0])); diff != "" || records[0].Attempt != 1 {
				t.Errorf("attempt %d, jobs (-want +got):\n%s", records[0].Attempt, diff)
			}
		})
	}
}

// W1: a target that froze stopped the run, until somebody noticed and restarted it.
func TestF13HungTarget(t *testing.T) {
	for _, at := range []faketarget.Step{
		faketarget.AtClear, faketarget.AtDescription, faketarget.AtBinaries, faketarget.AtGoSend,
		faketarget.AtBinaryHeader, faketarget.AtBinary, faketarget.AtStart, faketarget.AtRelease, faketarget.AtPush,
	} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			hangs := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: at, Do: faketarget.Hang()}}})
			sound := fake(t, faketarget.Options{Job: faketarget.Takes(5)})
			l := newLabWith(t, taskloader.Options{IOTimeout: time.Second}, hangs, sound)
			p := l.plan(hey6)
			p.Total = 40
			p.TimeLimit = func([]taskset.Task) time.Duration { return 1500 * time.Millisecond }
			p.Retries = 20
			l.Engine.Apply(p)
			if err := hangs.Await(t.Context(), faketarget.Hung, 1); err != nil {
				t.Fatal(err)
			}
			l.await("the failure to be noticed", func(s campaign.Snapshot) bool { return s.Tally.Retried > 0 })
			hangs.Thaw()
			l.await("completion", complete)
			records := l.finals(p.Total)
			succeeded(t, records)
			if reasons := l.reasons(); reasons[0] != campaign.ReasonTimedOut && reasons[0] != campaign.ReasonTargetSilent {
				t.Errorf("reasons %v", reasons)
			}
		})
	}
}

func TestF13AfterTheThawTheTargetIsUsedAgain(t *testing.T) {
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtMessage, After: 6, Do: faketarget.Hang()}}})
	l := newLabWith(t, taskloader.Options{IOTimeout: time.Second}, target)
	l.cannotReset = true
	p := l.plan(four)
	p.TimeLimit = func([]taskset.Task) time.Duration { return time.Second }
	p.Retries = 20
	l.Engine.Apply(p)
	l.await("the failure to be noticed", func(s campaign.Snapshot) bool { return s.Tally.Retried > 0 })
	target.Thaw()
	l.await("completion", complete)
	succeeded(t, l.finals(p.Total))
}

func TestF14LostConnection(t *testing.T) {
	cases := map[string]struct {
		do   faketarget.Action
		want string
	}{
		"FIN":   {faketarget.Close(), campaign.ReasonSessionLost},
		"reset": {faketarget.Reset(), campaign.ReasonSessionReset},
	}
	for name, tc := range cases {
		for _, at := range []faketarget.Step{
			faketarget.AtGoSend, faketarget.AtBinary, faketarget.AtStart, faketarget.AtRelease, faketarget.AtPush,
		} {
			t.Run(fmt.Sprint(name, " at ", at), func(t *testing.T) {
				t.Parallel()
				target := fake(t, faketarget.Options{
					Job: faketarget.Takes(2), Faults: []faketarget.Fault{{At: at, Do: tc.do}},
				})
				// Neither the time limit of a minute nor a time-out ends the attempt, so it was noticed.
				l := newLabWith(t, taskloader.Options{IOTimeout: time.Minute}, target)
				records := l.run(l.plan(four))
				succeeded(t, records)
				got := l.reasons()
				// A write into a connection that is closed already can only be reset.
				if len(got) != 1 || got[0] != tc.want && got[0] != campaign.ReasonSessionReset {
					t.Errorf("reasons %v, want %s once", got, tc.want)
				}
				if n := target.Count(faketarget.Opened); n != 2 {
					t.Errorf("%d connections, want 2", n)
				}
			})
		}
	}
}

func TestF14LostWithTwoJobsRunning(t *testing.T) {
	target := fake(t, faketarget.Options{
		Job:    faketarget.Takes(50),
		Faults: []faketarget.Fault{{At: faketarget.AtRelease, Running: 2, Do: faketarget.Reset()}},
	})
	l := newLab(t, target)
	records := l.run(l.plan(two))
	succeeded(t, records)
	if records[0].Attempt != 2 || len(records[0].Jobs) != 2 {
		t.Errorf("attempt %d with jobs %v", records[0].Attempt, outcomes(records[0]))
	}
}

func TestF15RefusedThenUp(t *testing.T) {
	late, up := fake(t, faketarget.Options{}), fake(t, faketarget.Options{Job: faketarget.Takes(1)})
	late.Refuse()
	l := newLab(t, late, up)
	p := l.plan(hey6)
	p.Suspended = true
	l.Engine.Apply(p)
	l.await("loading", func(s campaign.Snapshot) bool { return s.State == campaign.StateSuspended })
	up.Hang() // so that the work lasts until the other one is up
	p.Suspended = false
	l.Engine.Apply(p)
	l.await("some attempts to connect", func(campaign.Snapshot) bool { return l.looked.Load() >= 6 })
	if err := late.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := late.Await(t.Context(), "START", 3); err != nil {
		t.Fatal("the target is not used although it listens")
	}
	up.Thaw()
	l.await("completion", complete)
	succeeded(t, l.finals(p.Total))
}

func TestF23RetryLimitAndPoison(t *testing.T) {
	job := func(j faketarget.Job) faketarget.Plan {
		if j.Task.Priority == 3 {
			return faketarget.Plan{Milliseconds: faketarget.Endless, Do: faketarget.Reset()}
		}
		return faketarget.Plan{}
	}
	a, b := fake(t, faketarget.Options{Job: job}), fake(t, faketarget.Options{Job: job})
	l := newLab(t, a, b)
	p := l.plan(four)
	p.Retries = 2
	records := l.run(p)
	for _, r := range records {
		if poison := r.Variant == 2; r.Succeeded == poison {
			t.Errorf("variant %d: %s after %d attempts", r.Variant, r.Reason, r.Attempt)
		}
	}
	if r := records[2]; r.Attempt != 3 || r.Reason != campaign.ReasonSessionReset || r.Message == "" {
		t.Errorf("the poison variant: attempt %d, %s: %s", r.Attempt, r.Reason, r.Message)
	}
	sent := 0
	for _, tasks := range slices.Concat(starts(a), starts(b)) {
		if tasks[0].Priority == 3 {
			sent++
		}
	}
	if sent != 3 {
		t.Errorf("the poison variant was sent %d times, want 3", sent)
	}
}

// D6: a binary that was missing made its variant fail and be tried again for ever.
func TestF23MissingBinary(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	p := l.plan(one)
	binaries := p.Binaries
	p.Binaries = nil
	l.Engine.Apply(p)
	s := l.await("the block", func(s campaign.Snapshot) bool { return s.Blocked != "" && s.Running == 0 })
	if !strings.Contains(s.Blocked, `pkg "hey" of task hello`) {
		t.Errorf("blocked: %s", s.Blocked)
	}
	if target.Count("CLEAR") != 0 || len(l.records()) != 0 || l.fetched.Load() > 2 {
		t.Errorf("%d sent, %d records, %d attempts to fetch", target.Count("CLEAR"), len(l.records()), l.fetched.Load())
	}
	p.Binaries = binaries
	succeeded(t, l.run(p))
}

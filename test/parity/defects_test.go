package parity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// D2: a session that was found while a run began missed its start and stayed idle for ever.
func TestD02ATargetThatJoinsARunningCampaignGetsWork(t *testing.T) {
	first := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Do: faketarget.Hang()}}})
	second := fake(t, faketarget.Options{})
	l := newLab(t, first, second)
	both := l.plan(four)
	alone := both
	alone.Targets = both.Targets[:1]
	l.Engine.Apply(alone)
	if err := first.Await(t.Context(), faketarget.Hung, 1); err != nil {
		t.Fatal(err)
	}
	l.Engine.Apply(both)
	l.await("the work of the second target", func(s campaign.Snapshot) bool { return s.Finished == 3 })
	first.Thaw()
	l.await("completion", complete)
}

// D3: a host that refused once was dropped for ever; if it was the only one the run never ended.
func TestD03AHostThatRefusedIsUsedOnceItListens(t *testing.T) {
	target := fake(t, faketarget.Options{})
	target.Refuse()
	l := newLab(t, target)
	p := l.plan(four)
	l.Engine.Apply(p)
	l.await("some attempts", func(campaign.Snapshot) bool { return l.looked.Load() >= 3 })
	if err := target.Listen(); err != nil {
		t.Fatal(err)
	}
	l.await("completion", complete)
	for _, r := range l.finals(p.Total) {
		if r.Attempt != 1 {
			t.Errorf("variant %d: being refused counts as attempt %d", r.Variant, r.Attempt)
		}
	}
}

// D4: each failed connect left a dead session in the list.
func TestD04FailedConnectsLeaveNothingBehind(t *testing.T) {
	registry := session.NewRegistry(nil)
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtQuery, Times: 3, Do: faketarget.Reset()}}, Generation: taskset.G1802})
	l := newLabWith(t, taskloader.Options{Registry: registry}, target)
	p := l.plan("tasks: [{name: hello, pkg: hey, periodMilliseconds: 5, caps: 100}]")
	p.Targets[0].Generation = taskset.Auto
	succeeded(t, l.run(p))
	if open := registry.Snapshot(); len(open) > 1 {
		t.Errorf("open sessions: %+v", open)
	}
	l.stop()
	if open := registry.Snapshot(); len(open) != 0 {
		t.Errorf("open sessions of a stopped engine: %+v", open)
	}
}

// broken is a space in which one variant cannot be made.
type broken struct{ campaign.Space }

func (b broken) At(n uint64) ([]taskset.Task, error) {
	if n == 1 {
		return nil, errors.New("no such attribute")
	}
	return b.Space.At(n)
}

// D5: every error that was not the operating system's killed the session, and its variant stayed in progress.
func TestD05AVariantThatCannotBeMadeHarmsNoOther(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	p := l.plan(four)
	p.Space = broken{p.Space}
	for _, r := range l.run(p) {
		if r.Succeeded == (r.Variant == 1) || r.Attempt != 1 {
			t.Errorf("variant %d: attempt %d, %s", r.Variant, r.Attempt, r.Reason)
		}
	}
	if n := target.Count(faketarget.Opened); n != 1 {
		t.Errorf("%d connections: the session did not survive", n)
	}
}

// D8: a start that came while a slow session was starting was lost.
func TestD08AStartDuringASlowStartIsNotLost(t *testing.T) {
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtBinaries, Do: faketarget.Hang()}}})
	l := newLab(t, target)
	p := l.plan(four)
	l.Engine.Apply(p)
	if err := target.Await(t.Context(), faketarget.Hung, 1); err != nil {
		t.Fatal(err)
	}
	l.Engine.Forget("c")
	l.Engine.Apply(p)
	target.Thaw()
	succeeded(t, l.run(p))
}

// D9: a stop that was asked to wait did not.
func TestD09AStopWaitsUntilTheTargetsAreAtRest(t *testing.T) {
	registry := session.NewRegistry(nil)
	target := fake(t, faketarget.Options{Job: faketarget.Takes(faketarget.Endless)})
	l := newLabWith(t, taskloader.Options{Registry: registry}, target)
	l.Engine.Apply(l.plan(one))
	if err := target.Await(t.Context(), "START", 1); err != nil {
		t.Fatal(err)
	}
	l.stop()
	if open := registry.Snapshot(); len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
	if err := target.Await(t.Context(), faketarget.Ended, 1); err != nil {
		t.Fatal(err)
	}
	if target.Count("STOP") != 1 || target.Count("CLEAR") != 2 {
		t.Errorf("%d STOP and %d CLEAR, want the goodbye", target.Count("STOP"), target.Count("CLEAR"))
	}
}

// D10: an error on a session that had no work was an error of another kind.
func TestD10AConnectionLostWhileIdleIsReplaced(t *testing.T) {
	for _, reset := range []bool{false, true} {
		t.Run(fmt.Sprint("reset ", reset), func(t *testing.T) {
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			p := l.plan(four)
			p.Total = 2
			l.run(p)
			target.Drop(reset)
			more := l.plan(four)
			more.ID = "c"
			l.Engine.Forget("c")
			records := l.run(more)
			succeeded(t, records)
		})
	}
}

// D12: without targets nothing ever ended, not even the waiting.
func TestD12ACampaignWithoutTargetsWaitsForOne(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	p := l.plan(four)
	none := p
	none.Targets = nil
	l.Engine.Apply(none)
	l.await("loading", func(s campaign.Snapshot) bool { return s.State == campaign.StateRunning && s.Running == 0 })
	succeeded(t, l.run(p))
}

// G1, G3: the end of the file counted as an empty event, 50,000 times a second, also inside a frame.
func TestG01TheEndOfFileIsNews(t *testing.T) {
	half := faketarget.Profile(faketarget.Event{Type: "START"})[:30]
	for name, tc := range map[string]struct {
		faults []faketarget.Fault
		want   error
	}{
		"between frames": {[]faketarget.Fault{{At: faketarget.AtRelease, Do: faketarget.Close()}}, session.ErrLost},
		"inside a frame": {[]faketarget.Fault{{At: faketarget.AtRelease, Do: faketarget.Send(half)}, {At: faketarget.AtRelease, Do: faketarget.Close()}}, session.ErrLost},
		"by a reset":     {[]faketarget.Fault{{At: faketarget.AtRelease, Do: faketarget.Reset()}}, session.ErrReset},
	} {
		t.Run(name, func(t *testing.T) {
			target := fake(t, faketarget.Options{Faults: tc.faults})
			err := session.With(t.Context(), taskloader.New(taskloader.Options{IOTimeout: time.Minute}), at(target), func(s session.Session) error {
				if err := s.Start(t.Context(), oneTask(binary("hey", 100))); err != nil {
					return err
				}
				_, err := s.Next(t.Context())
				if _, again := s.Next(t.Context()); again == nil || err == nil || again.Error() != err.Error() {
					t.Errorf("first %v, then %v", err, again)
				}
				return err
			})
			if !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
		})
	}
}

func at(target *faketarget.Target) session.Target {
	return session.Target{Name: "a", Address: target.Address(), Generation: target.Generation()}
}

// oneTask is a run of one job that every generation can do.
func oneTask(b session.Binary) session.Run {
	return session.Run{
		Tasks:    []taskset.Task{{Name: "hello", Pkg: b.Name, Quota: 1 << 20, NumberOfJobs: 1}},
		Binaries: map[string]session.Binary{b.Name: b},
	}
}

// G8: a push was taken for GO_SEND; here it is as long as GO_SEND is large.
func TestG08AFrameOf144BytesIsNoGoSend(t *testing.T) {
	frame := faketarget.Profile(faketarget.Event{Type: "START", Stamp: 1}, faketarget.Event{Type: "EXIT", Stamp: 2})
	if len(frame) != 4+0x90 {
		t.Fatalf("the frame has %d bytes", len(frame)-4)
	}
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtGoSend, Do: faketarget.Send(frame)}}})
	l := newLab(t, target)
	records := l.run(l.plan(one))
	succeeded(t, records)
	if records[0].Attempt != 1 || target.Count(faketarget.Unknown) != 0 {
		t.Errorf("attempt %d, %d unknown words", records[0].Attempt, target.Count(faketarget.Unknown))
	}
}

// T2, S2, W3: jobs of one variant turned up in another one. A target goes on with the tasks of a client that it
// has lost; what CLEAR makes of them is said when the next variant runs already.
func TestT02JobsOfALostSessionAreNotThoseOfTheNext(t *testing.T) {
	job := func(j faketarget.Job) faketarget.Plan {
		if j.Start == 1 {
			return faketarget.Plan{Milliseconds: faketarget.Endless, Do: faketarget.Reset()}
		}
		return faketarget.Plan{Milliseconds: 5}
	}
	for _, generation := range []string{taskset.G1608a, taskset.G1608b, taskset.G1802} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, fake(t, faketarget.Options{Generation: generation, LatePushes: true, Job: job}))
			spec := "tasks: [{name: hello, pkg: hey, periodMilliseconds: 50}]"
			if generation == taskset.G1802 {
				spec = strings.Replace(spec, "50}", "50, caps: 100}", 1)
			}
			r := l.run(l.plan(spec))[0]
			if ms, _ := r.Jobs[0].Response(); r.Attempt != 2 || len(r.Jobs) != 1 || r.Jobs[0].Outcome != session.EventExit || ms < 4 {
				t.Errorf("attempt %d, jobs %v, response time %d", r.Attempt, outcomes(r), ms)
			}
		})
	}
}

// P1, S1: OPTIMIZE went to generations that do not know it and put the stream out of step.
func TestNoGenerationIsSentAWordThatItDoesNotKnow(t *testing.T) {
	for _, generation := range []string{taskset.G2017, taskset.G1608a, taskset.G1608b, taskset.G1802} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{Generation: generation, Job: faketarget.Takes(1)})
			l := newLabWith(t, taskloader.Options{PollInterval: time.Millisecond}, target)
			spec := "tasks: [{name: hello, pkg: hey, periodMilliseconds: 5, numberOfJobs: 1}]\n"
			if generation == taskset.G1802 {
				spec = strings.Replace(spec, "1}", "1, caps: 100}", 1)
			}
			succeeded(t, l.run(l.plan(spec+"sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 3}}]")))
			if n := target.Count(faketarget.Unknown); n != 0 {
				t.Errorf("%d unknown words", n)
			}
		})
	}
}

// W8: every variant uploaded every binary again, which leaks on 1802.
func TestABinaryIsSentOncePerConnection(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(hey6)))
	if n := target.Count("BINARY"); n != 1 || target.Count("START") != 127 {
		t.Errorf("%d uploads for %d variants", n, target.Count("START"))
	}
}

// A changed binary of the same name had no effect, or overwrote the target's memory.
func TestAChangedBinaryTakesEffectOnEveryGeneration(t *testing.T) {
	for _, generation := range []string{taskset.G2017, taskset.G1608a, taskset.G1608b, taskset.G1802} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			ran := make(chan [32]byte, 10)
			target := fake(t, faketarget.Options{Generation: generation, Job: func(j faketarget.Job) faketarget.Plan {
				ran <- j.Binary
				return faketarget.Plan{}
			}})
			class := taskloader.New(taskloader.Options{PollInterval: time.Millisecond})
			for _, size := range []int{1000, 500, 2000, 1000} {
				b := binary("hey", size)
				run := oneTask(b)
				if generation == taskset.G1802 {
					run.Tasks[0].Period, run.Tasks[0].Caps = 5, 100
				}
				err := session.With(t.Context(), class, at(target), func(s session.Session) error {
					if err := s.Start(t.Context(), run); err != nil {
						return err
					}
					_, err := s.Next(t.Context())
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := <-ran; got != b.SHA256 {
					t.Errorf("with %d bytes another binary runs", size)
				}
			}
			if target.Count(faketarget.Died) != 0 {
				t.Error("the target has died of it")
			}
		})
	}
}

// Half a binary of a lost connection stays on the target under its name.
func TestHalfABinaryIsNeverRun(t *testing.T) {
	for _, generation := range []string{taskset.G1608a, taskset.G1608b, taskset.G1802} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			ran := make(chan [32]byte, 10)
			target := fake(t, faketarget.Options{
				Generation: generation, ReceiveBuffer: 4096,
				Faults: []faketarget.Fault{{At: faketarget.AtBinaryHeader, Do: faketarget.Hang()}},
				Job:    func(j faketarget.Job) faketarget.Plan { ran <- j.Binary; return faketarget.Plan{} },
			})
			b := binary("hey", 16<<20)
			run := oneTask(b)
			if generation == taskset.G1802 {
				run.Tasks[0].Period, run.Tasks[0].Caps = 5, 100
			}
			class := taskloader.New(taskloader.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				_ = target.Await(ctx, faketarget.Hung, 1)
				cancel()
			}()
			err := session.With(t.Context(), class, at(target), func(s session.Session) error { return s.Start(ctx, run) })
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("the first start: %v", err)
			}
			target.Thaw()
			err = session.With(t.Context(), class, at(target), func(s session.Session) error {
				if err := s.Start(t.Context(), run); err != nil {
					return err
				}
				_, err := s.Next(t.Context())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := <-ran; got != sha256.Sum256(b.Content) {
				t.Error("a damaged binary runs")
			}
		})
	}
}

// W2: a run could never end: any outcome but EXIT, any lost frame, any refused task.
func TestEveryRunEnds(t *testing.T) {
	cases := map[string]faketarget.Options{
		"a job that never ends":      {Job: faketarget.Takes(faketarget.Endless)},
		"a task that is not started": {Job: func(faketarget.Job) faketarget.Plan { return faketarget.Plan{Refused: true} }},
		"frames that are lost":       {Faults: []faketarget.Fault{{At: faketarget.AtPush, Times: -1, Do: faketarget.Skip()}}},
	}
	for name, o := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, fake(t, o))
			p := l.plan(one)
			p.TimeLimit = func([]taskset.Task) time.Duration { return 300 * time.Millisecond }
			p.Retries = 1
			r := l.run(p)[0]
			if r.Succeeded || r.Reason != campaign.ReasonTimedOut || !strings.Contains(r.Message, "task hello had ended 0 of 1 jobs") {
				t.Errorf("%s: %s", r.Reason, r.Message)
			}
		})
	}
}

// W4: failures left nothing, and successes did not say where and when they were.
func TestEveryAttemptHasItsProvenance(t *testing.T) {
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Do: faketarget.Reset()}}})
	l := newLab(t, target)
	l.run(l.plan(four))
	records := l.records()
	if len(records) != 5 {
		t.Errorf("%d records of four variants and one failure", len(records))
	}
	for _, r := range records {
		for what, lacks := range map[string]bool{
			"target": r.Target != "a", "address": r.Address != target.Address(), "generation": r.Generation != taskset.G1608b,
			"values": r.Values != fmt.Sprintf(`{"hello.priority":"%d"}`, r.Variant+1), "reason": r.Reason == "",
			"message": !r.Succeeded && r.Message == "", "times": r.Started.IsZero() || r.Ended.Before(r.Started),
		} {
			if lacks {
				t.Errorf("attempt %d at variant %d: %s is wrong: %+v", r.Attempt, r.Variant, what, r)
			}
		}
	}
}

// W5: a target that resets every connection was tried as fast as the machine could.
func TestThereIsNoHotRetryLoop(t *testing.T) {
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtClear, Times: -1, Do: faketarget.Reset()}}})
	l := newLab(t, target)
	p := l.plan(one)
	p.Retries = 4
	began := time.Now()
	r := l.run(p)[0]
	if r.Succeeded || r.Attempt != 5 || target.Count(faketarget.Opened) != 5 {
		t.Errorf("attempt %d after %d connections", r.Attempt, target.Count(faketarget.Opened))
	}
	if took := time.Since(began); took < time.Second { // the pauses alone are 100 + 200 + 400 + 800 ms
		t.Errorf("five attempts in %s", took)
	}
}

// W9: variants were materialized; here the memory of a long campaign is that of a short one.
func TestMemoryDoesNotGrowWithVariants(t *testing.T) {
	l := newLab(t, fake(t, faketarget.Options{}))
	p := l.plan(one + "sweeps: [{task: hello, attribute: executionTimeMilliseconds, range: {from: 1, to: 1000000}}]")
	l.Engine.Apply(p)
	heap := func(finished uint64) uint64 {
		l.await("more variants", func(s campaign.Snapshot) bool { return s.Finished >= finished })
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	early := heap(100)
	late := heap(600)
	const perVariant = 8 << 10 // what the fake remembers of one, with room to spare
	if late > early+500*perVariant {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
	l.Engine.Forget("c")
}

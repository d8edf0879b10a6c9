package supervisor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
)

// rig is a Supervisor on a fake world inside a synctest bubble.
type rig struct {
	*testing.T
	*Supervisor
	world *world
	lines chan string
}

// run runs test with a Supervisor whose guest takes a second to boot.
func run(t *testing.T, change func(*Settings, *world), test func(r rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{bootTime: time.Second, restoreTime: 30 * time.Millisecond, saveTime: 50 * time.Millisecond}
		settings := Settings{
			Health: health.Settings{BootTimeout: 10 * time.Second}, Steps: all,
			Accelerator: AcceleratorTCG, ReadyPort: 3001,
		}
		if change != nil {
			change(&settings, w)
		}
		lines := make(chan string)
		s := New(Config{Settings: settings, Launch: w.launch, Network: w, Console: w, ReadyLine: lines})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run = %v", err)
			}
			if !w.current().ended {
				t.Error("QEMU outlived its supervisor")
			}
		}()
		test(rig{T: t, Supervisor: s, world: w, lines: lines})
	})
}

// until waits for a State and returns it together with the time that it took.
func (r rig) until(what string, within time.Duration, holds func(agentapi.State) bool) (agentapi.State, time.Duration) {
	r.Helper()
	began := time.Now()
	for {
		changed := r.Changed()
		s := r.State()
		if holds(s) {
			return s, time.Since(began)
		}
		rest := within - time.Since(began)
		if rest <= 0 {
			r.Fatalf("not %s after %s: %+v", what, within, s)
		}
		select {
		case <-changed:
		case <-time.After(rest):
		}
	}
}

func ready(s agentapi.State) bool    { return s.Ready }
func notReady(s agentapi.State) bool { return !s.Ready }

func (r rig) freeze() { r.world.change(func(w *world) { w.frozen = true }) }

func TestAGuestBootsAndItsSnapshotIsProven(t *testing.T) {
	run(t, func(_ *Settings, w *world) { w.portTime = 500 * time.Millisecond }, func(r rig) {
		// The supervisor has begun to run, or is about to.
		first := r.State()
		if first.Verdict != agentapi.VerdictUnknown && first.Verdict != agentapi.VerdictBooting || first.Ready {
			t.Errorf("before anything happened: %+v", first)
		}
		r.until("booting", time.Second, func(s agentapi.State) bool { return s.Verdict == agentapi.VerdictBooting })
		s, took := r.until("ready", 5*time.Second, ready)
		if s.Verdict != agentapi.VerdictAlive || s.Snapshot.State != agentapi.SnapshotUsable ||
			s.Snapshot.SizeBytes != 17<<20 || s.Snapshot.SaveMilliseconds != 50 || s.Snapshot.RestoreMilliseconds < 30 {
			t.Errorf("ready, but %+v", s)
		}
		if took < 1500*time.Millisecond || took > 2500*time.Millisecond {
			t.Errorf("ready after %s", took)
		}
		if s.Boots != 1 || s.Incarnation != 2 {
			t.Errorf("boots %d, incarnation %d; want one boot and the proof", s.Boots, s.Incarnation)
		}
		if r.world.probes != 1 {
			t.Errorf("%d connections to the port; want exactly one", r.world.probes)
		}
	})
}

func TestAFrozenGuestIsRestored(t *testing.T) {
	cases := map[string]struct {
		interval, timeout time.Duration
		maxSilence        time.Duration
	}{
		"default settings": {200 * time.Millisecond, 900 * time.Millisecond, time.Second},
		"fast settings":    {50 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			run(t, func(c *Settings, _ *world) { c.EchoInterval, c.Health.EchoTimeout = tc.interval, tc.timeout }, func(r rig) {
				before, _ := r.until("ready", 5*time.Second, ready)
				time.Sleep(30 * time.Second)
				r.freeze()
				found, took := r.until("found", 2*time.Second, notReady)
				if found.Verdict != agentapi.VerdictSilentToPing || took > tc.maxSilence {
					t.Errorf("verdict %s after %s", found.Verdict, took)
				}
				s, outage := r.until("restored", time.Second, ready)
				if outage > 100*time.Millisecond {
					t.Errorf("outage of %s", outage)
				}
				if s.Recoveries != (agentapi.RecoveryCounts{Restore: 1}) || s.Incarnation != before.Incarnation+1 || s.Boots != before.Boots {
					t.Errorf("after a restore: %+v", s)
				}
				last := s.LastRecovery
				if last == nil || last.Step != "Restore" || !last.Done || last.Verdict != agentapi.VerdictSilentToPing ||
					last.SilentMilliseconds < tc.timeout.Milliseconds() || last.OutageMilliseconds < 30 || last.OutageMilliseconds > 100 {
					t.Errorf("recovery: %+v", last)
				}
				d, err := r.Diagnosis()
				if err != nil || d.Step != "Restore" || d.RunState != "running" || d.ProgramCounter() != "00000000deadbeef" ||
					len(d.Console) != 2 || len(d.Echoes) == 0 || len(d.Errors) != 0 {
					t.Errorf("diagnosis: %+v, %v", d, err)
				}
				if r.world.count("save") != 1 || r.world.probes != 1 {
					t.Errorf("%d snapshots, %d probes; want one of each", r.world.count("save"), r.world.probes)
				}
			})
		})
	}
}

func TestTheLadderIsClimbed(t *testing.T) {
	cases := map[string]struct {
		before   func(*Settings, *world) // set up
		freeze   func(r rig)             // default: the guest freezes
		want     agentapi.RecoveryCounts
		wantStep string
		within   time.Duration
	}{
		"a restore that does not help is followed by a reset": {
			freeze: func(r rig) { r.world.change(func(w *world) { w.frozen, w.restoreDead = true, true }) },
			want:   agentapi.RecoveryCounts{Reset: 1}, wantStep: "Reset", within: 6 * time.Second},
		"a restore that QEMU refuses is followed by a reset": {
			freeze: func(r rig) {
				r.world.change(func(w *world) { w.frozen, w.loadError = true, errors.New("snapshot-load: bad magic") })
			},
			want: agentapi.RecoveryCounts{Reset: 1}, wantStep: "Reset", within: 4 * time.Second},
		"without restore the guest is reset": {
			before: func(c *Settings, _ *world) { c.Steps = []Step{StepReset} },
			want:   agentapi.RecoveryCounts{Reset: 1}, wantStep: "Reset", within: 4 * time.Second},
		"a QEMU that does not answer is relaunched": {
			freeze: func(r rig) { r.world.change(func(w *world) { w.frozen, w.mute = true, true }) },
			want:   agentapi.RecoveryCounts{Relaunch: 1}, wantStep: "Relaunch", within: 8 * time.Second},
		"a QEMU that has ended is relaunched": {
			freeze: func(r rig) { r.world.current().end(errors.New("status 1")) },
			want:   agentapi.RecoveryCounts{Relaunch: 1}, wantStep: "Relaunch", within: 4 * time.Second},
		"a reset that does not help is followed by a relaunch": {
			freeze: func(r rig) {
				r.world.change(func(w *world) { w.frozen, w.restoreDead, w.resetsDead = true, true, true })
				time.AfterFunc(12*time.Second, func() { r.world.change(func(w *world) { w.restoreDead = false }) })
			},
			want: agentapi.RecoveryCounts{Relaunch: 1}, wantStep: "Relaunch", within: 20 * time.Second},
		"a panic is healed although the guest answers no worse": {
			freeze: func(r rig) {
				m := r.world.current()
				r.world.change(func(*world) { m.runState = "guest-panicked" })
				m.event("GUEST_PANICKED", nil)
			},
			want: agentapi.RecoveryCounts{Restore: 1}, wantStep: "Restore", within: time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			run(t, tc.before, func(r rig) {
				r.until("ready", 5*time.Second, ready)
				if tc.freeze == nil {
					r.freeze()
				} else {
					tc.freeze(r)
				}
				r.until("found", 2*time.Second, notReady)
				s, _ := r.until("recovered", tc.within, ready)
				if s.Recoveries != tc.want || s.LastRecovery.Step != tc.wantStep || !s.LastRecovery.Done {
					t.Errorf("recoveries %+v, last %+v", s.Recoveries, s.LastRecovery)
				}
			})
		})
	}
}

func TestAfterARelaunchThereIsANewSnapshot(t *testing.T) {
	run(t, nil, func(r rig) {
		r.until("ready", 5*time.Second, ready)
		r.world.current().end(errors.New("status 1"))
		r.until("found", time.Second, notReady)
		s, _ := r.until("relaunched", 5*time.Second, ready)
		if s.Boots != 2 || s.Snapshot.State != agentapi.SnapshotUsable || r.world.count("save") != 2 {
			t.Errorf("%d saves, state %+v", r.world.count("save"), s)
		}
	})
}

func TestWhenNoStepIsLeftThePodNeedsToBeReplaced(t *testing.T) {
	run(t, nil, func(r rig) {
		r.until("ready", 5*time.Second, ready)
		r.world.change(func(w *world) { w.frozen, w.restoreDead, w.resetsDead, w.launchDead = true, true, true, true })
		s, _ := r.until("lost", 40*time.Second, func(s agentapi.State) bool { return s.NeedsReplacement })
		if s.Ready || s.Recoveries != (agentapi.RecoveryCounts{}) || s.LastRecovery.Step != "Relaunch" || s.LastRecovery.Done {
			t.Errorf("lost: %+v, last %+v", s, s.LastRecovery)
		}
		calls := len(r.world.calls)
		time.Sleep(10 * time.Minute)
		if now := len(r.world.calls); now != calls {
			t.Errorf("%d more commands although nothing is left to try", now-calls)
		}
		r.world.change(func(w *world) { w.frozen = false })
		if s, _ := r.until("back by itself", 5*time.Second, ready); s.NeedsReplacement {
			t.Error("ready, and yet to be replaced")
		}
	})
}

func TestAGuestThatFailsAgainAndAgainClimbsHigher(t *testing.T) {
	run(t, nil, func(r rig) {
		r.until("ready", 5*time.Second, ready)
		r.world.change(func(w *world) { w.bootTime = 100 * time.Millisecond })
		for range 30 {
			time.Sleep(time.Second)
			r.freeze()
			r.until("found", 2*time.Second, notReady)
			if s, _ := r.until("recovered or lost", 10*time.Second, func(s agentapi.State) bool { return s.Ready || s.NeedsReplacement }); s.NeedsReplacement {
				break
			}
		}
		s := r.State()
		want := agentapi.RecoveryCounts{Restore: 3, Reset: 3, Relaunch: 3}
		if !s.NeedsReplacement || s.Recoveries != want {
			t.Errorf("needs replacement %t after %+v, want %+v", s.NeedsReplacement, s.Recoveries, want)
		}
	})
}

func TestASnapshotThatTheGuestDoesNotSurviveIsDropped(t *testing.T) {
	cases := map[string]func(*world){
		"it never answers again": func(w *world) { w.restoreDead = true },
		"QEMU refuses to load":   func(w *world) { w.loadError = errors.New("snapshot-load: no such device") },
		"QEMU refuses to save":   func(w *world) { w.saveError = errors.New("snapshot-save: no space") },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			run(t, func(_ *Settings, w *world) { change(w) }, func(r rig) {
				s, _ := r.until("ready", 10*time.Second, ready)
				if s.Snapshot.State != agentapi.SnapshotProofFailed || s.Snapshot.Message == "" || s.Boots != 2 {
					t.Errorf("after a failed proof: %+v", s)
				}
				r.freeze()
				r.until("found", 2*time.Second, notReady)
				s, _ = r.until("reset", 5*time.Second, ready)
				if s.LastRecovery.Step != "Reset" || s.Snapshot.State != agentapi.SnapshotProofFailed {
					t.Errorf("recovered by %s with a snapshot that %s", s.LastRecovery.Step, s.Snapshot.State)
				}
			})
		})
	}
}

func TestAGuestThatCannotBeResetAfterItsProofIsRelaunched(t *testing.T) {
	run(t, func(_ *Settings, w *world) { w.restoreDead, w.resetError = true, errors.New("no") }, func(r rig) {
		s, _ := r.until("ready", 20*time.Second, ready)
		if s.Snapshot.State != agentapi.SnapshotProofFailed || s.Recoveries.Relaunch != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAPauseOnPurposeIsNotHealed(t *testing.T) {
	run(t, nil, func(r rig) {
		r.until("ready", 5*time.Second, ready)
		if err := r.Do(r.Context(), agentapi.ActionCont); !errors.Is(err, agentapi.ErrConflict) {
			t.Errorf("cont of a running guest = %v", err)
		}
		if err := r.Do(r.Context(), agentapi.ActionStop); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s := r.State()
		if s.Verdict != agentapi.VerdictPaused || s.Ready || s.RunState != "paused" || s.LastRecovery != nil {
			t.Errorf("an hour after stop: %+v", s)
		}
		if err := r.Do(r.Context(), agentapi.ActionCont); err != nil {
			t.Fatal(err)
		}
		r.until("ready", time.Second, ready)
		time.Sleep(time.Minute)
		if s := r.State(); !s.Ready || s.LastRecovery != nil {
			t.Errorf("after cont: %+v", s)
		}
	})
}

func TestBootOverdue(t *testing.T) {
	run(t, func(_ *Settings, w *world) { w.bootTime = time.Hour }, func(r rig) {
		s, took := r.until("overdue", 11*time.Second, func(s agentapi.State) bool { return s.Verdict == agentapi.VerdictBootOverdue })
		if took < 10*time.Second || !strings.Contains(s.Message, "no echo reply yet") {
			t.Errorf("after %s: %s", took, s.Message)
		}
		s, took = r.until("lost", time.Minute, func(s agentapi.State) bool { return s.NeedsReplacement })
		if r.world.count("reset") != 1 || r.world.count("launch") != 2 || r.world.count("load") != 0 {
			t.Errorf("lost after %s: %v, %+v", took, r.world.calls, s)
		}
	})
}

func TestAPortThatNeverAcceptsIsABootThatIsOverdue(t *testing.T) {
	run(t, func(c *Settings, w *world) { w.portTime = time.Hour; c.Steps = []Step{} }, func(r rig) {
		s, _ := r.until("lost", time.Minute, func(s agentapi.State) bool { return s.NeedsReplacement })
		if s.Verdict != agentapi.VerdictBootOverdue || !strings.Contains(s.Message, "port 3001 does not accept") {
			t.Errorf("%s: %s", s.Verdict, s.Message)
		}
	})
}

func TestTheReadyLineIsWaitedFor(t *testing.T) {
	run(t, func(c *Settings, _ *world) { c.ReadyLogPattern = "init done" }, func(r rig) {
		s, _ := r.until("waiting for the line", 5*time.Second, func(s agentapi.State) bool { return strings.Contains(s.Message, "init done") })
		if s.Verdict != agentapi.VerdictBooting || r.world.probes != 0 {
			t.Errorf("%+v, %d probes", s, r.world.probes)
		}
		r.lines <- "init done"
		r.until("ready", 2*time.Second, ready)
	})
}

func TestARebootLoopIsFound(t *testing.T) {
	run(t, func(c *Settings, w *world) { w.bootTime = time.Hour; c.Steps = []Step{StepReset} }, func(r rig) {
		r.until("booting", time.Second, func(s agentapi.State) bool { return s.Verdict == agentapi.VerdictBooting })
		for range 4 {
			time.Sleep(time.Second)
			r.world.current().event("RESET", map[string]any{"guest": true, "reason": "guest-reset"})
		}
		s, _ := r.until("lost", time.Second, func(s agentapi.State) bool { return s.NeedsReplacement })
		if s.Verdict != agentapi.VerdictRebootLoop || s.Boots != 5 || r.world.count("reset") != 0 {
			t.Errorf("%s after %d boots, %d resets of ours", s.Verdict, s.Boots, r.world.count("reset"))
		}
	})
}

func TestResetsByTheFirmwareArePartOfABoot(t *testing.T) {
	run(t, func(c *Settings, _ *world) { c.Steps = []Step{StepReset}; c.Health.RebootLimit = 1 }, func(r rig) {
		before, _ := r.until("ready", 5*time.Second, ready)
		r.freeze()
		r.until("booting after the reset", 2*time.Second, func(s agentapi.State) bool { return s.Boots > before.Boots })
		for range 2 {
			time.Sleep(10 * time.Millisecond)
			r.world.current().event("RESET", map[string]any{"guest": true})
		}
		s, _ := r.until("ready", 5*time.Second, ready)
		if s.Boots != before.Boots+1 || s.Incarnation != before.Incarnation+1 || s.LastRecovery.Step != "Reset" {
			t.Errorf("%+v, last %+v", s, s.LastRecovery)
		}
	})
}

func TestAFastRebootLoopIsFound(t *testing.T) {
	run(t, func(c *Settings, w *world) { w.bootTime = time.Hour; c.Steps = []Step{} }, func(r rig) {
		r.until("booting", time.Second, func(s agentapi.State) bool { return s.Verdict == agentapi.VerdictBooting })
		for range 50 {
			time.Sleep(100 * time.Millisecond)
			r.world.current().event("RESET", map[string]any{"guest": true})
		}
		if s := r.State(); s.Verdict != agentapi.VerdictRebootLoop || !s.NeedsReplacement {
			t.Errorf("%+v", s)
		}
	})
}

func TestAResetByTheGuestItselfIsABoot(t *testing.T) {
	run(t, nil, func(r rig) {
		before, _ := r.until("ready", 5*time.Second, ready)
		cuts := r.world.cuts
		m := r.world.current()
		r.world.change(func(w *world) { m.bootedAt = time.Now().Add(w.bootTime) })
		m.event("RESET", map[string]any{"guest": true})
		s, _ := r.until("booting", time.Second, func(s agentapi.State) bool { return s.Verdict == agentapi.VerdictBooting })
		if s.Boots != before.Boots+1 || s.Incarnation != before.Incarnation+1 || r.world.cuts <= cuts {
			t.Errorf("%+v, %d cuts", s, r.world.cuts-cuts)
		}
		s, _ = r.until("ready", 5*time.Second, ready)
		if s.LastRecovery != nil || r.world.probes != 2 {
			t.Errorf("recovery %+v, %d probes", s.LastRecovery, r.world.probes)
		}
		m.event("RESET", map[string]any{"guest": false}) // ours, or that of a restore
		time.Sleep(time.Second)
		if again := r.State(); again.Boots != s.Boots || !again.Ready {
			t.Errorf("a reset that was not the guest's own counts: %+v", again)
		}
	})
}

func TestAutoFallsBackToTCG(t *testing.T) {
	run(t, func(c *Settings, w *world) { c.Accelerator, c.KVMUsable, w.kvmDead = AcceleratorAuto, true, true }, func(r rig) {
		if s := r.State(); s.Accelerator != AcceleratorKVM {
			t.Errorf("first under %s", s.Accelerator)
		}
		s, took := r.until("ready", 20*time.Second, ready)
		if s.Accelerator != AcceleratorTCG || took < 10*time.Second || len(r.world.kvm) != 2 || r.world.kvm[1] {
			t.Errorf("ready under %s after %s: %v", s.Accelerator, took, r.world.kvm)
		}
		if s.LastRecovery != nil {
			t.Errorf("the change counts as a recovery: %+v", s.LastRecovery)
		}
		r.world.current().end(errors.New("status 1"))
		r.until("found", time.Second, notReady)
		r.until("ready", 5*time.Second, ready)
		if r.world.kvm[2] {
			t.Error("KVM was believed in again")
		}
	})
}

func TestALaunchThatFailsNeedsAnotherPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{launchError: errors.New("qemu-system-x86_64: not found")}
		s := New(Config{Settings: Settings{Steps: all}, Launch: w.launch, Network: w, Console: w})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		r := rig{T: t, Supervisor: s, world: w}
		state, _ := r.until("lost", time.Second, func(s agentapi.State) bool { return s.NeedsReplacement })
		if state.Verdict != agentapi.VerdictQEMUExited || !strings.Contains(state.Message, "not found") || w.count("launch") != 2 {
			t.Errorf("%+v", state)
		}
		if r.Started() {
			t.Error("QEMU counts as started")
		}
		cancel()
		<-ended
	})
}

func TestStepsOnRequest(t *testing.T) {
	run(t, nil, func(r rig) {
		if err := r.Do(r.Context(), agentapi.ActionRestore); !errors.Is(err, agentapi.ErrConflict) {
			t.Errorf("restore without a snapshot = %v", err)
		}
		before, _ := r.until("ready", 5*time.Second, ready)
		for _, a := range []agentapi.Action{agentapi.ActionRestore, agentapi.ActionReset, agentapi.ActionRelaunch} {
			if err := r.Do(r.Context(), a); err != nil {
				t.Fatalf("%s: %v", a, err)
			}
			if a != agentapi.ActionRestore {
				r.until("not ready", time.Second, notReady)
			}
			r.until("ready after "+string(a), 5*time.Second, ready)
		}
		s := r.State()
		if s.Boots != before.Boots+2 || s.Recoveries != (agentapi.RecoveryCounts{}) || s.LastRecovery.Step != "Relaunch" {
			t.Errorf("%+v, last %+v", s, s.LastRecovery)
		}
		if err := r.Do(r.Context(), "dance"); !errors.Is(err, agentapi.ErrNotFound) {
			t.Errorf("an unknown action = %v", err)
		}
	})
}

func TestEarlyClientsAreCutBeforeTheSnapshot(t *testing.T) {
	run(t, func(_ *Settings, w *world) { w.open = 3 }, func(r rig) {
		s, _ := r.until("ready", 5*time.Second, ready)
		if s.Snapshot.State != agentapi.SnapshotUsable || s.OpenConnections != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestASilentGuestIsLookedAtOftenEnoughToNoticeWhyItIsSilent(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"default": 900 * time.Millisecond, "fast": 250 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			run(t, func(c *Settings, _ *world) { c.Health.EchoTimeout = timeout; c.EchoInterval = timeout / 4 }, func(r rig) {
				r.until("ready", 5*time.Second, ready)
				r.freeze()
				time.Sleep(timeout / 4) // its last answer came before this
				before := 0
				r.world.change(func(w *world) { before = w.looks })
				time.Sleep(timeout / 2)
				r.world.change(func(w *world) {
					if looks := w.looks - before; looks < turnShare/2-1 {
						t.Errorf("%d looks at QEMU's CPU times within %s of silence", looks, timeout/2)
					}
				})
			})
		})
	}
}

func TestAQuietGuestIsReportedToWatchersRarely(t *testing.T) {
	run(t, nil, func(r rig) {
		r.until("ready", 5*time.Second, ready)
		changed := r.Changed()
		time.Sleep(time.Minute)
		select {
		case <-changed:
			t.Error("echoes alone count as news")
		default:
		}
		if age := time.Since(r.State().LastEcho); age > time.Second {
			t.Errorf("the newest echo is %s old", age)
		}
		if !r.Turning() {
			t.Error("the loop does not turn")
		}
	})
}

package campaign

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// some is a numbered space of which only some variants are run.
type some struct {
	numbered
	multiples
}

func TestVariantsThatAreLeftOutNeedNoTarget(t *testing.T) {
	f, s := &fakes{}, store(t)
	e, stop := start(t, f, s)
	p := plan("c", 10_000, "a", "b")
	p.Space = some{multiples: 7}
	e.Apply(p)
	snap := await(t, e, "c", "completion", complete)
	const admitted = 1429 // 0, 7, ... 9996
	if snap.Skipped != 10_000-admitted-1 || snap.Finished != admitted+1 {
		t.Errorf("%d skipped, %d finished", snap.Skipped, snap.Finished)
	}
	records := finals(t, s, "c")
	if r := records[13]; r.Reason != ReasonInvalidVariant || !strings.Contains(r.Message, "no such key") || len(records) != admitted+1 {
		t.Errorf("%d records; the variant that nothing can be said about: %s: %s", len(records), r.Reason, r.Message)
	}
	stop()
	again, _ := start(t, f, s)
	again.Apply(p)
	if after := await(t, again, "c", "completion", complete); after.Skipped != snap.Skipped || after.Finished != snap.Finished {
		t.Errorf("after a restart: %d skipped, %d finished", after.Skipped, after.Finished)
	}
	if n := len(f.ran()); n != admitted {
		t.Errorf("%d variants ran", n)
	}
}

func TestACampaignOfWhichEverythingIsLeftOutEnds(t *testing.T) {
	e, _ := start(t, &fakes{}, store(t))
	p := plan("c", 13)
	p.Space = some{}
	e.Apply(p)
	if snap := await(t, e, "c", "completion", complete); snap.Skipped != 13 || snap.Finished != 0 {
		t.Errorf("%d skipped, %d finished", snap.Skipped, snap.Finished)
	}
}

func TestACampaignOfAnotherSpecIsRefused(t *testing.T) {
	f, s := &fakes{}, store(t)
	e, _ := start(t, f, s)
	p := plan("c", 3, "a")
	p.SpecHash = "1"
	e.Apply(p)
	await(t, e, "c", "completion", complete)
	e.Forget("c")
	p.SpecHash = "2"
	e.Apply(p)
	snap := await(t, e, "c", "the refusal", func(s Snapshot) bool { return s.State == StateRefused })
	if !strings.Contains(snap.Blocked, "another spec") || len(f.ran()) != 3 {
		t.Errorf("blocked: %s; %d variants ran", snap.Blocked, len(f.ran()))
	}
}

func TestAHigherPriorityGetsTheTargetFirst(t *testing.T) {
	f := &fakes{gate: make(chan struct{})}
	e, _ := start(t, f, store(t))
	e.Apply(plan("low", 5, "a"))
	await(t, e, "low", "the first variant", func(s Snapshot) bool { return s.Running == 1 })
	p := plan("high", 3, "a")
	p.Priority = 1
	e.Apply(p)
	await(t, e, "high", "loading", func(s Snapshot) bool { return s.State == StateRunning })
	for range 4 {
		f.gate <- struct{}{}
	}
	await(t, e, "high", "completion", complete)
	if s, _ := e.Snapshot("low"); s.Finished > 1 {
		t.Errorf("the other campaign has finished %d variants meanwhile", s.Finished)
	}
	close(f.gate)
	await(t, e, "low", "completion", complete)
}

func TestTwoNamesOfAnAddressAreOneTarget(t *testing.T) {
	f := &fakes{}
	e, _ := start(t, f, store(t))
	x, y := plan("x", 50, "a"), plan("y", 50, "b")
	x.Targets[0].Address, y.Targets[0].Address = "10.0.0.1:3001", "10.0.0.1:3001"
	e.Apply(x)
	e.Apply(y)
	await(t, e, "x", "completion", complete)
	await(t, e, "y", "completion", complete)
	if most := f.most.Load(); most != 1 {
		t.Errorf("%d variants at a time on one target", most)
	}
}

func TestStopEndsWhatRunsAndResumeRunsItAgain(t *testing.T) {
	f, s := &fakes{gate: make(chan struct{})}, store(t)
	e, _ := start(t, f, s)
	p := plan("c", 4, "a", "b")
	e.Apply(p)
	await(t, e, "c", "two variants", func(s Snapshot) bool { return s.Running == 2 })
	p.Stopped = true
	e.Apply(p)
	await(t, e, "c", "the stop", func(s Snapshot) bool { return s.State == StateStopped && s.Running == 0 })
	if f.stops.Load() < 2 || len(finals(t, s, "c")) != 0 {
		t.Errorf("%d stops, %d records", f.stops.Load(), len(finals(t, s, "c")))
	}
	close(f.gate)
	p.Stopped = false
	e.Apply(p)
	if snap := await(t, e, "c", "completion", complete); snap.Tally.Retried != 0 {
		t.Errorf("a stop counts as %d failures", snap.Tally.Retried)
	}
	for n, r := range finals(t, s, "c") {
		if r.Attempt != 1 {
			t.Errorf("variant %d: attempt %d", n, r.Attempt)
		}
	}
}

// poisoned fails variant 1 until it is cured.
func poisoned() (f *fakes, cure func()) {
	var cured atomic.Bool
	f = &fakes{fault: func(_ string, variant uint64) error {
		if variant == 1 && !cured.Load() {
			return fmt.Errorf("frame of 4 GiB: %w", session.ErrGarbage)
		}
		return nil
	}}
	return f, func() { cured.Store(true) }
}

func TestFailedVariantsAreTriedAgainOnDemand(t *testing.T) {
	f, cure := poisoned()
	s := store(t)
	e, _ := start(t, f, s)
	e.Apply(plan("c", 3, "a", "b"))
	await(t, e, "c", "completion", complete)
	n, err := e.Retry(t.Context(), "c") // in vain: as many attempts again
	if err != nil || n != 1 {
		t.Fatalf("%d variants reopened, %v", n, err)
	}
	snap := await(t, e, "c", "completion", func(s Snapshot) bool { return complete(s) && s.Tally.Failed == 1 })
	if r := finals(t, s, "c")[1]; r.Attempt != 6 || snap.Tally.Retried != 5 {
		t.Errorf("attempt %d, %d retried; want 6 and 5", r.Attempt, snap.Tally.Retried)
	}
	cure()
	if n, err := e.Retry(t.Context(), "c"); err != nil || n != 1 {
		t.Fatalf("%d variants reopened, %v", n, err)
	}
	await(t, e, "c", "completion", func(s Snapshot) bool { return complete(s) && s.Tally.Succeeded == 3 && s.Tally.Failed == 0 })
	if n, err := e.Retry(t.Context(), "c"); err != nil || n != 0 {
		t.Errorf("%d variants reopened although none has failed, %v", n, err)
	}
	await(t, e, "c", "completion", complete)
	if _, err := e.Retry(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a campaign that does not exist: %v", err)
	}
}

func TestAPlanTriesFailedVariantsAgainOnce(t *testing.T) {
	f, cure := poisoned()
	s := store(t)
	e, stop := start(t, f, s)
	p := plan("c", 3, "a", "b")
	e.Apply(p)
	await(t, e, "c", "completion", func(s Snapshot) bool { return complete(s) && s.Tally.Failed == 1 })
	cure()
	p.Retry = 2
	e.Apply(p)
	snap := await(t, e, "c", "completion", func(s Snapshot) bool { return complete(s) && s.Tally.Succeeded == 3 })
	if snap.Retried != 2 {
		t.Errorf("retried %d", snap.Retried)
	}
	stop()
	// An engine that begins later finds the same campaign complete, or reopens it if that was never done.
	for _, done := range []int64{0, 2} {
		again, stop := start(t, f, s)
		p.Retried = done
		again.Apply(p)
		await(t, again, "c", "completion", complete)
		stop()
	}
	if n := len(f.ran()); n != 3+2+1 {
		t.Errorf("%d attempts", n)
	}
}

func TestABadTargetGoesIntoQuarantineAndTheOthersGoOn(t *testing.T) {
	f, s := &fakes{}, store(t)
	gate := make(chan struct{}) // the sound target waits for the bad one
	f.fault = func(target string, _ uint64) error {
		if target == "a" {
			return fmt.Errorf("read event: %w", session.ErrReset)
		}
		<-gate
		return nil
	}
	e, _ := start(t, f, s)
	p := plan("c", 400, "a", "b")
	p.Retries = 100
	e.Apply(p)
	snap := await(t, e, "c", "the quarantine", func(s Snapshot) bool { return len(s.Quarantined) == 1 })
	if q := snap.Quarantined[0]; q.Target != "a" || q.Reason != ReasonSessionReset {
		t.Errorf("quarantine %+v", q)
	}
	close(gate)
	await(t, e, "c", "completion", complete)
	bad := 0
	for _, x := range f.ran() {
		if strings.HasPrefix(x, "a/") {
			bad++
		}
	}
	if bad != quarantineAfter {
		t.Errorf("%d attempts on the bad target", bad)
	}
}

func TestATargetWithoutABinaryDoesNotStopTheOthers(t *testing.T) {
	f := &fakes{}
	f.binaries.Store("b/hey", []byte("\x7fELF"))
	e, _ := start(t, f, store(t))
	p := plan("c", 30, "a", "b")
	p.Binaries = nil
	e.Apply(p)
	await(t, e, "c", "completion", complete)
	for _, x := range f.ran() {
		if strings.HasPrefix(x, "a/") {
			t.Errorf("%s ran without its binary", x)
		}
	}
}

func TestASessionForEachVariant(t *testing.T) {
	f := &fakes{}
	e, _ := start(t, f, store(t))
	p := plan("c", 10, "a")
	p.PerVariant = true
	e.Apply(p)
	await(t, e, "c", "completion", complete)
	if n := f.connects.Load(); n != 10 {
		t.Errorf("%d sessions for 10 variants", n)
	}
}

func TestAFreshGuestForEachVariant(t *testing.T) {
	f, s := &fakes{}, store(t)
	e, _ := start(t, f, s)
	p := plan("c", 10, "a")
	p.Reset = ResetRestore
	e.Apply(p)
	await(t, e, "c", "completion", complete)
	var incarnations []int64
	for _, r := range finals(t, s, "c") {
		incarnations = append(incarnations, r.Incarnation)
	}
	slices.Sort(incarnations)
	if diff := cmp.Diff([]int64{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, incarnations); diff != "" {
		t.Errorf("incarnations (-want +got):\n%s", diff)
	}
}

func TestATargetThatCannotBeResetIsNamed(t *testing.T) {
	f := &fakes{cannot: true}
	e, _ := start(t, f, store(t))
	p := plan("c", 2, "a")
	p.Reset = ResetRestore
	e.Apply(p)
	snap := await(t, e, "c", "the block", func(s Snapshot) bool { return s.Blocked != "" })
	if !strings.Contains(snap.Blocked, "spec.targetReset Restore: target a") || snap.BlockedReason != BlockedReset || len(f.ran()) != 0 {
		t.Errorf("%s: %s", snap.BlockedReason, snap.Blocked)
	}
	p.Reset = ResetNone
	e.Apply(p)
	await(t, e, "c", "completion", complete)
}

func TestATargetInUseCostsNoAttempt(t *testing.T) {
	f, s := &fakes{cannot: true}, store(t)
	f.deaf = "a"
	e, _ := start(t, f, s)
	p := plan("c", 20, "a", "b")
	p.Parallelism = 1
	e.Apply(p)
	snap := await(t, e, "c", "completion", complete)
	if snap.Tally.Retried > 0 || len(snap.Quarantined) > 0 && snap.Quarantined[0].Reason != ReasonInUse {
		t.Errorf("%d retried, %+v", snap.Tally.Retried, snap.Quarantined)
	}
	alone := plan("d", 1, "a")
	e.Apply(alone)
	await(t, e, "d", "the quarantine", func(s Snapshot) bool {
		return len(s.Quarantined) == 1 && s.Quarantined[0].Reason == ReasonInUse && time.Until(s.Quarantined[0].Until) > 20*time.Second
	})
	if len(finals(t, s, "d")) != 0 {
		t.Error("the variant was given up although the target is only in use")
	}
}

func TestAnObserverHearsOfEveryAttempt(t *testing.T) {
	f, cure := poisoned()
	cure()
	var mu sync.Mutex
	heard := map[string][]string{}
	e, _ := startWith(t, Options{Store: store(t), Class: f, Fleet: f, Observe: func(n results.Notice) {
		mu.Lock()
		defer mu.Unlock()
		attempt := fmt.Sprintf("%d/%d", n.Variant, n.Attempt)
		text := string(n.Kind)
		if n.Record != nil {
			text += " " + n.Record.Reason
		}
		if n.Name != "default/c" || n.Tasks == nil || n.Target == "" || n.Time.IsZero() {
			t.Errorf("notice %+v", n)
		}
		heard[attempt] = append(heard[attempt], text)
	}})
	f.fault = func(_ string, variant uint64) error {
		if variant == 1 && len(f.ran()) < 4 {
			return session.ErrReset
		}
		return nil
	}
	e.Apply(plan("c", 3, "a"))
	await(t, e, "c", "completion", complete)
	well := []string{"Started", "Observed", "Finished Completed"}
	want := map[string][]string{"0/1": well, "1/1": {"Started", "Stopped SessionReset"}, "1/2": well, "2/1": well}
	deadline := time.After(10 * time.Second)
	for diff := "-"; diff != ""; {
		mu.Lock()
		diff = cmp.Diff(want, heard)
		mu.Unlock()
		select {
		case <-deadline:
			t.Fatalf("heard (-want +got):\n%s", diff)
		case <-time.After(time.Millisecond):
		}
	}
}

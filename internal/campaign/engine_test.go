package campaign

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/genode-operator/genode-operator/internal/session"
)

func TestEveryVariantIsRecordedOnce(t *testing.T) {
	f, s := &fakes{}, store(t)
	e, _ := start(t, f, s)
	e.Apply(plan("c", 200, "a", "b", "c", "d"))
	snap := await(t, e, "c", "completion", complete)
	if snap.Tally.Succeeded != 200 || snap.Tally.Tasks["hello"].Jobs != 200 || snap.Tally.Tasks["hello"].Min != 3 {
		t.Errorf("tally %+v, task %+v", snap.Tally, snap.Tally.Tasks["hello"])
	}
	if got := finals(t, s, "c"); len(got) != 200 {
		t.Errorf("%d variants in the store, want 200", len(got))
	}
	if len(snap.Tally.RecentJobs) != MaxRecentJobs {
		t.Errorf("%d recent jobs, want %d", len(snap.Tally.RecentJobs), MaxRecentJobs)
	}
}

func TestALostSessionPutsItsVariantBack(t *testing.T) {
	f, s := &fakes{}, store(t)
	var once sync.Map
	f.fault = func(target string, variant uint64) error {
		if _, seen := once.LoadOrStore(variant, target); !seen && variant%3 == 0 {
			return fmt.Errorf("read event: %w", session.ErrReset)
		}
		return nil
	}
	e, _ := start(t, f, s)
	e.Apply(plan("c", 9, "a", "b"))
	snap := await(t, e, "c", "completion", complete)
	if snap.Tally.Succeeded != 9 || snap.Tally.Retried != 3 {
		t.Errorf("succeeded %d, retried %d; want 9 and 3", snap.Tally.Succeeded, snap.Tally.Retried)
	}
	for n, r := range finals(t, s, "c") {
		first, _ := once.Load(n)
		if n%3 == 0 && (r.Attempt != 2 || r.Target == first) {
			t.Errorf("variant %d: attempt %d on %s, want attempt 2 elsewhere than on %s", n, r.Attempt, r.Target, first)
		}
	}
}

func TestRetriesAreLimited(t *testing.T) {
	f, s := &fakes{}, store(t)
	f.fault = func(_ string, variant uint64) error {
		if variant == 1 {
			return fmt.Errorf("frame of 4 GiB: %w", session.ErrGarbage)
		}
		return nil
	}
	e, _ := start(t, f, s)
	e.Apply(plan("c", 3, "a", "b"))
	snap := await(t, e, "c", "completion", complete)
	if snap.Tally.Succeeded != 2 || snap.Tally.Failed != 1 || snap.Tally.Retried != 2 {
		t.Errorf("succeeded %d, failed %d, retried %d; want 2, 1, 2", snap.Tally.Succeeded, snap.Tally.Failed, snap.Tally.Retried)
	}
	if r := finals(t, s, "c")[1]; r.Reason != ReasonMalformed || !strings.Contains(r.Message, "4 GiB") {
		t.Errorf("final record of the poison variant: %+v", r)
	}
}

func TestWhatATargetDoesNotSupportIsNotRetried(t *testing.T) {
	f, s := &fakes{}, store(t)
	f.fault = func(string, uint64) error { return fmt.Errorf("caps: %w", session.ErrUnsupported) }
	e, _ := start(t, f, s)
	e.Apply(plan("c", 1, "a"))
	await(t, e, "c", "completion", complete)
	if r := finals(t, s, "c")[0]; r.Attempt != 1 || r.Reason != ReasonUnsupported {
		t.Errorf("record %+v, want attempt 1, reason Unsupported", r)
	}
}

func TestAFullDiskPausesTheCampaign(t *testing.T) {
	f, s := &fakes{}, &faultyStore{Store: store(t)}
	s.failures.Store(3)
	e, _ := start(t, f, s)
	e.Apply(plan("c", 5, "a"))
	await(t, e, "c", "the store's error", func(s Snapshot) bool { return strings.Contains(s.StoreError, "disk is full") })
	snap := await(t, e, "c", "completion", complete)
	if snap.StoreError != "" || len(finals(t, s, "c")) != 5 {
		t.Errorf("store error %q and %d records after the disk has room again", snap.StoreError, len(finals(t, s, "c")))
	}
}

func TestARestartLosesNothingAndRepeatsNothing(t *testing.T) {
	s := store(t)
	for done := 0; done < 20; done += 5 {
		f := &fakes{gate: make(chan struct{}, 5)} // five variants may end; the sixth and seventh are running when the engine stops
		for range cap(f.gate) {
			f.gate <- struct{}{}
		}
		e, stop := start(t, f, s)
		e.Apply(plan("c", 23, "a", "b"))
		await(t, e, "c", "five more variants", func(s Snapshot) bool { return s.Finished == uint64(done+5) && s.Running == 2 })
		stop()
		if got := len(finals(t, s, "c")); got != done+5 {
			t.Fatalf("%d variants in the store after the stop, want %d", got, done+5)
		}
	}
	e, _ := start(t, &fakes{}, s)
	e.Apply(plan("c", 23, "a"))
	snap := await(t, e, "c", "completion", complete)
	if snap.Tally.Succeeded != 23 || len(finals(t, s, "c")) != 23 {
		t.Errorf("succeeded %d, %d records; want 23", snap.Tally.Succeeded, len(finals(t, s, "c")))
	}
}

func TestAMissingBinaryBlocksUntilItIsThere(t *testing.T) {
	f := &fakes{}
	e, _ := start(t, f, store(t))
	p := plan("c", 2, "a")
	p.Binaries = nil
	e.Apply(p)
	snap := await(t, e, "c", "the block", func(s Snapshot) bool { return s.Blocked != "" })
	if !strings.Contains(snap.Blocked, `pkg "hey" of task hello`) || snap.Finished != 0 {
		t.Errorf("blocked %q, finished %d", snap.Blocked, snap.Finished)
	}
	f.binaries.Store("hey", []byte("\x7fELF"))
	snap = await(t, e, "c", "completion", complete)
	if snap.Tally.Retried != 0 || snap.Blocked != "" {
		t.Errorf("after the binary came: %+v", snap)
	}
}

func TestSuspendAndResume(t *testing.T) {
	f := &fakes{gate: make(chan struct{})}
	e, _ := start(t, f, store(t))
	p := plan("c", 4, "a")
	e.Apply(p)
	f.gate <- struct{}{}
	await(t, e, "c", "the second variant", func(s Snapshot) bool { return s.Finished == 1 && s.Running == 1 })
	p.Suspended = true
	e.Apply(p)
	f.gate <- struct{}{} // what runs ends normally
	await(t, e, "c", "suspension", func(s Snapshot) bool {
		return s.State == StateSuspended && s.Running == 0 && s.Finished == 2
	})
	p.Suspended = false
	e.Apply(p)
	f.gate <- struct{}{}
	f.gate <- struct{}{}
	await(t, e, "c", "completion", complete)
}

func TestParallelismIsABound(t *testing.T) {
	f := &fakes{}
	e, _ := start(t, f, store(t))
	p := plan("c", 60, "a", "b", "c", "d")
	p.Parallelism = 2
	e.Apply(p)
	await(t, e, "c", "completion", complete)
	if most := f.most.Load(); most > 2 {
		t.Errorf("%d variants ran at a time, want at most 2", most)
	}
}

func TestTwoCampaignsShareATarget(t *testing.T) {
	f := &fakes{gate: make(chan struct{})}
	e, _ := start(t, f, store(t))
	e.Apply(plan("x", 5, "a"))
	await(t, e, "x", "the first variant", func(s Snapshot) bool { return s.Running == 1 })
	e.Apply(plan("y", 5, "a"))
	await(t, e, "y", "loading", func(s Snapshot) bool { return s.State == StateRunning })
	f.gate <- struct{}{}
	y := await(t, e, "y", "its turn: the other one has had the target so far", func(s Snapshot) bool { return s.Running == 1 })
	if x, _ := e.Snapshot("x"); x.Running+y.Running > 1 {
		t.Errorf("one target runs %d variants at a time", x.Running+y.Running)
	}
	close(f.gate)
	await(t, e, "x", "completion", complete)
	await(t, e, "y", "completion", complete)
}

func TestAForgottenCampaignStops(t *testing.T) {
	f := &fakes{gate: make(chan struct{})}
	e, _ := start(t, f, store(t))
	e.Apply(plan("c", 3, "a"))
	await(t, e, "c", "a running variant", func(s Snapshot) bool { return s.Running == 1 })
	e.Forget("c")
	if _, there := e.Snapshot("c"); there {
		t.Error("still there")
	}
	e.Apply(plan("d", 1, "a"))
	close(f.gate)
	await(t, e, "d", "completion of the next campaign", complete)
}

func TestATargetThatOnlyAnswersPingsIsReset(t *testing.T) {
	f, s := &fakes{}, store(t)
	f.fault = func(string, uint64) error {
		if f.resets.Load() == 0 {
			return fmt.Errorf("waiting for GO_SEND: %w", session.ErrTimeout)
		}
		return nil
	}
	e, _ := start(t, f, s)
	p := plan("c", 1, "a")
	p.Retries = 5
	e.Apply(p)
	snap := await(t, e, "c", "completion", complete)
	if f.resets.Load() != 1 || snap.Tally.Succeeded != 1 {
		t.Errorf("%d resets, succeeded %d; want 1 and 1", f.resets.Load(), snap.Tally.Succeeded)
	}
}

// A target that gets many short variants at once and is then at a long one must not keep the rest from others.
func TestWhatATargetIsNotAtIsTakenBackForAnother(t *testing.T) {
	f, gate := &fakes{}, make(chan struct{})
	f.fault = func(target string, variant uint64) error {
		if target == "a" && variant >= 30 {
			<-gate
		}
		return nil
	}
	const total = 400
	e, _ := start(t, f, store(t))
	alone := plan("c", total, "a")
	e.Apply(alone)
	await(t, e, "c", "the long variant", func(s Snapshot) bool { return s.Finished >= 30 })
	e.Apply(plan("c", total, "a", "b"))
	await(t, e, "c", "everything else", func(s Snapshot) bool { return s.Finished == total-1 })
	close(gate)
	await(t, e, "c", "completion", complete)
}

package campaign

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// gatedStore holds every Put until the gate opens, or ctx ends.
type gatedStore struct {
	results.Store
	gate    chan struct{}
	holding atomic.Int32
}

func (s *gatedStore) Put(ctx context.Context, r ...results.Record) error {
	s.holding.Add(1)
	defer s.holding.Add(-1)
	select {
	case <-s.gate:
		return s.Store.Put(ctx, r...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once checks that every variant has exactly one record, and ran exactly once.
func once(t *testing.T, f *fakes, s results.Store, total uint64) {
	t.Helper()
	if got := finals(t, s, "c"); uint64(len(got)) != total {
		t.Errorf("%d variants in the store, want %d", len(got), total)
	}
	if n := len(f.ran()); uint64(n) != total {
		t.Errorf("%d attempts at %d variants", n, total)
	}
}

func TestTargetsDoNotWaitForASlowStore(t *testing.T) {
	f, s := &fakes{}, &gatedStore{Store: store(t), gate: make(chan struct{})}
	e, _ := start(t, f, s)
	const total = 1000
	e.Apply(plan("c", total, "a"))
	// The target goes on until there is no room left for records, and no further.
	snap := await(t, e, "c", "the room for records to be used up", func(Snapshot) bool { return len(f.ran()) >= maxUnwrittenPerWorker })
	if snap.Finished != 0 || snap.Tally.Succeeded != 0 {
		t.Errorf("%d variants are finished although nothing is stored", snap.Finished)
	}
	await(t, e, "c", "the target to rest", func(s Snapshot) bool { return s.Running == 0 })
	if n := len(f.ran()); n > maxUnwrittenPerWorker+1 {
		t.Errorf("%d variants ran while the store took nothing", n)
	}
	close(s.gate)
	await(t, e, "c", "completion", complete)
	once(t, f, s, total)
}

func TestAFailedWriteStopsTheHandOutAndLosesNothing(t *testing.T) {
	f, s := &fakes{}, &faultyStore{Store: store(t)}
	s.failures.Store(1 << 20)
	e, _ := start(t, f, s)
	const total = 5000
	e.Apply(plan("c", total, "a", "b"))
	await(t, e, "c", "the store's error", func(s Snapshot) bool { return strings.Contains(s.StoreError, "disk is full") })
	snap := await(t, e, "c", "the targets to rest", func(s Snapshot) bool { return s.Running == 0 })
	ran := len(f.ran())
	if ran >= total || snap.Finished != 0 {
		t.Errorf("%d variants ran, %d finished, while the store failed", ran, snap.Finished)
	}
	s.failures.Store(0)
	if snap := await(t, e, "c", "completion", complete); snap.StoreError != "" {
		t.Errorf("store error %q although it works", snap.StoreError)
	}
	once(t, f, s, total)
}

func TestOneCampaignsWritesDoNotHoldUpAnother(t *testing.T) {
	f, s := &fakes{}, &picky{Store: store(t), campaign: "x"}
	e, _ := start(t, f, s)
	e.Apply(plan("x", 3, "a"))
	await(t, e, "x", "the store's error", func(s Snapshot) bool { return s.StoreError != "" })
	e.Apply(plan("c", 20, "a"))
	await(t, e, "c", "completion", complete)
	e.Forget("x")
	s.mended.Store(true)
}

// picky fails the writes of one campaign.
type picky struct {
	results.Store
	campaign string
	mended   atomic.Bool
}

func (s *picky) Put(ctx context.Context, r ...results.Record) error {
	if r[0].Campaign == s.campaign && !s.mended.Load() {
		return errors.New("I do not like it")
	}
	return s.Store.Put(ctx, r...)
}

func TestAnEngineThatEndsWaitsForWhatIsBeingWritten(t *testing.T) {
	f, inner := &fakes{}, store(t)
	s := &gatedStore{Store: inner, gate: make(chan struct{})}
	e, stop := start(t, f, s)
	e.Apply(plan("c", 8, "a"))
	await(t, e, "c", "all variants to have run", func(s Snapshot) bool { return len(f.ran()) == 8 && s.Running == 0 })
	var ended sync.WaitGroup
	ended.Go(stop)
	close(s.gate)
	ended.Wait()
	once(t, f, inner, 8)
}

func TestAStoreThatHangsDoesNotKeepTheEngine(t *testing.T) {
	f, inner := &fakes{}, store(t)
	s := &gatedStore{Store: inner, gate: make(chan struct{})}
	clock := clocktesting.NewFakeClock(time.Now())
	e, stop := startWith(t, Options{Store: s, Class: f, Fleet: f, Clock: clock})
	e.Apply(plan("c", 8, "a"))
	await(t, e, "c", "a write", func(Snapshot) bool { return s.holding.Load() > 0 })
	ended := make(chan struct{})
	go func() { defer close(ended); stop() }()
	for {
		select {
		case <-ended:
		case <-time.After(time.Millisecond):
			clock.Step(writeLimit)
			continue
		}
		break
	}
	if got := finals(t, inner, "c"); len(got) != 0 {
		t.Errorf("%d variants in the store", len(got))
	}
	// What was not written is run again, under the same number.
	again, _ := start(t, f, inner)
	again.Apply(plan("c", 8, "a"))
	await(t, again, "c", "completion", complete)
	for n, r := range finals(t, inner, "c") {
		if r.Attempt != 1 {
			t.Errorf("variant %d: attempt %d", n, r.Attempt)
		}
	}
}

func TestACampaignThatIsDeletedAndComesBackKeepsWhatIsBeingWritten(t *testing.T) {
	f, s := &fakes{}, &gatedStore{Store: store(t), gate: make(chan struct{})}
	e, _ := start(t, f, s)
	e.Apply(plan("c", 8, "a"))
	await(t, e, "c", "all variants to have run", func(s Snapshot) bool { return len(f.ran()) == 8 && s.Running == 0 })
	e.Forget("c")
	e.Apply(plan("c", 8, "a"))
	close(s.gate)
	await(t, e, "c", "completion", complete)
	once(t, f, s, 8)
}

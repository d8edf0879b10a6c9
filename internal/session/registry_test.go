package session_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/genode-operator/genode-operator/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRegistryListsWhatIsOpen(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	r := session.NewRegistry(clock)
	a := r.Enter("arm-0", "127.0.0.1:3001")
	clock.SetTime(time.Unix(1001, 0))
	b := r.Enter("arm-1", "127.0.0.2:3001")
	b.Received(5)
	b.Received(6)
	b.Sent(7)
	b.StartedVariant()
	want := []session.OpenSession{
		{ID: 1, Target: "arm-0", Peer: "127.0.0.1:3001", Since: time.Unix(1000, 0)},
		{ID: 2, Target: "arm-1", Peer: "127.0.0.2:3001", Since: time.Unix(1001, 0), BytesIn: 11, BytesOut: 7, Variants: 1},
	}
	if diff := cmp.Diff(want, r.Snapshot()); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
	a.Leave()
	a.Leave()
	if diff := cmp.Diff(want[1:], r.Snapshot()); diff != "" {
		t.Errorf("snapshot after one left (-want +got):\n%s", diff)
	}
	b.Leave()
	if got := r.Snapshot(); len(got) != 0 {
		t.Errorf("snapshot after all left: %v", got)
	}
}

func TestWatchersAreToldOfEveryOpenAndClose(t *testing.T) {
	r := session.NewRegistry(nil)
	changes, stop := r.Watch()
	told := func() bool {
		select {
		case _, open := <-changes:
			return open
		default:
			return false
		}
	}
	if !told() {
		t.Error("not told at once")
	}
	e := r.Enter("a", "p")
	r.Enter("b", "p").Leave()
	if !told() || told() {
		t.Error("three changes did not make one token")
	}
	e.Received(1)
	if told() {
		t.Error("told of a counter")
	}
	e.Leave()
	if !told() {
		t.Error("not told of the end")
	}
	e.Leave()
	if told() {
		t.Error("told of leaving twice")
	}
	stop()
	stop()
	r.Enter("c", "p").Leave()
	if told() {
		t.Error("told after stop")
	}
}

func TestRegistryUnderConcurrentUse(t *testing.T) {
	r := session.NewRegistry(nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				e := r.Enter("t", "p")
				e.Sent(1)
				r.Snapshot()
				_, stop := r.Watch()
				e.Leave()
				stop()
			}
		})
	}
	wg.Wait()
	if got := r.Snapshot(); len(got) != 0 {
		t.Errorf("%d sessions are left", len(got))
	}
}

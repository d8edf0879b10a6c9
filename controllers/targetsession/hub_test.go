package targetsession

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

var key = types.NamespacedName{Namespace: "lab", Name: "arm-0"}

// stub is an Agent whose watches the test ends, one after the other.
type stub struct {
	states chan agentapi.State
	fail   chan error

	mu     sync.Mutex
	closed bool
}

func newStub() *stub { return &stub{states: make(chan agentapi.State), fail: make(chan error)} }

func (a *stub) Watch(ctx context.Context, seen func(agentapi.State)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-a.fail:
			return err
		case s := <-a.states:
			seen(s)
		}
	}
}

func (a *stub) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
}

func (a *stub) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// hubWith runs a hub over stubs until the end of the test, and then looks for forgotten goroutines.
func hubWith(t *testing.T, c clock.Clock, stubs ...*stub) *Hub {
	t.Helper()
	leak := goleak.IgnoreCurrent()
	h := NewHub(HubOptions{Clock: c, Connect: func(Endpoint) (Agent, error) {
		if len(stubs) == 0 {
			return nil, errors.New("no stub left")
		}
		a := stubs[0]
		stubs = stubs[1:]
		return a, nil
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = h.Start(ctx) // always nil
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		goleak.VerifyNone(t, leak)
	})
	return h
}

func watch(t *testing.T, h *Hub, uid types.UID) Snapshot {
	t.Helper()
	s, err := h.Watch(key, Endpoint{PodUID: uid, Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func woken(t *testing.T, h *Hub) {
	t.Helper()
	select {
	case e := <-h.Events():
		if e.Object.GetName() != key.Name || e.Object.GetNamespace() != key.Namespace {
			t.Errorf("woken for %s/%s", e.Object.GetNamespace(), e.Object.GetName())
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody was woken")
	}
}

func TestTheHubWakesForNewsOnly(t *testing.T) {
	a := newStub()
	h := hubWith(t, clock.RealClock{}, a)
	if s := watch(t, h, "p1"); !s.Heard.IsZero() {
		t.Errorf("snapshot before the first State: %+v", s)
	}
	if _, ok := h.State(key); ok {
		t.Error("there is a State before the first one")
	}
	a.states <- agentapi.State{Verdict: agentapi.VerdictAlive}
	woken(t, h)
	// No wake-up is taken here: had this State asked for one, the hub would not take the next State.
	a.states <- agentapi.State{Verdict: agentapi.VerdictAlive, Time: time.Now(), LastEcho: time.Now(), RoundTripMicroseconds: 5, OpenConnections: 1, Message: "3 ms"}
	a.states <- agentapi.State{Verdict: agentapi.VerdictPaused}
	woken(t, h)
	if s, ok := h.State(key); !ok || s.Verdict != agentapi.VerdictPaused {
		t.Errorf("State = %+v, %v", s, ok)
	}
}

func TestAnotherPodIsAnotherWatch(t *testing.T) {
	first, second := newStub(), newStub()
	h := hubWith(t, clock.RealClock{}, first, second)
	watch(t, h, "p1")
	first.states <- agentapi.State{Verdict: agentapi.VerdictAlive}
	woken(t, h)
	if s := watch(t, h, "p1"); s.State.Verdict != agentapi.VerdictAlive {
		t.Errorf("snapshot of the same pod = %+v", s)
	}
	if s := watch(t, h, "p2"); s.PodUID != "p2" || s.State.Verdict != "" {
		t.Errorf("snapshot of the other pod = %+v", s)
	}
	second.states <- agentapi.State{Verdict: agentapi.VerdictBooting}
	woken(t, h)
	h.Forget(key)
	if _, _, ok := h.Newest(key); ok {
		t.Error("a forgotten session has a snapshot")
	}
	for end := time.Now().Add(time.Minute); !first.isClosed() || !second.isClosed(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("an agent was not closed")
		}
	}
}

func TestAnAgentIsSilentAfterSeveralHeartbeats(t *testing.T) {
	a, c := newStub(), clocktesting.NewFakeClock(now)
	h := hubWith(t, c, a)
	watch(t, h, "p1")
	a.states <- agentapi.State{Verdict: agentapi.VerdictAlive}
	woken(t, h)
	broken := errors.New("connection refused")
	retry := func(after time.Duration) {
		t.Helper()
		c.Step(after)
		a.fail <- broken
	}
	pause := func() {
		t.Helper()
		for end := time.Now().Add(time.Minute); !c.HasWaiters(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the hub makes no pause")
			}
		}
	}
	retry(time.Second)
	pause()
	if _, s, _ := h.Newest(key); s.Silent || s.Error != broken.Error() || s.State.Verdict != agentapi.VerdictAlive {
		t.Errorf("snapshot after a second: %+v", s)
	}
	c.Step(longestPause)
	retry(agentapi.WatchSilence)
	woken(t, h)
	if _, s, _ := h.Newest(key); !s.Silent || !s.SilentSince.Equal(now) {
		t.Errorf("snapshot after %s: %+v", agentapi.WatchSilence, s)
	}
	if _, ok := h.State(key); ok {
		t.Error("a silent agent still has a State")
	}
	pause()
	c.Step(longestPause)
	a.states <- agentapi.State{Verdict: agentapi.VerdictAlive}
	woken(t, h)
	if s, ok := h.State(key); !ok || s.Verdict != agentapi.VerdictAlive {
		t.Errorf("State after the silence: %+v, %v", s, ok)
	}
}

func TestAStoppedHubWatchesNobody(t *testing.T) {
	h := NewHub(HubOptions{Connect: func(Endpoint) (Agent, error) { t.Error("connected"); return newStub(), nil }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
	watch(t, h, "p1")
	if _, _, ok := h.Newest(key); ok {
		t.Error("a stopped hub watches")
	}
}

package targetsession

import (
	"context"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// Pauses between two attempts to watch an agent; each failed one doubles it.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// Agent is what the hub needs of an agent; *agentapi.Client is one.
type Agent interface {
	Watch(ctx context.Context, seen func(agentapi.State)) error
	Close()
}

// Endpoint is where the agent of one pod is reached.
type Endpoint struct {
	PodUID      types.UID
	Address     string // host:port
	Credentials agentapi.Credentials
}

func (e Endpoint) same(o Endpoint) bool {
	return e.PodUID == o.PodUID && e.Address == o.Address && e.Credentials.Token == o.Credentials.Token &&
		e.Credentials.Fingerprint() == o.Credentials.Fingerprint()
}

// Snapshot is the newest that is known of one agent.
type Snapshot struct {
	PodUID types.UID
	// State is the newest State, received at Heard; zero before the first one.
	State agentapi.State
	Heard time.Time
	// Silent is true when several heartbeats are missing; since SilentSince nothing has been heard.
	Silent      bool
	SilentSince time.Time
	// Error of the newest attempt to watch the agent, empty while it is watched.
	Error string
}

// HubOptions are for tests; the zero value is what the manager uses.
type HubOptions struct {
	// Clock defaults to real time.
	Clock clock.Clock
	// Connect makes an Agent; it must not block. Defaults to agentapi.NewClient.
	Connect func(Endpoint) (Agent, error)
}

// Hub watches the agents of all live pods, one goroutine for each, keeps their newest State, and wakes
// the queue when something changes that a reconciler would act on. It is a manager.Runnable that runs on
// the leader only.
type Hub struct {
	clock   clock.Clock
	connect func(Endpoint) (Agent, error)
	wakes   chan event.GenericEvent

	mu      sync.Mutex
	links   map[types.NamespacedName]*link
	closed  bool
	running sync.WaitGroup
}

// link is the watch of one agent.
type link struct {
	endpoint Endpoint
	agent    Agent
	cancel   context.CancelFunc
	started  time.Time

	snapshot Snapshot // guarded by Hub.mu
}

// NewHub makes a Hub; Start must run for its goroutines to end.
func NewHub(o HubOptions) *Hub {
	h := &Hub{clock: o.Clock, connect: o.Connect, wakes: make(chan event.GenericEvent), links: map[types.NamespacedName]*link{}}
	if h.clock == nil {
		h.clock = clock.RealClock{}
	}
	if h.connect == nil {
		h.connect = func(e Endpoint) (Agent, error) { return agentapi.NewClient(e.Address, e.Credentials) }
	}
	return h
}

// NeedLeaderElection makes the manager start the hub on the leader only.
func (*Hub) NeedLeaderElection() bool { return true }

// Start waits until ctx ends, and then ends every watch.
func (h *Hub) Start(ctx context.Context) error {
	<-ctx.Done()
	h.mu.Lock()
	h.closed = true
	for key := range h.links {
		h.drop(key)
	}
	h.mu.Unlock()
	h.running.Wait()
	return nil
}

// Events delivers a wake-up for each session whose agent has news.
func (h *Hub) Events() <-chan event.GenericEvent { return h.wakes }

// Watch makes sure that the agent at the endpoint is watched, ends the watch of another endpoint of the
// same session, and returns the newest snapshot at once.
func (h *Hub) Watch(key types.NamespacedName, e Endpoint) (Snapshot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.links[key]; l != nil && l.endpoint.same(e) {
		return l.snapshot, nil
	}
	h.drop(key)
	if h.closed {
		return Snapshot{PodUID: e.PodUID}, nil
	}
	agent, err := h.connect(e)
	if err != nil {
		return Snapshot{}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{endpoint: e, agent: agent, cancel: cancel, started: h.clock.Now(), snapshot: Snapshot{PodUID: e.PodUID}}
	h.links[key] = l
	h.running.Go(func() { h.follow(ctx, key, l) })
	return l.snapshot, nil
}

// Forget ends the watch of a session's agent.
func (h *Hub) Forget(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(key)
}

func (h *Hub) drop(key types.NamespacedName) {
	if l := h.links[key]; l != nil {
		l.cancel()
		delete(h.links, key)
	}
}

// Snapshot returns the newest snapshot of a session's agent; false while none is watched.
func (h *Hub) Snapshot(key types.NamespacedName) (Snapshot, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.links[key]; l != nil {
		return l.snapshot, true
	}
	return Snapshot{}, false
}

// State returns the newest State of a session's agent; false while there is none, or while the agent is silent.
func (h *Hub) State(key types.NamespacedName) (agentapi.State, bool) {
	s, ok := h.Snapshot(key)
	return s.State, ok && !s.Heard.IsZero() && !s.Silent
}

// Client returns the client of a session's agent, for example to fetch binaries; false while none is watched.
func (h *Hub) Client(key types.NamespacedName) (*agentapi.Client, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.links[key]
	if l == nil {
		return nil, false
	}
	c, ok := l.agent.(*agentapi.Client)
	return c, ok
}

// follow watches an agent, again and again, until ctx ends.
func (h *Hub) follow(ctx context.Context, key types.NamespacedName, l *link) {
	defer l.agent.Close()
	pause := firstPause
	for ctx.Err() == nil {
		err := l.agent.Watch(ctx, func(s agentapi.State) {
			pause = firstPause
			h.update(ctx, key, l, func(n *Snapshot) {
				*n = Snapshot{PodUID: n.PodUID, State: s, Heard: h.clock.Now()}
			})
		})
		if ctx.Err() != nil {
			return
		}
		h.update(ctx, key, l, func(n *Snapshot) { lost(n, l.started, h.clock.Now(), err) })
		timer := h.clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
		pause = min(2*pause, longestPause)
	}
}

// lost notes a watch that has ended; the agent counts as silent only after several missed heartbeats.
func lost(n *Snapshot, started, now time.Time, err error) {
	if err != nil {
		n.Error = err.Error()
	}
	since := n.Heard
	if since.IsZero() {
		since = started
	}
	if now.Sub(since) >= agentapi.WatchSilence {
		n.Silent, n.SilentSince = true, since
	}
}

// update changes a link's snapshot and wakes the queue if that is worth a pass.
func (h *Hub) update(ctx context.Context, key types.NamespacedName, l *link, change func(*Snapshot)) {
	h.mu.Lock()
	before := l.snapshot
	change(&l.snapshot)
	wake := news(before, l.snapshot)
	h.mu.Unlock()
	if !wake {
		return
	}
	about := &v1alpha1.TargetSession{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	select {
	case h.wakes <- event.GenericEvent{Object: about}:
	case <-ctx.Done():
	}
}

// news says whether two snapshots differ in more than what changes all the time.
func news(a, b Snapshot) bool {
	return a.Silent != b.Silent || a.Heard.IsZero() != b.Heard.IsZero() || !reflect.DeepEqual(steady(a.State), steady(b.State))
}

// steady is a State without what changes all the time.
func steady(s agentapi.State) agentapi.State {
	s.Time, s.LastEcho, s.RoundTripMicroseconds, s.OpenConnections, s.Message = time.Time{}, time.Time{}, 0, 0, ""
	return s
}

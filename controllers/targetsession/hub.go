package targetsession

import (
	"context"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/lookout"
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

// Hub watches the agents of all live pods, keeps their newest State, and wakes the queue when something
// changes that a reconciler would act on. It is a manager.Runnable that runs on the leader only.
type Hub struct {
	*lookout.Lookout[types.NamespacedName, *link, Snapshot]
	clock   clock.Clock
	connect func(Endpoint) (Agent, error)
	wakes   chan event.GenericEvent
}

// link is the watch of one agent.
type link struct {
	endpoint Endpoint
	agent    Agent
	started  time.Time
}

// NewHub makes a Hub; Start must run for its goroutines to end.
func NewHub(o HubOptions) *Hub {
	h := &Hub{clock: o.Clock, connect: o.Connect, wakes: make(chan event.GenericEvent)}
	if h.clock == nil {
		h.clock = clock.RealClock{}
	}
	if h.connect == nil {
		h.connect = func(e Endpoint) (Agent, error) { return agentapi.NewClient(e.Address, e.Credentials) }
	}
	h.Lookout = lookout.New(lookout.Options[types.NamespacedName, *link, Snapshot]{Follow: h.follow, News: news, Wake: h.wake})
	return h
}

// Events delivers a wake-up for each session whose agent has news.
func (h *Hub) Events() <-chan event.GenericEvent { return h.wakes }

func (h *Hub) wake(ctx context.Context, key types.NamespacedName) {
	about := &v1alpha1.TargetSession{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	select {
	case h.wakes <- event.GenericEvent{Object: about}:
	case <-ctx.Done():
	}
}

// Watch makes sure that the agent at the endpoint is watched, ends the watch of another endpoint of the
// same session, and returns the newest snapshot at once.
func (h *Hub) Watch(key types.NamespacedName, e Endpoint) (Snapshot, error) {
	same := func(l *link) bool { return l.endpoint.same(e) }
	return h.Lookout.Watch(key, same, func() (*link, Snapshot, error) {
		agent, err := h.connect(e)
		return &link{endpoint: e, agent: agent, started: h.clock.Now()}, Snapshot{PodUID: e.PodUID}, err
	})
}

// State returns the newest State of a session's agent; false while there is none, or while the agent is silent.
func (h *Hub) State(key types.NamespacedName) (agentapi.State, bool) {
	_, s, ok := h.Newest(key)
	return s.State, ok && !s.Heard.IsZero() && !s.Silent
}

// Client returns the client of a session's agent, for example to fetch binaries; false while none is watched.
func (h *Hub) Client(key types.NamespacedName) (*agentapi.Client, bool) {
	l, _, ok := h.Newest(key)
	if !ok {
		return nil, false
	}
	c, ok := l.agent.(*agentapi.Client)
	return c, ok
}

// follow watches an agent, again and again, until ctx ends.
func (h *Hub) follow(ctx context.Context, _ types.NamespacedName, l *link, see func(func(*Snapshot))) {
	defer l.agent.Close()
	pause := firstPause
	for ctx.Err() == nil {
		err := l.agent.Watch(ctx, func(s agentapi.State) {
			pause = firstPause
			see(func(n *Snapshot) { *n = Snapshot{PodUID: n.PodUID, State: s, Heard: h.clock.Now()} })
		})
		if ctx.Err() != nil {
			return
		}
		see(func(n *Snapshot) { lost(n, l.started, h.clock.Now(), err) })
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

// news says whether two snapshots differ in more than what changes all the time.
func news(a, b Snapshot) bool {
	return a.Silent != b.Silent || a.Heard.IsZero() != b.Heard.IsZero() || !reflect.DeepEqual(steady(a.State), steady(b.State))
}

// steady is a State without what changes all the time.
func steady(s agentapi.State) agentapi.State {
	s.Time, s.LastEcho, s.RoundTripMicroseconds, s.OpenConnections, s.Message = time.Time{}, time.Time{}, 0, 0, ""
	return s
}

package session

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// OpenSession is one row of a Registry's Snapshot.
type OpenSession struct {
	ID       uint64    // counts from 1 in the life of the registry
	Target   string    // Target.Name
	Peer     string    // address of the peer, host:port
	Since    time.Time // when the connection opened
	BytesIn  int64     // received
	BytesOut int64     // sent
	Variants int64     // variants that were started
}

// Registry knows which sessions are open. Connections enter it when they open and leave it when they
// close; whoever wants to know asks the registry instead of walking over session objects. A registry
// is a value that is handed to whoever needs it; it may be used from any number of goroutines.
type Registry struct {
	clock clock.PassiveClock

	mu       sync.Mutex
	last     uint64
	open     map[uint64]*Entry
	watchers map[chan struct{}]struct{}
}

// NewRegistry makes an empty registry that reads the time of entries from c; nil means the real clock.
func NewRegistry(c clock.PassiveClock) *Registry {
	if c == nil {
		c = clock.RealClock{}
	}
	return &Registry{clock: c, open: map[uint64]*Entry{}, watchers: map[chan struct{}]struct{}{}}
}

// Entry is one open session in a Registry. Its counters may be added to from any goroutine.
type Entry struct {
	registry          *Registry
	id                uint64
	target, peer      string
	since             time.Time
	in, out, variants atomic.Int64
}

// Enter says that a session to the target has opened a connection to the peer. Leave must follow.
func (r *Registry) Enter(target, peer string) *Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	e := &Entry{registry: r, id: r.last, target: target, peer: peer, since: r.clock.Now()}
	r.open[e.id] = e
	r.tell()
	return e
}

// Leave says that the connection is closed. A second call does nothing.
func (e *Entry) Leave() {
	e.registry.mu.Lock()
	defer e.registry.mu.Unlock()
	if _, open := e.registry.open[e.id]; !open {
		return
	}
	delete(e.registry.open, e.id)
	e.registry.tell()
}

// Received adds to the bytes that came in.
func (e *Entry) Received(bytes int) { e.in.Add(int64(bytes)) }

// Sent adds to the bytes that went out.
func (e *Entry) Sent(bytes int) { e.out.Add(int64(bytes)) }

// Traffic is how many bytes came in and went out so far.
func (e *Entry) Traffic() (received, sent int64) { return e.in.Load(), e.out.Load() }

// StartedVariant counts a variant.
func (e *Entry) StartedVariant() { e.variants.Add(1) }

// Snapshot lists the open sessions, oldest first.
func (r *Registry) Snapshot() []OpenSession {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := make([]OpenSession, 0, len(r.open))
	for _, e := range r.open {
		rows = append(rows, OpenSession{
			ID: e.id, Target: e.target, Peer: e.peer, Since: e.since,
			BytesIn: e.in.Load(), BytesOut: e.out.Load(), Variants: e.variants.Load(),
		})
	}
	slices.SortFunc(rows, func(a, b OpenSession) int { return cmp.Compare(a.ID, b.ID) })
	return rows
}

// Watch returns a channel that holds a token at once and again after sessions have opened or closed
// (several changes may share one token; counters alone are no change), and a function that ends the
// watch and closes the channel. On each token the watcher takes a Snapshot.
func (r *Registry) Watch() (changes <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	ch <- struct{}{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[ch] = struct{}{}
	return ch, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, ch)
		close(ch)
	})
}

// tell wakes the watchers; r.mu is held.
func (r *Registry) tell() {
	for ch := range r.watchers {
		select {
		case ch <- struct{}{}:
		default: // it has not taken the last token yet
		}
	}
}

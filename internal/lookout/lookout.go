// Package lookout watches many things at once, one goroutine for each, and keeps the newest that each of
// them has seen. Controllers read these snapshots and never wait for a network themselves.
package lookout

import (
	"context"
	"sync"
)

// Lookout watches things that are known by a key. P is where such a thing is found, S is what is seen of
// it. It may be used from any number of goroutines.
type Lookout[K comparable, P, S any] struct {
	options Options[K, P, S]

	mu      sync.Mutex
	posts   map[K]*post[P, S]
	closed  bool
	running sync.WaitGroup
}

// Options of a Lookout; every field is required.
type Options[K comparable, P, S any] struct {
	// Follow watches one thing until ctx ends. What it sees goes into the snapshot by calls of see, which
	// returns after somebody was woken for it.
	Follow func(ctx context.Context, key K, place P, see func(change func(*S)))
	// News says whether two snapshots differ in more than what changes all the time.
	News func(before, after S) bool
	// Wake is called after news. It returns when the news was taken, or ctx has ended.
	Wake func(ctx context.Context, key K)
}

// post is the watch of one thing.
type post[P, S any] struct {
	place    P
	cancel   context.CancelFunc
	snapshot S // guarded by Lookout.mu
}

// New makes a Lookout; Start must run for its goroutines to end.
func New[K comparable, P, S any](o Options[K, P, S]) *Lookout[K, P, S] {
	return &Lookout[K, P, S]{options: o, posts: map[K]*post[P, S]{}}
}

// NeedLeaderElection makes a manager start the lookout on the leader only.
func (*Lookout[K, P, S]) NeedLeaderElection() bool { return true }

// Start waits until ctx ends, and then ends every watch.
func (l *Lookout[K, P, S]) Start(ctx context.Context) error {
	<-ctx.Done()
	l.mu.Lock()
	l.closed = true
	for key := range l.posts {
		l.drop(key)
	}
	l.mu.Unlock()
	l.running.Wait()
	return nil
}

// Watch makes sure that the thing is watched at the right place, and returns the newest snapshot at once.
// When it is not watched yet, or same says that the place is another one, open gives the new place and the
// first snapshot; its error is returned. open must not block.
func (l *Lookout[K, P, S]) Watch(key K, same func(P) bool, open func() (P, S, error)) (S, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.posts[key]; p != nil && same(p.place) {
		return p.snapshot, nil
	}
	l.drop(key)
	if l.closed {
		var none S
		return none, nil
	}
	place, snapshot, err := open()
	if err != nil {
		return snapshot, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &post[P, S]{place: place, cancel: cancel, snapshot: snapshot}
	l.posts[key] = p
	l.running.Go(func() {
		l.options.Follow(ctx, key, place, func(change func(*S)) { l.see(ctx, key, p, change) })
	})
	return snapshot, nil
}

// Forget ends the watch of a thing.
func (l *Lookout[K, P, S]) Forget(key K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(key)
}

// Newest returns the place of a thing and its newest snapshot; false while it is not watched.
func (l *Lookout[K, P, S]) Newest(key K) (P, S, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.posts[key]; p != nil {
		return p.place, p.snapshot, true
	}
	var (
		place    P
		snapshot S
	)
	return place, snapshot, false
}

// drop ends a watch; the caller holds l.mu.
func (l *Lookout[K, P, S]) drop(key K) {
	if p := l.posts[key]; p != nil {
		p.cancel()
		delete(l.posts, key)
	}
}

// see changes a snapshot and wakes somebody if that is worth it.
func (l *Lookout[K, P, S]) see(ctx context.Context, key K, p *post[P, S], change func(*S)) {
	l.mu.Lock()
	before := p.snapshot
	change(&p.snapshot)
	wake := l.options.News(before, p.snapshot)
	l.mu.Unlock()
	if wake {
		l.options.Wake(ctx, key)
	}
}

package addresstarget

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/lookout"
	"github.com/genode-operator/genode-operator/internal/session"
)

// defaultRecheck is the pause between two connections to a target of class Genode that accepts them. A
// taskloader has 128 of them and gives none back, so that looking all the time would use it up.
const defaultRecheck = time.Minute

// WatcherOptions of a Watcher.
type WatcherOptions struct {
	// Class tells whether a target is available. Required.
	Class session.Class
	// Sessions are the open ones: their targets are not connected to. Required.
	Sessions *session.Registry
	// Recheck is the pause between two connections to a target of class Genode that accepts them. Defaults
	// to one minute.
	Recheck time.Duration
	// Clock defaults to real time.
	Clock clock.Clock
}

// Watcher looks at targets, one goroutine for each, keeps what it has seen, and wakes the queue when a
// target is lost or comes back. It is a manager.Runnable that runs on the leader only.
type Watcher struct {
	*lookout.Lookout[types.NamespacedName, Peer, Sight]
	class   session.Class
	open    *openSessions
	recheck time.Duration
	clock   clock.Clock
	wakes   chan event.GenericEvent
	breaks  *breaks
	guards  *guards
}

// Peer is a target, and how it is looked at.
type Peer struct {
	Target session.Target
	Health v1alpha1.HealthSpec
}

// NewWatcher makes a Watcher; Start must run for its goroutines to end.
func NewWatcher(o WatcherOptions) *Watcher {
	w := &Watcher{class: o.Class, recheck: o.Recheck, clock: o.Clock, wakes: make(chan event.GenericEvent), breaks: newBreaks(), guards: newGuards()}
	if w.recheck == 0 {
		w.recheck = defaultRecheck
	}
	if w.clock == nil {
		w.clock = clock.RealClock{}
	}
	w.open = &openSessions{registry: o.Sessions}
	w.Lookout = lookout.New(lookout.Options[types.NamespacedName, Peer, Sight]{Follow: w.follow, News: news, Wake: w.wake})
	return w
}

// Watch makes sure that the target is watched, and returns the newest sight at once.
func (w *Watcher) Watch(key types.NamespacedName, p Peer) Sight {
	s, _ := w.Lookout.Watch(key, func(old Peer) bool { return old == p }, func() (Peer, Sight, error) { return p, Sight{}, nil })
	return s // opening cannot fail
}

// Forget ends the watch of a target, and forgets its past.
func (w *Watcher) Forget(key types.NamespacedName) {
	w.Lookout.Forget(key)
	w.breaks.forget(key)
}

// Answers says whether a target is watched and answers.
func (w *Watcher) Answers(key types.NamespacedName) bool {
	_, s, ok := w.Newest(key)
	return ok && s.Answers
}

// Breaks counts the times that the target may have started anew since the watch began: it came back after
// it was lost, or was rebooted by us.
func (w *Watcher) Breaks(key types.NamespacedName) int64 { return w.breaks.count(key) }

// Rebooted notes that the target was just told to reboot: what was seen of it no longer holds, and it is
// not looked at until it had the time to go down.
func (w *Watcher) Rebooted(key types.NamespacedName) {
	p, _, ok := w.Newest(key)
	if !ok {
		return
	}
	w.breaks.rebooted(key, w.clock.Now())
	w.Lookout.Forget(key)
	w.Watch(key, p)
}

// Events delivers a wake-up for each session whose target was lost or came back.
func (w *Watcher) Events() <-chan event.GenericEvent { return w.wakes }

func (w *Watcher) wake(ctx context.Context, key types.NamespacedName) {
	about := &v1alpha1.TargetSession{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	select {
	case w.wakes <- event.GenericEvent{Object: about}:
	case <-ctx.Done():
	}
}

// follow looks at a target, again and again, until ctx ends.
func (w *Watcher) follow(ctx context.Context, key types.NamespacedName, p Peer, see func(func(*Sight))) {
	m := connecting(w.recheck)
	if p.Target.Class == string(v1alpha1.ClassPing) {
		m = pinging(p.Health)
	}
	v := newView(m, w.breaks.notBefore(key, w.clock.Now()))
	for w.sleepUntil(ctx, v.next) {
		begun, lost := w.clock.Now(), v.sight.lost()
		if v.sparing && w.open.to(p.Target.Name, begun) {
			v.held(begun)
		} else {
			err := w.look(ctx, p.Target, v.patience(begun))
			if ctx.Err() != nil {
				return
			}
			v.note(begun, w.clock.Now(), err)
		}
		switch {
		case lost && v.sight.Answers:
			w.breaks.cameBack(key)
		case !lost && v.sight.lost():
			w.guards.end(key, fmt.Sprintf("%s has not answered for %d ms: %s", p.Target.Address, v.sight.Silent.Milliseconds(), v.sight.Error))
		}
		see(func(s *Sight) { *s = v.sight })
	}
}

func (w *Watcher) look(ctx context.Context, t session.Target, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return w.class.Available(ctx, t)
}

// sleepUntil returns false when ctx has ended.
func (w *Watcher) sleepUntil(ctx context.Context, at time.Time) bool {
	timer := w.clock.NewTimer(at.Sub(w.clock.Now()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}

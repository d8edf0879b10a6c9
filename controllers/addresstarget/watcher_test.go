package addresstarget

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/session"
)

// field is a class whose targets are all there, or none, as a test says.
type field struct {
	session.Class
	mu    sync.Mutex
	gone  bool
	looks int
}

func (f *field) Available(ctx context.Context, _ session.Target) error {
	f.mu.Lock()
	f.looks++
	gone := f.gone
	f.mu.Unlock()
	if !gone {
		return nil
	}
	<-ctx.Done()
	return session.ErrTimeout
}

func (f *field) set(gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone, f.looks = gone, 0
}

func (f *field) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks
}

var key = types.NamespacedName{Namespace: "lab", Name: "board"}

// run watches a target of a class in the virtual time of a bubble.
func run(t *testing.T, class v1alpha1.SessionClass, test func(w *Watcher, f *field, r *session.Registry)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		f, r := &field{}, session.NewRegistry(nil)
		w := NewWatcher(WatcherOptions{Class: f, Sessions: r})
		ctx, stop := context.WithCancel(context.Background())
		go func() { _ = w.Start(ctx) }() // always nil
		w.Watch(key, Peer{Target: session.Target{Name: "lab/board", Class: string(class), Address: "192.0.2.7:3001"}})
		test(w, f, r)
		stop()
		synctest.Wait() // a goroutine that is left makes the bubble fail
	})
}

func TestTheWatcherWakesWhenATargetIsLostAndBack(t *testing.T) {
	run(t, v1alpha1.ClassPing, func(w *Watcher, f *field, _ *session.Registry) {
		if w.Answers(key) {
			t.Error("it answers before it was looked at")
		}
		if e := <-w.Events(); e.Object.GetName() != key.Name || !w.Answers(key) {
			t.Errorf("woken for %v, answers %v", e.Object, w.Answers(key))
		}
		time.Sleep(time.Minute)
		f.set(true)
		gone := time.Now()
		<-w.Events()
		if took := time.Since(gone); took > time.Second || w.Answers(key) {
			t.Errorf("loss noticed after %s; answers: %v", took, w.Answers(key))
		}
		time.Sleep(time.Minute)
		f.set(false)
		back := time.Now()
		<-w.Events()
		if took := time.Since(back); took > 3*time.Second || !w.Answers(key) {
			t.Errorf("return noticed after %s", took)
		}
	})
}

func TestATargetWithAnOpenSessionIsNotConnectedTo(t *testing.T) {
	run(t, v1alpha1.ClassGenode, func(w *Watcher, f *field, r *session.Registry) {
		<-w.Events()
		entry := r.Enter("lab/board", "192.0.2.7:3001")
		f.set(true) // it takes one connection at a time
		time.Sleep(10 * time.Minute)
		if n := f.count(); n > 0 || !w.Answers(key) {
			t.Errorf("%d connections beside a session; answers: %v", n, w.Answers(key))
		}
		entry.Leave()
		<-w.Events()
		if w.Answers(key) {
			t.Error("the loss was not noticed after the end of the session")
		}
	})
}

func TestAPingedTargetIsLookedAtInASession(t *testing.T) {
	run(t, v1alpha1.ClassPing, func(w *Watcher, f *field, r *session.Registry) {
		<-w.Events()
		r.Enter("lab/board", "192.0.2.7:3001")
		f.set(true)
		<-w.Events()
		if w.Answers(key) {
			t.Error("it was lost in a session, and nobody noticed")
		}
	})
}

func TestARebootIsABreak(t *testing.T) {
	run(t, v1alpha1.ClassGenode, func(w *Watcher, f *field, _ *session.Registry) {
		<-w.Events()
		if n := w.Breaks(key); n != 0 {
			t.Errorf("%d breaks at first", n)
		}
		f.set(false)
		w.Rebooted(key)
		synctest.Wait()
		if w.Answers(key) || f.count() > 0 {
			t.Errorf("just rebooted: answers %v, %d looks", w.Answers(key), f.count())
		}
		<-w.Events()
		if n := w.Breaks(key); n != 1 || !w.Answers(key) {
			t.Errorf("back: %d breaks, answers %v", n, w.Answers(key))
		}
	})
}

func TestAReturnIsABreak(t *testing.T) {
	run(t, v1alpha1.ClassPing, func(w *Watcher, f *field, _ *session.Registry) {
		for _, gone := range []bool{false, true, false} {
			f.set(gone)
			<-w.Events()
		}
		if n := w.Breaks(key); n != 1 {
			t.Errorf("%d breaks", n)
		}
		w.Forget(key)
		if n := w.Breaks(key); n != 0 {
			t.Errorf("%d breaks of a target that is not watched", n)
		}
	})
}

// frozen is a session whose target says nothing any more.
type frozen struct {
	session.Session
	closed chan struct{}
}

func (s *frozen) Next(ctx context.Context) ([]session.Event, error) {
	select {
	case <-s.closed:
		return nil, session.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *frozen) Close() error { close(s.closed); return nil }

// opener is a class with one session.
type opener struct {
	session.Class
	s *frozen
}

func (o opener) Connect(context.Context, session.Target) (session.Session, error) { return o.s, nil }

func TestALossEndsTheSession(t *testing.T) {
	run(t, v1alpha1.ClassPing, func(w *Watcher, f *field, _ *session.Registry) {
		<-w.Events()
		inner := &frozen{closed: make(chan struct{})}
		s, err := w.Guard(opener{s: inner}).Connect(t.Context(), session.Target{Name: "lab/board"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the target answers: %v", err)
		}
		f.set(true)
		_, err = s.Next(context.Background())
		if want := "session lost: 192.0.2.7:3001 has not answered for 900 ms: session timed out"; !errors.Is(err, session.ErrLost) || err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		w.guards.remove(s.(*guarded))
		if n := len(w.guards.open); n != 0 {
			t.Errorf("%d targets are still guarded", n)
		}
		<-w.Events()
	})
}

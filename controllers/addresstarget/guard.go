package addresstarget

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/internal/session"
)

// Guard returns the class with sessions that end when the watcher loses their target. A frozen target closes
// no connection: without this, a session would wait for it until the time limit of the variant.
func (w *Watcher) Guard(class session.Class) session.Class {
	return guardedClass{Class: class, guards: w.guards}
}

type guardedClass struct {
	session.Class
	guards *guards
}

// Connect implements session.Class.
func (c guardedClass) Connect(ctx context.Context, t session.Target) (session.Session, error) {
	s, err := c.Class.Connect(ctx, t)
	if err != nil {
		return nil, err
	}
	g := &guarded{Session: s, guards: c.guards, key: keyOf(t.Name)}
	c.guards.add(g)
	return g, nil
}

// guarded is a session whose target is watched.
type guarded struct {
	session.Session
	guards *guards
	key    types.NamespacedName
	lost   atomic.Pointer[string] // why the target is lost
}

// Unwrap is the session that is guarded; see session.InspectorOf.
func (g *guarded) Unwrap() session.Session { return g.Session }

// Start implements session.Session.
func (g *guarded) Start(ctx context.Context, run session.Run) error {
	return g.explain(g.Session.Start(ctx, run))
}

// Next implements session.Session.
func (g *guarded) Next(ctx context.Context) ([]session.Event, error) {
	events, err := g.Session.Next(ctx)
	return events, g.explain(err)
}

// Stop implements session.Session.
func (g *guarded) Stop(ctx context.Context) ([]session.Event, error) {
	events, err := g.Session.Stop(ctx)
	return events, g.explain(err)
}

// Close implements session.Session.
func (g *guarded) Close() error {
	g.guards.remove(g)
	return g.Session.Close()
}

// explain puts the loss in the place of the error that closing the session has made.
func (g *guarded) explain(err error) error {
	if why := g.lost.Load(); err != nil && why != nil {
		return fmt.Errorf("%w: %s", session.ErrLost, *why)
	}
	return err
}

// guards are the guarded sessions that are open.
type guards struct {
	mu   sync.Mutex
	open map[types.NamespacedName]map[*guarded]struct{}
}

func newGuards() *guards { return &guards{open: map[types.NamespacedName]map[*guarded]struct{}{}} }

func (g *guards) add(s *guarded) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[s.key] == nil {
		g.open[s.key] = map[*guarded]struct{}{}
	}
	g.open[s.key][s] = struct{}{}
}

func (g *guards) remove(s *guarded) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open[s.key], s)
	if len(g.open[s.key]) == 0 {
		delete(g.open, s.key)
	}
}

// end ends the sessions with a target. Whoever uses one is told why, and closes it.
func (g *guards) end(key types.NamespacedName, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.open[key] {
		s.lost.Store(&why)
		_ = s.Session.Close() // its user hears of it
	}
}

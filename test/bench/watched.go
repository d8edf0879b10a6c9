package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// watched is a session class that notes when variants are started and when sessions fail.
type watched struct {
	session.Class
	starts, failures notes
	first            chan struct{} // closed at the first start
	once             sync.Once
}

func watch(class session.Class) *watched { return &watched{Class: class, first: make(chan struct{})} }

// Connect implements session.Class.
func (w *watched) Connect(ctx context.Context, t session.Target) (session.Session, error) {
	s, err := w.Class.Connect(ctx, t)
	if err != nil {
		return nil, err
	}
	return &watchedSession{Session: s, w: w, target: t.Name}, nil
}

type watchedSession struct {
	session.Session
	w      *watched
	target string
}

func (s *watchedSession) Start(ctx context.Context, r session.Run) error {
	if err := s.Session.Start(ctx, r); err != nil {
		s.w.failures.add(s.target)
		return err
	}
	s.w.starts.add(s.target)
	s.w.once.Do(func() { close(s.w.first) })
	return nil
}

func (s *watchedSession) Next(ctx context.Context) ([]session.Event, error) {
	events, err := s.Session.Next(ctx)
	if err != nil {
		s.w.failures.add(s.target)
	}
	return events, err
}

func (s *watchedSession) Stop(ctx context.Context) ([]session.Event, error) {
	events, err := s.Session.Stop(ctx)
	if err != nil {
		s.w.failures.add(s.target)
	}
	return events, err
}

// notes are the times at which something happened, by target.
type notes struct {
	mu sync.Mutex
	at map[string][]time.Time
}

func (n *notes) add(target string) {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil {
		n.at = map[string][]time.Time{}
	}
	n.at[target] = append(n.at[target], now)
}

// reset forgets them.
func (n *notes) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = nil
}

// first is the first note about a target after a moment.
func (n *notes) first(target string, after time.Time) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, at := range n.at[target] {
		if at.After(after) {
			return at, true
		}
	}
	return time.Time{}, false
}

// await waits for a note about each target after its moment, and returns how many milliseconds after it came.
func (n *notes) await(ctx context.Context, targets []session.Target, after []time.Time) ([]float64, error) {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var took []float64
	for i := 0; i < len(after); {
		if at, there := n.first(targets[i].Name, after[i]); there {
			took = append(took, milliseconds(at.Sub(after[i])))
			i++
			continue
		}
		if !pause(ctx, time.Millisecond) {
			return nil, fmt.Errorf("nothing of target %s: %w", targets[i].Name, ctx.Err())
		}
	}
	return took, nil
}

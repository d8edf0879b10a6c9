package taskloader

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Stop ends what runs and drains what the target has to say about it; see session.Session and the
// package comment. When ctx ends during the drain the session stays usable, and the next Stop or
// Start goes on with it.
func (s *link) Stop(ctx context.Context) ([]session.Event, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if s.run == nil {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stop on target %s: %w", s.target.Name, err)
	}
	defer s.conn.guard(ctx)()
	if !s.run.stopping {
		words := []framing.Word{framing.Stop}
		if s.run.mayRun() {
			words = append(words, s.query())
		}
		if err := s.send(ctx, "stop the tasks", framing.AppendWords(nil, words...)); err != nil {
			return nil, s.poison(err)
		}
		s.run.stopping = true
	}
	events, err := s.drain(ctx)
	events, s.kept = slices.Concat(s.kept, events), nil
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return events, err
	}
	if err != nil {
		return events, s.poison(err)
	}
	s.uncertain = s.run.mayRun()
	s.run, s.live = nil, nil
	return events, nil
}

// query is a word that the target answers, once it has done what came before.
func (s *link) query() framing.Word {
	if s.generation == taskset.G1802 {
		s.echoesDue++
		return framing.Available
	}
	return framing.GetLive
}

// drain reads until nothing can be running any more, or nothing comes.
func (s *link) drain(ctx context.Context) ([]session.Event, error) {
	var all []session.Event
	quiet := s.options.Quiet
	end := real.Now().Add(s.options.IOTimeout)
	for s.run.mayRun() {
		events, answered, err := s.receive(ctx, "drain after STOP", quiet)
		if errors.Is(err, errQuiet) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, events...)
		if answered {
			quiet = s.options.QuietAfterAnswer
		}
		if real.Now().After(end) {
			return all, fmt.Errorf("drain after STOP: %w: the target still sends after %s", session.ErrTimeout, s.options.IOTimeout)
		}
	}
	return all, nil
}

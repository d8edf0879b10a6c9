package main

import (
	"context"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// polls is how often within an echo interval the agent is asked for its newest echo.
const polls = 4

// echoes is what was seen of a guest's echoes.
type echoes struct {
	roundTrips []float64     // milliseconds
	longest    time.Duration // between two answers, or since the last one
	longestAt  time.Time     // when the longest ended
	err        error
}

// sampleEchoes looks at the newest echo until ctx ends. An answer that is overtaken by the next one between
// two looks is missed, which makes gaps look longer than they were, by a quarter of an interval at most.
func (t *target) sampleEchoes(ctx context.Context, interval time.Duration) echoes {
	var e echoes
	tick := time.NewTicker(interval / polls)
	defer tick.Stop()
	var last agentapi.State
	for {
		s, err := t.client.State(ctx)
		switch {
		case ctx.Err() != nil:
			return e
		case err != nil:
			e.err = t.explain(err)
			return e
		}
		e.add(last, s)
		last = s
		select {
		case <-ctx.Done():
			return e
		case <-tick.C:
		}
	}
}

// add takes the state s that was seen after last.
func (e *echoes) add(last, s agentapi.State) {
	if s.LastEcho.IsZero() || last.LastEcho.IsZero() {
		return // the first look, or the guest has not answered since its start
	}
	if s.LastEcho.Equal(last.LastEcho) {
		e.gap(s.Time.Sub(s.LastEcho), s.Time)
		return
	}
	e.gap(s.LastEcho.Sub(last.LastEcho), s.LastEcho)
	e.roundTrips = append(e.roundTrips, float64(s.RoundTripMicroseconds)/1000)
}

func (e *echoes) gap(d time.Duration, at time.Time) {
	if d > e.longest {
		e.longest, e.longestAt = d, at
	}
}

// sampleAll samples several targets at the same time, for d.
func sampleAll(ctx context.Context, targets []*target, d time.Duration, show func(done <-chan struct{})) ([]echoes, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	all := make([]echoes, len(targets))
	ended := make(chan int)
	for i, t := range targets {
		go func() {
			all[i] = t.sampleEchoes(ctx, settings[i].Interval)
			if all[i].err != nil {
				cancel() // the others need not go on
			}
			ended <- i
		}()
	}
	show(ctx.Done())
	var err error
	for range targets {
		if e := all[<-ended].err; e != nil {
			err = e
		}
	}
	return all, err
}

// bootPair boots one guest for each setting. Those that were booted are returned even with an error.
func (b *bench) bootPair(ctx context.Context, why string) ([]*target, error) {
	var targets []*target
	for _, s := range settings {
		b.progress.say("Booting a guest for " + why + ", " + s.Name)
		t, err := b.options.boot(ctx, &b.lodging, s, "Restore,Reset,Relaunch")
		if err != nil {
			return targets, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func stopAll(targets []*target) {
	for _, t := range targets {
		t.stop()
	}
}

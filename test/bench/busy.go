package main

import (
	"context"
	"fmt"
	"time"
)

// spinners is the number of processes that keep the guest's one CPU busy.
const spinners = 4

// BusySeries is a guest that has all its CPU used, and is as healthy as can be.
type BusySeries struct {
	Load        string       `json:"load"` // command of the guest's control port
	Setting     string       `json:"setting"`
	Seconds     float64      `json:"seconds"`
	FalseAlarms int          `json:"falseAlarms"` // verdicts that the guest was frozen
	Withdrawn   int          `json:"withdrawn"`   // those of them that the agent took back before it did anything
	LongestGap  float64      `json:"longestGapMilliseconds"`
	LongestAt   float64      `json:"longestGapAtSecond"` // when it ended, after the load began
	OfTimeout   float64      `json:"longestGapPerTimeout"`
	RoundTrip   Distribution `json:"roundTripMilliseconds"`
}

// measureBusy watches busy guests under both settings side by side: half the time with ordinary processes,
// half of it with real-time ones.
func (b *bench) measureBusy(ctx context.Context) ([]BusySeries, error) {
	targets, err := b.bootPair(ctx, "false alarms")
	defer func() { stopAll(targets) }()
	if err != nil {
		return nil, err
	}
	p := b.progress.begin("Watching busy guests", int(b.options.busy.Seconds()))
	defer p.end()
	var all []BusySeries
	for _, load := range []string{fmt.Sprintf("busy %d", spinners), fmt.Sprintf("busy %d fifo", spinners)} {
		half, err := b.watchBusy(ctx, targets, load, b.options.busy/2, p)
		if err != nil {
			return nil, err
		}
		all = append(all, half...)
	}
	return all, nil
}

func (b *bench) watchBusy(ctx context.Context, targets []*target, load string, d time.Duration, p *run) ([]BusySeries, error) {
	before := make([]alarms, len(targets))
	for i, t := range targets {
		m, err := t.metrics(ctx)
		if err != nil {
			return nil, err
		}
		before[i] = m.alarms()
	}
	begin := time.Now()
	for _, t := range targets {
		if _, err := t.command(ctx, load); err != nil {
			return nil, err
		}
	}
	seen, err := sampleAll(ctx, targets, d, func(done <-chan struct{}) { p.wait(done, d, load) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var all []BusySeries
	for i, t := range targets {
		m, err := t.metrics(ctx)
		if err != nil {
			return nil, err
		}
		after := m.alarms()
		all = append(all, BusySeries{
			Load: load, Setting: settings[i].Name, Seconds: d.Seconds(),
			FalseAlarms: after.verdicts - before[i].verdicts, Withdrawn: after.withdrawn - before[i].withdrawn,
			LongestGap: milliseconds(seen[i].longest), LongestAt: max(seen[i].longestAt.Sub(begin).Seconds(), 0),
			OfTimeout: ratio(milliseconds(seen[i].longest), milliseconds(settings[i].Timeout)),
			RoundTrip: distribution(seen[i].roundTrips),
		})
	}
	return all, nil
}

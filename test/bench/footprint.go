package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Footprint is what an idle target costs. CPU is percent of one core, memory MiB.
type Footprint struct {
	Setting string  `json:"setting"`
	Seconds float64 `json:"seconds"`
	Agent   Cost    `json:"agent"`
	QEMU    Cost    `json:"qemu"`
}

// Cost is what one process uses.
type Cost struct {
	CPU      float64 `json:"cpuPercent"`
	Resident float64 `json:"residentMiB"` // RSS
	Private  float64 `json:"privateMiB"`  // the part of it that no other process can share (anonymous)
}

// EchoSeries are the round trips of echoes into an idle guest, in milliseconds.
type EchoSeries struct {
	Setting    string       `json:"setting"`
	RoundTrip  Distribution `json:"roundTripMilliseconds"`
	LongestGap float64      `json:"longestGapMilliseconds"`
}

// measureIdle measures guests that have nothing to do: first what they cost, then their echoes, since looking
// at every echo costs CPU time itself.
func (b *bench) measureIdle(ctx context.Context) (costs []Footprint, trips []EchoSeries, err error) {
	targets, err := b.bootPair(ctx, "idle measurements")
	defer func() { stopAll(targets) }()
	if err != nil {
		return nil, nil, err
	}
	if b.options.wants(partFootprint) {
		if costs, err = b.measureFootprint(ctx, targets); err != nil {
			return nil, nil, err
		}
	}
	if b.options.wants(partEcho) {
		trips, err = b.measureEchoes(ctx, targets)
	}
	return costs, trips, err
}

// consumer is a process with the CPU time that it had used when the measurement began.
type consumer struct {
	pid  int
	used float64
}

func newConsumer(pid int) (consumer, error) {
	used, err := cpuSeconds(pid)
	return consumer{pid, used}, err
}

func (c consumer) cost(since time.Time) (Cost, error) {
	used, errCPU := cpuSeconds(c.pid)
	resident, private, errMemory := memory(c.pid)
	return Cost{
		CPU: 100 * (used - c.used) / time.Since(since).Seconds(), Resident: resident, Private: private,
	}, errors.Join(errCPU, errMemory)
}

func (b *bench) measureFootprint(ctx context.Context, targets []*target) ([]Footprint, error) {
	var consumers [][2]consumer
	begin := time.Now()
	for _, t := range targets {
		vm, err := childQEMU(t.cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		agent, errAgent := newConsumer(t.cmd.Process.Pid)
		guest, errGuest := newConsumer(vm)
		if err := errors.Join(errAgent, errGuest); err != nil {
			return nil, err
		}
		consumers = append(consumers, [2]consumer{agent, guest})
	}
	p := b.progress.begin("Measuring what idle targets cost", int(b.options.idle.Seconds()))
	defer p.end()
	if !p.wait(ctx.Done(), b.options.idle, "idle") {
		return nil, ctx.Err()
	}
	var all []Footprint
	for i, c := range consumers {
		f := Footprint{Setting: settings[i].Name, Seconds: time.Since(begin).Seconds()}
		var errAgent, errGuest error
		f.Agent, errAgent = c[0].cost(begin)
		f.QEMU, errGuest = c[1].cost(begin)
		if err := errors.Join(errAgent, errGuest); err != nil {
			return nil, fmt.Errorf("footprint, %s: %w", f.Setting, targets[i].explain(err))
		}
		all = append(all, f)
	}
	return all, nil
}

func (b *bench) measureEchoes(ctx context.Context, targets []*target) ([]EchoSeries, error) {
	p := b.progress.begin("Measuring echoes into idle guests", int(b.options.echoes.Seconds()))
	defer p.end()
	seen, err := sampleAll(ctx, targets, b.options.echoes, func(done <-chan struct{}) { p.wait(done, b.options.echoes, "echoes") })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var all []EchoSeries
	for i, e := range seen {
		all = append(all, EchoSeries{Setting: settings[i].Name, RoundTrip: distribution(e.roundTrips), LongestGap: milliseconds(e.longest)})
	}
	return all, nil
}

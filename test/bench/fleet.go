package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

const (
	fleetJob  = 500             // milliseconds
	lost      = 100             // sessions at a time
	timeLimit = 2 * time.Second // of an attempt, which is what ends a silence
)

// FleetSeries is what many targets cost one engine.
type FleetSeries struct {
	Targets int `json:"targets"`
	// Session is the resident memory of a session, in KiB, with the goroutines that belong to it.
	Session    float64 `json:"kibPerSession"`
	Goroutines float64 `json:"goroutinesPerSession"`
	Variants   float64 `json:"variantsPerSecond"`
	// CPU of this process for each variant, in microseconds.
	CPU    float64 `json:"cpuMicrosecondsPerVariant"`
	Losses []Loss  `json:"losses"`
}

// Loss is how soon it was noticed that many sessions were lost at the same time, in milliseconds.
type Loss struct {
	How     string       `json:"how"`
	Noticed Distribution `json:"noticedMilliseconds"` // from the loss to the error of the session
	Working Distribution `json:"workingMilliseconds"` // from the loss, or the thaw, to the next variant on the same target
}

// measureFleet holds sessions with many targets, measures what they cost, and loses some of them.
func (b *bench) measureFleet(ctx context.Context) (_ *FleetSeries, err error) {
	n := b.options.fleet
	p := b.progress.begin(fmt.Sprintf("Running a campaign on %d fake targets", n), 4)
	defer p.end()
	targets, err := startFakes(ctx, n, fleetJob)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, targets.stop()) }()
	class := watch(taskloader.New(taskloader.Options{}))
	a := newArena(ctx, class, &forgetful{})
	defer func() { err = errors.Join(err, a.stop()) }()
	plan, err := planOf("billion", billion, targets.targets)
	if err != nil {
		return nil, err
	}
	plan.Retries = 20
	plan.TimeLimit = func([]taskset.Task) time.Duration { return timeLimit }

	debug.FreeOSMemory()
	before, alone := residentMiB(), runtime.NumGoroutine()
	a.engine.Apply(plan)
	if err := a.await(ctx, plan.ID, uint64(2*n)); err != nil { // every one has a session, and has done something
		return nil, err
	}
	out := &FleetSeries{
		Targets: n, Session: (residentMiB() - before) * 1024 / float64(n), Goroutines: float64(runtime.NumGoroutine()-alone) / float64(n),
	}
	p.step("sessions are open")
	if err := b.steadily(ctx, a, out); err != nil {
		return nil, err
	}
	p.step("running")
	for _, l := range []struct{ how, do string }{{"reset", "drop"}, {"silence, time limit 2 s", "hang"}} {
		loss, err := lose(ctx, class, targets, l.do, min(lost, n))
		if err != nil {
			return nil, fmt.Errorf("loss by %s: %w", l.how, err)
		}
		loss.How = l.how
		out.Losses = append(out.Losses, loss)
		p.step(l.how)
	}
	a.engine.Forget(plan.ID)
	return out, nil
}

// steadily measures the campaign while nothing happens to it.
func (b *bench) steadily(ctx context.Context, a *arena, out *FleetSeries) error {
	s, _ := a.engine.Snapshot("billion")
	begin, cpu := time.Now(), ownCPU()
	if !pause(ctx, b.options.steady) {
		return ctx.Err()
	}
	now, _ := a.engine.Snapshot("billion")
	n := float64(now.Finished - s.Finished)
	out.Variants = n / time.Since(begin).Seconds()
	out.CPU = ratio((ownCPU()-cpu)*1e6, n)
	return nil
}

// lose loses n sessions at a time, and waits until each of them was noticed and its target works again.
func lose(ctx context.Context, class *watched, targets *fakes, do string, n int) (Loss, error) {
	class.starts.reset()
	class.failures.reset()
	at, err := targets.order(do, n)
	if err != nil {
		return Loss{}, err
	}
	noticed, err := class.failures.await(ctx, targets.targets, at)
	if err != nil {
		return Loss{}, err
	}
	back := at
	if do == "hang" {
		if back, err = targets.order("thaw", n); err != nil {
			return Loss{}, err
		}
	}
	working, err := class.starts.await(ctx, targets.targets, back)
	if err != nil {
		return Loss{}, err
	}
	return Loss{Noticed: distribution(noticed), Working: distribution(working)}, nil
}

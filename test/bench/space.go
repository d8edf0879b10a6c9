package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

// billion is a campaign of 10^9 variants.
const billion = `
tasks: [{name: hello, pkg: hey, quota: 1Mi, priority: 100, config: {x: 0, y: 0, z: 0}}]
sweeps:
- {task: hello, attribute: config.x, range: {from: 1, to: 1000}}
- {task: hello, attribute: config.y, range: {from: 1, to: 1000}}
- {task: hello, attribute: config.z, range: {from: 1, to: 1000}}
`

// SpaceSeries is what a very long campaign costs.
type SpaceSeries struct {
	// FirstStart is the time from the spec to the first START that a target was sent, connecting included.
	FirstStart Distribution `json:"firstStartMilliseconds"`
	Runs       []LongRun    `json:"runs"`
}

// LongRun is the part of a long campaign that was run.
type LongRun struct {
	How       string  `json:"how"`
	Targets   int     `json:"targets"`
	Variants  uint64  `json:"variants"`
	PerSecond float64 `json:"perSecond"`
	// PerCore is the number of variants for each second of CPU time of this process: engine and sessions.
	PerCore float64 `json:"perCoreSecond"`
	// Grown is how much larger the process was in the last tenth of the run than in the first (medians of
	// resident memory), Peak how much larger it ever was. The difference is garbage that waits to be collected.
	Grown float64 `json:"residentGrownMiB"`
	Peak  float64 `json:"residentPeakMiB"`
}

// measureSpace runs parts of a campaign of 10^9 variants.
func (b *bench) measureSpace(ctx context.Context) (_ *SpaceSeries, err error) {
	const firsts = 20
	p := b.progress.begin("Running campaigns of 10^9 variants", firsts+2)
	defer p.end()
	targets, err := startFakes(ctx, manyTargets, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, targets.stop()) }()
	var out SpaceSeries
	var took []float64
	for range firsts {
		t, err := firstStart(ctx, targets.targets)
		if err != nil {
			return nil, fmt.Errorf("first START of 10^9 variants: %w", err)
		}
		took = append(took, milliseconds(t))
		p.step("first START")
	}
	out.FirstStart = distribution(took)

	inProcess := make([]session.Target, 2*runtime.NumCPU())
	for i := range inProcess {
		inProcess[i] = session.Target{Name: fmt.Sprintf("bench/instant-%d", i), Address: fmt.Sprintf("127.0.0.1:%d", i+1)}
	}
	for _, r := range []struct {
		how     string
		class   session.Class
		targets []session.Target
		n       uint64
	}{
		{"targets in this process that need no time", instant{}, inProcess, b.options.long},
		{"fake targets over TCP whose jobs need no time", taskloader.New(taskloader.Options{}), targets.targets, b.options.long / 20},
	} {
		run, err := longRun(ctx, r.class, r.targets, r.n)
		if err != nil {
			return nil, fmt.Errorf("10^9 variants, %s: %w", r.how, err)
		}
		run.How = r.how
		out.Runs = append(out.Runs, run)
		p.step(r.how)
	}
	return &out, nil
}

// firstStart is the time from the spec of a campaign to its first START.
func firstStart(ctx context.Context, targets []session.Target) (took time.Duration, err error) {
	class := watch(taskloader.New(taskloader.Options{}))
	a := newArena(ctx, class, &forgetful{})
	defer func() { err = errors.Join(err, a.stop()) }()
	begin := time.Now()
	plan, err := planOf("billion", billion, targets)
	if err != nil {
		return 0, err
	}
	a.engine.Apply(plan)
	select {
	case <-class.first:
		return time.Since(begin), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// longRun runs n variants of the campaign of 10^9.
func longRun(ctx context.Context, class session.Class, targets []session.Target, n uint64) (run LongRun, err error) {
	plan, err := planOf("billion", billion, targets)
	if err != nil {
		return run, err
	}
	a := newArena(ctx, class, &forgetful{})
	defer func() { err = errors.Join(err, a.stop()) }()
	debug.FreeOSMemory() // what earlier parts have left
	a.engine.Apply(plan)
	warm := max(n/100, 1)
	if err := a.await(ctx, plan.ID, warm); err != nil {
		return run, err
	}
	var resident []float64
	begin, cpu := time.Now(), ownCPU()
	var s campaign.Snapshot
	for s.Finished < n {
		if err := a.await(ctx, plan.ID, min(s.Finished+warm, n)); err != nil {
			return run, err
		}
		s, _ = a.engine.Snapshot(plan.ID)
		resident = append(resident, residentMiB())
	}
	took, used := time.Since(begin), ownCPU()-cpu
	a.engine.Forget(plan.ID)
	tenth := (len(resident) + 9) / 10
	first, last := distribution(resident[:tenth]), distribution(resident[len(resident)-tenth:])
	return LongRun{
		Targets: len(targets), Variants: s.Finished, PerSecond: float64(s.Finished-warm) / took.Seconds(),
		PerCore: ratio(float64(s.Finished-warm), used),
		Grown:   last.P50 - first.P50, Peak: distribution(resident).Max - first.P50,
	}, nil
}

// residentMiB is the resident memory of this process.
func residentMiB() float64 {
	resident, _, _ := memory(os.Getpid()) // of a process that lives
	return resident
}

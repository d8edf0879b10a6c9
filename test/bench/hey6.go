package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

const (
	// hey6 is taskgen's example.Hey6TaskSet.
	hey6 = `
tasks: [{name: hello, pkg: hey, quota: 1Mi, priority: 100}]
sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 127}}]
`
	hey6Variants = 127
	hey6Job      = 10 // milliseconds
)

// CampaignSeries is how long a whole campaign takes, from its plan to its last record.
type CampaignSeries struct {
	How        string       `json:"how"`
	Targets    int          `json:"targets"`
	Variants   uint64       `json:"variants"`
	Seconds    Distribution `json:"seconds"`
	PerVariant float64      `json:"millisecondsPerVariantAndTarget"` // of the median
	PerRaw     float64      `json:"perRaw"`                          // the median, divided by that of the raw loop
}

// hows are what is compared, in the order in which each round runs them.
var hows = []string{howRaw, howMemory, howSQLite}

// measureHey6 runs the same campaign again and again: one round of everything after the other, so that what the
// machine does meanwhile meets all of them.
func (b *bench) measureHey6(ctx context.Context) ([]CampaignSeries, error) {
	sizes := []int{1, manyTargets}
	p := b.progress.begin("Running Hey6 on fake targets", len(sizes)*len(hows)*b.options.rounds)
	defer p.end()
	var all []CampaignSeries
	for _, n := range sizes {
		series, err := b.hey6On(ctx, n, p)
		if err != nil {
			return nil, fmt.Errorf("Hey6 on %d targets: %w", n, err)
		}
		all = append(all, series...)
	}
	return all, nil
}

func (b *bench) hey6On(ctx context.Context, n int, p *run) (all []CampaignSeries, err error) {
	targets, err := startFakes(ctx, n, hey6Job)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, targets.stop()) }()
	seconds := map[string][]float64{}
	for round := range b.options.rounds {
		for _, how := range hows {
			took, err := b.hey6Once(ctx, how, targets, filepath.Join(b.lodging.dir, fmt.Sprintf("hey6-%d-%d.db", n, round)))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", how, err)
			}
			seconds[how] = append(seconds[how], took.Seconds())
			p.step(how)
		}
	}
	raw := distribution(seconds[howRaw]).P50
	for _, how := range hows {
		d := distribution(seconds[how])
		all = append(all, CampaignSeries{
			How: how, Targets: n, Variants: hey6Variants, Seconds: d,
			PerVariant: d.P50 * 1000 * float64(n) / hey6Variants, PerRaw: ratio(d.P50, raw),
		})
	}
	return all, nil
}

func (b *bench) hey6Once(ctx context.Context, how string, targets *fakes, path string) (took time.Duration, err error) {
	plan, err := planOf("hey6", hey6, targets.targets)
	if err != nil {
		return 0, err
	}
	if how == howRaw {
		return rawLoop(ctx, targets.targets, plan.Space, plan.Total, plan.Binaries["hey"])
	}
	var store results.Store = &forgetful{}
	if how == howSQLite {
		if store, err = results.OpenSQLite(ctx, path); err != nil {
			return 0, err
		}
	}
	a := newArena(ctx, taskloader.New(taskloader.Options{}), store)
	defer func() { err = errors.Join(err, a.stop()) }()
	begin := time.Now()
	a.engine.Apply(plan)
	err = a.await(ctx, plan.ID, plan.Total)
	return time.Since(begin), err
}

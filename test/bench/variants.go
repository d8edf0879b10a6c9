package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/refguest"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// manyTargets is the number of targets of the larger measurement.
const manyTargets = 8

// Throughput is how many variants a second go through targets that need no time of their own.
type Throughput struct {
	How       string  `json:"how"`
	Targets   int     `json:"targets"`
	Variants  uint64  `json:"variants"`
	PerSecond float64 `json:"perSecond"`
	// SentBytes and ReceivedBytes are what a variant costs on the wire, seen from the client.
	SentBytes     float64 `json:"sentBytesPerVariant"`
	ReceivedBytes float64 `json:"receivedBytesPerVariant"`
	// PerRaw is PerSecond divided by that of the raw loop over as many connections.
	PerRaw float64 `json:"perRaw"`
}

// Names of what is compared.
const (
	howRaw    = "raw loop"
	howMemory = "engine, records kept in memory"
	howSQLite = "engine, SQLite"
)

// measureVariants sends the same variants through the engine and through a plain loop.
func (b *bench) measureVariants(ctx context.Context) ([]Throughput, error) {
	content, err := os.ReadFile(filepath.Join(b.options.tasks, "hey"))
	if err != nil {
		return nil, err
	}
	binary := session.Binary{Name: "hey", Content: content, SHA256: sha256.Sum256(content)}
	sizes, hows := []int{1, manyTargets}, []string{howRaw, howMemory, howSQLite}
	p := b.progress.begin("Running variants on targets in this process", len(sizes)*len(hows))
	defer p.end()
	var all []Throughput
	for _, n := range sizes {
		raw := 0.0
		for _, how := range hows {
			t, err := b.measureThroughput(ctx, how, n, binary)
			if err != nil {
				return nil, fmt.Errorf("%s, %d targets: %w", how, n, err)
			}
			if how == howRaw {
				raw = t.PerSecond
			}
			t.PerRaw = ratio(t.PerSecond, raw)
			all = append(all, t)
			p.step(how)
		}
	}
	return all, nil
}

// measureThroughput runs fresh targets and all variants on them.
func (b *bench) measureThroughput(ctx context.Context, how string, n int, binary session.Binary) (Throughput, error) {
	total := uint64(n * b.options.variants)
	space, err := newSpace(total)
	if err != nil {
		return Throughput{}, err
	}
	farm, err := newFarm(ctx, n)
	if err != nil {
		return Throughput{}, err
	}
	var took time.Duration
	switch how {
	case howRaw:
		took, err = rawLoop(ctx, farm.targets, space, total, binary)
	default:
		took, err = farm.campaign(ctx, how, b.lodging.dir, space, total, binary)
	}
	if err := errors.Join(err, farm.stop()); err != nil {
		return Throughput{}, err
	}
	return Throughput{
		How: how, Targets: n, Variants: total, PerSecond: ratio(float64(total), took.Seconds()),
		SentBytes:     float64(farm.received.Load()) / float64(total),
		ReceivedBytes: float64(farm.sent.Load()) / float64(total),
	}, nil
}

// numbered is a campaign.Space over a real one.
type numbered struct{ *variant.Space }

func (s numbered) Values(n uint64) string {
	return `{"hello.config.arg1":` + strconv.FormatUint(n, 10) + `}`
}

// newSpace is a task-set of one task, whose configuration varies.
func newSpace(total uint64) (numbered, error) {
	from, to := int64(0), int64(total-1)
	spec := &v1alpha1.TaskSetSpec{
		Tasks:      []v1alpha1.Task{{Name: "hello", Pkg: "hey", Priority: 10}},
		Sweeps:     []v1alpha1.Sweep{{Task: "hello", Attribute: "config.arg1", Range: &v1alpha1.IntegerRange{From: &from, To: &to, Step: 1}}},
		Completion: v1alpha1.Completion{JobsPerTask: 1},
	}
	s, err := variant.Build(spec)
	return numbered{s}, err
}

// farm is a number of reference targets in this process, whose jobs need no time.
type farm struct {
	targets        []session.Target
	sent, received atomic.Int64 // bytes, by the targets
	group          *errgroup.Group
	cancel         context.CancelFunc
}

func newFarm(ctx context.Context, n int) (*farm, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &farm{cancel: cancel}
	f.group, ctx = errgroup.WithContext(ctx)
	for i := range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, f.stop())
		}
		f.targets = append(f.targets, session.Target{Name: fmt.Sprintf("target-%d", i), Address: l.Addr().String(), Generation: taskset.G1608b})
		server := refguest.New(refguest.Options{Runner: &refguest.InstantRunner{}})
		f.group.Go(func() error { return server.Serve(ctx, counting{l, f}) })
	}
	return f, nil
}

func (f *farm) stop() error {
	f.cancel()
	return f.group.Wait()
}

// campaign runs the variants as the manager does, and returns how long that took.
func (f *farm) campaign(ctx context.Context, how, dir string, space numbered, total uint64, binary session.Binary) (time.Duration, error) {
	var store results.Store = &forgetful{}
	if how == howSQLite {
		path := filepath.Join(dir, fmt.Sprintf("results-%d.db", len(f.targets)))
		sqlite, err := results.OpenSQLite(ctx, path)
		if err != nil {
			return 0, err
		}
		store = sqlite
	}
	a := newArena(ctx, taskloader.New(taskloader.Options{}), store)
	begin := time.Now()
	a.engine.Apply(campaign.Plan{
		ID: "bench", Name: "default/bench", Space: space, Total: total, JobsPerTask: 1,
		TimeLimit: func(tasks []taskset.Task) time.Duration { return variant.TimeLimit(tasks, 1) },
		Targets:   f.targets, Binaries: map[string]session.Binary{binary.Name: binary},
	})
	err := a.await(ctx, "bench", total)
	took := time.Since(begin)
	return took, errors.Join(err, a.stop())
}

// steady is a fleet in which nothing ever happens.
type steady struct{}

func (steady) Standing(string) campaign.Standing {
	return campaign.Standing{Ready: true, Incarnation: 1}
}
func (steady) Reset(context.Context, string, campaign.Reset) error {
	return errors.New("a target in this process is not reset")
}
func (steady) Binary(context.Context, string, string) ([]byte, error) {
	return nil, campaign.ErrNoBinary
}

// forgetful is a store that costs nothing, to see what the real one costs.
type forgetful struct{}

func (*forgetful) Put(context.Context, ...results.Record) error                   { return nil }
func (*forgetful) Each(context.Context, string, func(results.Record) error) error { return nil }
func (*forgetful) Begin(context.Context, results.Campaign) error                  { return nil }
func (*forgetful) Campaigns(context.Context) ([]results.Campaign, error)          { return nil, nil }
func (*forgetful) Reopen(context.Context, string) (int64, error)                  { return 0, nil }
func (*forgetful) Reference(string) string                                        { return "" }
func (*forgetful) Close() error                                                   { return nil }

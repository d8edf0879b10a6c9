package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// writers is how many records are being written at a time: as many as a campaign on so many targets has.
const writers = 128

// StoreSeries is how many records a store takes, durably.
type StoreSeries struct {
	How       string  `json:"how"`
	Writers   int     `json:"writers"`
	Records   int     `json:"records"`
	PerSecond float64 `json:"perSecond"`
	// CPU is what a record costs this process, in microseconds.
	CPU float64 `json:"cpuMicroseconds"`
	// Syncs is how often a second this disk can write down 4 KiB for good: what durability is made of.
	Syncs float64 `json:"syncsPerSecond"`
}

// measureStore writes records of one job each, as many writers at a time as there are targets.
func (b *bench) measureStore(ctx context.Context) ([]StoreSeries, error) {
	stores := b.stores()
	p := b.progress.begin("Writing results", 2*len(stores))
	defer p.end()
	var all []StoreSeries
	for _, s := range stores {
		for _, w := range []int{1, writers} {
			series, err := b.fill(ctx, s, w)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.how, err)
			}
			all = append(all, series)
			p.step(s.how)
		}
	}
	return all, nil
}

// candidate is a store that is measured.
type candidate struct{ how, dsn string }

func (b *bench) stores() []candidate {
	all := []candidate{{"SQLite", filepath.Join(b.lodging.dir, "store.db")}}
	if b.options.postgres != "" {
		all = append(all, candidate{"PostgreSQL", b.options.postgres})
	}
	return all
}

func (b *bench) fill(ctx context.Context, c candidate, n int) (series StoreSeries, err error) {
	total := b.options.records
	if n == 1 {
		total = max(total/20, 1) // each waits for the disk alone
	}
	syncs, err := syncsPerSecond(b.lodging.dir)
	if err != nil {
		return series, err
	}
	store, err := results.Open(ctx, c.dsn)
	if err != nil {
		return series, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	campaign := fmt.Sprintf("bench-%d", time.Now().UnixNano()) // a database may have seen others
	if err := store.Begin(ctx, results.Campaign{ID: campaign, Name: "bench/bench", SpecHash: "bench", Spec: []byte("{}"), Total: uint64(total), Begun: time.Now()}); err != nil {
		return series, err
	}
	var next atomic.Uint64
	begin, cpu := time.Now(), ownCPU()
	group, ctx := errgroup.WithContext(ctx)
	for range n {
		group.Go(func() error {
			for v := next.Add(1); v <= uint64(total); v = next.Add(1) {
				if err := store.Put(ctx, recordOf(campaign, v)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return series, err
	}
	return StoreSeries{
		How: c.how, Writers: n, Records: total, PerSecond: float64(total) / time.Since(begin).Seconds(),
		CPU: (ownCPU() - cpu) / float64(total) * 1e6, Syncs: syncs,
	}, nil
}

// recordOf is the record of a variant with one job.
func recordOf(campaign string, variant uint64) results.Record {
	at, start, end := time.Now(), int64(variant), int64(variant+10)
	return results.Record{
		Campaign: campaign, Variant: variant, Attempt: 1, Final: true, Succeeded: true, Reason: "Completed",
		Target: "bench/target-17", Address: "127.0.1.18:3001", Generation: "1608b", Incarnation: 1,
		Values: `{"hello.config.x":"417","hello.config.y":"23","hello.config.z":"999"}`, Started: at, Ended: at,
		HostClass: "Genode", BytesIn: 208, BytesOut: 323,
		Jobs: []results.Job{{Task: "hello", Number: 1, Start: &start, End: &end, Outcome: "EXIT"}},
	}
}

// syncsPerSecond writes 4 KiB at a time for some tenths of a second, and waits for the disk each time.
func syncsPerSecond(dir string) (rate float64, err error) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 4096)
	begin, n := time.Now(), 0
	for time.Since(begin) < 300*time.Millisecond {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

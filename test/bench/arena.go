package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// arena is an engine that runs one campaign after the other.
type arena struct {
	engine *campaign.Engine
	store  results.Store
	cancel context.CancelFunc
	ended  chan error
}

func newArena(ctx context.Context, class session.Class, store results.Store) *arena {
	ctx, cancel := context.WithCancel(ctx)
	a := &arena{store: store, cancel: cancel, ended: make(chan error, 1)}
	a.engine = campaign.New(campaign.Options{Store: store, Class: class, Fleet: steady{}})
	go func() { a.ended <- a.engine.Start(ctx) }()
	return a
}

// stop ends the engine and then the store.
func (a *arena) stop() error {
	a.cancel()
	return errors.Join(<-a.ended, a.store.Close())
}

// await waits until so many variants of a campaign are finished.
func (a *arena) await(ctx context.Context, id string, finished uint64) error {
	for {
		s, _ := a.engine.Snapshot(id)
		switch {
		case s.Finished >= finished && s.State != campaign.StateLoading && s.Tally.Failed > 0:
			return fmt.Errorf("%d of %d variants failed", s.Tally.Failed, s.Finished)
		case s.Finished >= finished && s.State != campaign.StateLoading:
			return nil
		case s.Blocked != "" || s.StoreError != "":
			return fmt.Errorf("the campaign stands still: %s%s", s.Blocked, s.StoreError)
		}
		if !pause(ctx, 500*time.Microsecond) {
			return ctx.Err()
		}
	}
}

// planOf makes the plan of a campaign from a spec in YAML. Each pkg that it needs has a binary as large as the
// smallest of the originals.
func planOf(id, text string, targets []session.Target) (campaign.Plan, error) {
	var spec v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		return campaign.Plan{}, err
	}
	p, err := campaign.FromSpec(id, "bench/"+id, &spec)
	if err != nil {
		return campaign.Plan{}, err
	}
	p.Targets = targets
	p.Binaries["hey"] = hey()
	return p, nil
}

// hey stands for the binary of that name: fake targets look at nothing but its size.
func hey() session.Binary {
	const size = 44_372
	content := []byte(strings.Repeat("\x7fELF", size/4+1)[:size])
	return session.Binary{Name: "hey", Content: content, SHA256: sha256.Sum256(content)}
}

package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// Pauses between two attempts to reach the store.
const (
	storeBase = 50 * time.Millisecond
	storeMax  = 5 * time.Second
)

// begin reads what the store has of a campaign, in a goroutine of its own, and lets it run then. The caller
// holds e.mu.
func (e *Engine) begin(c *running) {
	ctx, cancel := context.WithCancel(e.ctx)
	c.cancel = cancel
	written := make(chan struct{})
	if before := e.leaving[c.id]; before != nil { // it was forgotten, and its newest records are on their way
		written = before.idle
	} else {
		close(written)
	}
	plan := c.plan
	e.group.Go(func() {
		select {
		case <-written:
			e.load(ctx, c, plan)
		case <-ctx.Done():
		}
	})
}

// load tries until the store has answered. It surveys the campaign afterwards if something has to be left out.
func (e *Engine) load(ctx context.Context, c *running, plan *Plan) {
	ledger, tally := NewLedger(plan.Total, plan.constraint() != nil), NewTally()
	done := e.insist(ctx, c, func() error {
		ledger, tally = NewLedger(plan.Total, plan.constraint() != nil), NewTally()
		err := e.read(ctx, plan, ledger, tally)
		if errors.Is(err, results.ErrOtherSpec) {
			e.refuse(c, err)
			return nil
		}
		return err
	})
	if !done {
		return
	}
	e.mu.Lock()
	c.ledger, c.tally, c.loaded, c.storeErr, c.dirty = ledger, tally, true, "", true
	if c.reopening() {
		e.write(c)
	}
	e.resettle(c)
	e.mu.Unlock()
	if space := plan.constraint(); space != nil {
		e.explore(ctx, c, space)
	}
}

func (e *Engine) refuse(c *running, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.refused = err.Error()
}

// read makes ledger and tally from the records of a campaign, which it makes known to the store.
func (e *Engine) read(ctx context.Context, plan *Plan, ledger *Ledger, tally *Tally) error {
	store := e.opts.Store
	if err := store.Begin(ctx, results.Campaign{
		ID: plan.ID, Name: plan.Name, SpecHash: plan.SpecHash, Seed: plan.Seed, Spec: plan.Spec, Total: plan.Total, Begun: e.opts.Clock.Now(),
	}); err != nil {
		return err
	}
	space := plan.constraint()
	return store.Each(ctx, plan.ID, func(r results.Record) error {
		if r.Variant >= plan.Total {
			return fmt.Errorf("the store holds variant %d of a campaign of %d", r.Variant, plan.Total)
		}
		ledger.Recover(r.Variant, r.Attempt, r.Final)
		tally.Add(r)
		for space != nil && ledger.Horizon() < ledger.Scattered() && ctx.Err() == nil {
			ledger.Survey(survey(space, ledger.Horizon(), plan.Total))
		}
		return ctx.Err()
	})
}

// insist calls f until it succeeds; the campaign shows its errors meanwhile. False: ctx has ended before.
func (e *Engine) insist(ctx context.Context, c *running, f func() error) bool {
	for pause := storeBase; ; pause = min(2*pause, storeMax) {
		err := f()
		if err == nil {
			return true
		}
		e.storeFailed(c, err)
		e.opts.Log.Info("Results store failed, trying again", "campaign", c.name, "error", err.Error())
		if !e.sleep(ctx, pause) {
			return false
		}
	}
}

// storeFailed keeps the campaign from getting more targets until the store works again.
func (e *Engine) storeFailed(c *running, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.storeErr, c.dirty = err.Error(), true
}

// storeWorks takes that back. The caller holds e.mu.
func (e *Engine) storeWorks(c *running) {
	if c.storeErr != "" {
		c.storeErr = ""
		e.wake()
	}
}

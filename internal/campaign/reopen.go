package campaign

import (
	"context"
	"fmt"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// reopened is the answer to Retry.
type reopened struct {
	variants int64
	err      error
}

// Retry lets the variants of a campaign that have failed for good be run again, with all their attempts, and
// returns how many they are. It waits for the store.
func (e *Engine) Retry(ctx context.Context, id string) (int64, error) {
	answer := make(chan reopened, 1)
	e.mu.Lock()
	c := e.campaigns[id]
	if c == nil || !e.alive() {
		e.mu.Unlock()
		return 0, fmt.Errorf("campaign %s is not running: start it before its failed variants are tried again", id)
	}
	c.retries = append(c.retries, answer)
	if c.loaded {
		e.write(c)
	}
	e.resettle(c)
	e.mu.Unlock()
	select {
	case r := <-answer:
		return r.variants, r.err
	case <-ctx.Done():
		return 0, fmt.Errorf("try failed variants of campaign %s again: %w", id, ctx.Err())
	}
}

// reopen does what Retry and Plan.Retry ask for. It is called by the campaign's writer: while it runs no record
// is on its way, so that what it reads is all there is.
func (e *Engine) reopen(ctx context.Context, c *running) {
	e.mu.Lock()
	plan, asked := c.plan, c.retries
	c.retries, c.reviving = nil, true
	e.mu.Unlock()
	var n int64
	tally, failed := NewTally(), map[uint64]int32{}
	done := e.insist(ctx, c, func() (err error) {
		var more int64
		more, err = e.opts.Store.Reopen(ctx, plan.ID)
		n += more
		if err != nil {
			return err
		}
		tally, failed = NewTally(), map[uint64]int32{}
		return e.opts.Store.Each(ctx, plan.ID, func(r results.Record) error {
			tally.Add(r)
			if r.Final {
				delete(failed, r.Variant)
			} else {
				failed[r.Variant] = max(failed[r.Variant], r.Attempt)
			}
			return ctx.Err()
		})
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	c.reviving = false
	answer := reopened{variants: n}
	if done {
		for variant, attempts := range failed {
			c.ledger.Reopen(variant, attempts)
		}
		c.tally, c.retried, c.dirty = tally, max(c.retried, plan.Retry), true
		e.storeWorks(c)
		e.resettle(c)
		e.wake()
	} else {
		answer.err = fmt.Errorf("the engine ended before the failed variants of campaign %s were reopened", plan.Name)
	}
	for _, a := range asked {
		a <- answer
	}
}

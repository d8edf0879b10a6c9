package campaign

import (
	"context"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

const (
	// batchTime is how long a worker may be at the variants of one order: so long a campaign of a higher
	// priority waits for a target at most, if variants are shorter than that.
	batchTime = 5 * time.Millisecond
	batchMax  = 64
)

// order is what a worker has to do: some variants of one campaign, one after the other.
type order struct {
	campaign *running
	plan     *Plan
	target   session.Target // as the plan calls it
	lease    Lease          // what it is at
	rest     []Lease        // what follows; guarded by Engine.mu
	began    time.Time
	guessed  float64 // see shares
	changes  uint64  // of the engine, when it was given
	abort    context.CancelCauseFunc
}

// batch is how many variants are given at once to a worker that needs so long for one: as many as are soon
// done, and few at the end, so that all targets end at about the same time.
func (c *running) batch(pace time.Duration) int {
	if pace <= 0 || pace > batchTime || c.plan.PerVariant || c.plan.Reset != ResetNone {
		return 1
	}
	fair := c.ledger.Fresh() / uint64(2*max(len(c.targets), 1))
	return max(1, int(min(fair, uint64(batchTime/pace), batchMax)))
}

// finishOrder ends the worker's order if it has one. What is left of it goes back.
func (e *Engine) finishOrder(w *worker) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.order == nil {
		return
	}
	bounded := w.order.plan.Parallelism > 0
	if e.endOrder(w); bounded {
		e.wake()
	}
}

// endOrder is finishOrder for a caller that holds e.mu and sees to it that others get to know of room.
func (e *Engine) endOrder(w *worker) {
	o := w.order
	if o == nil {
		return
	}
	w.order = nil
	c, now := o.campaign, e.opts.Clock.Now()
	if e.takeBack(now, o) {
		e.wake()
	}
	e.shares.used(c.share, o.guessed, now.Sub(o.began))
	if c.serving--; c.serving == 0 && c.state != StateRunning {
		e.employ()
	}
	c.dirty = true
}

// recall takes back what others have in their orders and are not at, for a worker that has nothing to do. The
// caller holds e.mu.
func (e *Engine) recall(now time.Time, idle *worker) (some bool) {
	for _, c := range e.campaigns {
		if _, uses := c.targets[idle.key]; !uses || c.ordered == 0 {
			continue
		}
		for _, w := range e.workers {
			if w.order != nil && w.order.campaign == c {
				some = e.takeBack(now, w.order) || some
			}
		}
	}
	return some
}

// takeBack empties an order but for what its worker is at, and reports whether there was more. The caller
// holds e.mu.
func (e *Engine) takeBack(now time.Time, o *order) bool {
	if len(o.rest) == 0 {
		return false
	}
	o.campaign.ordered -= len(o.rest)
	o.campaign.ledger.GiveBack(now, o.rest)
	o.rest = nil
	return true
}

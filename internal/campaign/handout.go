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

// candidates are the campaigns that have work for a target now, and when there could be more: at wake (the
// zero time: never), or after a wake of the engine. The caller holds e.mu.
func (e *Engine) candidates(now time.Time, w *worker) (list []*running, wake time.Time) {
	if e.full(w) {
		e.held = true
		return nil, time.Time{}
	}
	list = w.candidates[:0]
	for _, c := range e.campaigns {
		if _, uses := c.targets[w.key]; !uses {
			continue
		}
		at, work := e.workFor(now, c, w.key)
		e.shares.wants(c.share, work && at.IsZero())
		switch {
		case work && at.IsZero():
			list = append(list, c)
		case work && (wake.IsZero() || at.Before(wake)):
			wake = at
		}
	}
	w.candidates = list
	return list, wake
}

// workFor is running.workFor, with the quarantine. The caller holds e.mu.
func (e *Engine) workFor(now time.Time, c *running, target string) (at time.Time, work bool) {
	at, work = c.workFor(now, target)
	if until := e.quarantine.until(target, e.last(now, c, target)); until.After(now) && until.After(at) {
		at = until
	}
	return at, work
}

// last reports whether a target in quarantine is as good as any other one of the campaign. The caller holds e.mu.
func (e *Engine) last(now time.Time, c *running, target string) bool {
	if !e.quarantine.holds(now, target) {
		return false
	}
	for other := range c.targets {
		if !e.quarantine.holds(now, other) {
			return false
		}
	}
	return true
}

// offer reports whether there is work for the worker; if not, when to ask again: when changed is closed, or at
// wake (the zero time: never).
func (e *Engine) offer(w *worker) (work bool, changed <-chan struct{}, wake time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Clock.Now()
	list, wake := e.candidates(now, w)
	if len(list) == 0 && e.recall(now, w) {
		list, wake = e.candidates(now, w)
	}
	return len(list) > 0, e.changed, wake
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

// take ends the worker's last order, if there is one, and gives it the next; nil when there is no work for it.
func (e *Engine) take(w *worker, abort context.CancelCauseFunc) *order {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := w.order
	e.endOrder(w)
	now := e.opts.Clock.Now()
	list, _ := e.candidates(now, w)
	c := e.shares.next(list)
	if last != nil && last.campaign != c && last.plan.Parallelism > 0 {
		e.wake() // somebody else may have the room
	}
	if c == nil {
		return nil
	}
	if w.paceOf != c.id {
		w.pace, w.paceOf = 0, c.id
	}
	w.leases = c.ledger.Lease(now, w.key, c.batch(w.pace), w.leases[:0])
	c.serving++
	c.ordered += len(w.leases) - 1
	c.dirty = true
	c.consumed()
	w.order = &order{
		campaign: c, plan: c.plan, target: c.targets[w.key], lease: w.leases[0], rest: w.leases[1:], began: now,
		guessed: e.shares.begin(c.share), changes: e.changes, abort: abort,
	}
	return w.order
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

// await waits until changed is closed, wake has come (unless zero), or ctx ends.
func (e *Engine) await(ctx context.Context, changed <-chan struct{}, wake time.Time) {
	var timer <-chan time.Time
	if !wake.IsZero() {
		t := e.opts.Clock.NewTimer(max(wake.Sub(e.opts.Clock.Now()), time.Millisecond))
		defer t.Stop()
		timer = t.C()
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer:
	}
}

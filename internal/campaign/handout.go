package campaign

import (
	"context"
	"slices"
	"time"
)

// offer says whether a target could get work now; if not, when to ask again: when changed is closed,
// or at wake (the zero time: never).
func (e *Engine) offer(target string) (changed <-chan struct{}, wake time.Time, work bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Clock.Now()
	for _, c := range e.campaigns {
		at, ok := c.workFor(now, target)
		if ok && at.IsZero() {
			return e.changed, time.Time{}, true
		}
		if ok && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	return e.changed, wake, false
}

// workFor says when the campaign has work for a target: the zero time is now; false is not without a
// change of something else.
func (c *running) workFor(now time.Time, target string) (time.Time, bool) {
	if c.state != StateRunning || !c.uses(target) || c.plan.Parallelism > 0 && c.ledger.Leased() >= c.plan.Parallelism {
		return time.Time{}, false
	}
	if c.blocked != "" && now.Before(c.retryAt) {
		return c.retryAt, true
	}
	if c.ledger.Offers(now, target) {
		return time.Time{}, true
	}
	at := c.ledger.Wake(now)
	return at, !at.IsZero()
}

func (c *running) uses(target string) bool {
	for _, t := range c.plan.Targets {
		if t.Name == target {
			return true
		}
	}
	return false
}

// take leases a variant of the campaign that has waited longest for a target.
func (e *Engine) take(target string) (*running, Lease, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Clock.Now()
	var waiting []*running
	for _, c := range e.campaigns {
		if at, ok := c.workFor(now, target); ok && at.IsZero() {
			waiting = append(waiting, c)
		}
	}
	slices.SortFunc(waiting, func(a, b *running) int { return a.served.Compare(b.served) })
	for _, c := range waiting {
		if lease, ok := c.ledger.Next(now, target); ok {
			c.served, c.dirty = now, true
			return c, lease, true
		}
	}
	return nil, Lease{}, false
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

// finish ends a lease: done when its record is final, otherwise due again.
func (e *Engine) finish(c *running, lease Lease, target string, end ending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case end.recorded && end.record.Final:
		c.ledger.Done(lease)
	default:
		avoid := target
		if len(c.plan.Targets) < 2 {
			avoid = "" // there is no other one
		}
		c.ledger.Return(e.opts.Clock.Now(), lease, avoid, end.recorded)
	}
	if end.recorded {
		c.tally.Add(end.record)
		c.storeErr = ""
	}
	if c.blocked = end.blocked; c.blocked != "" {
		c.retryAt = e.opts.Clock.Now().Add(blockedPause)
	}
	c.dirty = true
	before := c.state
	c.settle()
	if c.state != before {
		e.employ()
	}
	e.wake()
}

package campaign

import (
	"context"
	"time"
)

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

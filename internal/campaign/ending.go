package campaign

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// ending is how an attempt ended.
type ending struct {
	record  *results.Record // nil: nothing of it is recorded, and the same attempt is due again
	avoid   bool            // another target should try next
	blame   string          // the target failed, and why; see quarantine
	blocked block           // with a reason: this has to be mended first
	notice  *results.Notice // told with the record, or at once if there is none; nil: nobody is told
}

// finish ends the lease that the worker is at, and reports whether it may go on to the next one of its order.
func (e *Engine) finish(w *worker, o *order, end ending) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, lease, now := o.campaign, o.lease, e.opts.Clock.Now()
	e.judge(now, w, end)
	if end.blocked.reason != "" {
		end.blocked.until = now.Add(blockedPause)
		c.blocks[w.key] = end.blocked
		e.wake()
	} else if len(c.blocks) > 0 {
		delete(c.blocks, w.key)
	}
	c.dirty = true
	if end.record == nil {
		c.ledger.Return(now, lease, end.avoided(o, w.key), false)
		e.wake()
		return false
	}
	e.queue(c, entry{lease: lease, record: *end.record, avoid: end.avoided(o, w.key), worker: w, notice: end.notice})
	if len(o.rest) == 0 || !end.record.Succeeded || o.changes != e.changes || now.Sub(o.began) > batchTime || e.full(w) {
		return false
	}
	o.lease, o.rest = o.rest[0], o.rest[1:]
	c.ordered--
	return true
}

// judge keeps variants away from the target, or forgives it. The caller holds e.mu.
func (e *Engine) judge(now time.Time, w *worker, end ending) {
	switch {
	case end.blame == ReasonInUse:
		e.quarantine.occupied(now, w.key)
	case end.blame != "":
		e.quarantine.failed(now, w.key, end.blame)
	case end.record != nil && end.record.Succeeded && e.quarantine.succeeded(w.key):
		e.wake()
	}
}

// avoided is the target that should not get the variant next; "" if there is no other one.
func (end ending) avoided(o *order, target string) string {
	if !end.avoid || len(o.campaign.targets) < 2 {
		return ""
	}
	return target
}

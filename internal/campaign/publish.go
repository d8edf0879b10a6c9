package campaign

import (
	"context"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// publishInterval bounds how often a changed campaign is reported.
const publishInterval = 500 * time.Millisecond

// publish reports changed campaigns until ctx ends.
func (e *Engine) publish(ctx context.Context) {
	tick := e.opts.Clock.NewTicker(publishInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C():
		}
		for _, id := range e.takeDirty() {
			e.opts.Changed(id)
		}
	}
}

func (e *Engine) takeDirty() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for id, c := range e.campaigns {
		if c.dirty {
			c.dirty = false
			ids = append(ids, id)
		}
	}
	return ids
}

// tell ends what an observer hears of an attempt: how it went is true once its record is in the store.
func (e *Engine) tell(n *results.Notice, r *results.Record, stored bool) {
	if n == nil {
		return
	}
	n.Time, n.Kind = e.opts.Clock.Now(), results.NoticeStopped
	if stored {
		n.Record = r
		if r.Succeeded {
			n.Kind = results.NoticeFinished
		}
	}
	e.opts.Observe(*n)
}

// sleep waits for d and reports whether ctx is still alive.
func (e *Engine) sleep(ctx context.Context, d time.Duration) bool {
	t := e.opts.Clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C():
		return true
	}
}

package campaign

import (
	"context"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// Bounds of what is in memory and not in the store, in units of weight: a record with few jobs weighs 1.
const (
	maxUnwritten          = 4096
	maxUnwrittenPerWorker = 256
	jobsPerWeight         = 32
	writeBatch            = 256              // records in one call of the store
	writeLimit            = 10 * time.Second // for what is being written when the engine ends
)

// entry is a record on its way to the store.
type entry struct {
	lease  Lease
	record results.Record
	avoid  string
	worker *worker
	notice *results.Notice
}

func (x *entry) weight() int { return 1 + len(x.record.Jobs)/jobsPerWeight }

// full reports whether the store has to take records before the worker may make more. The caller holds e.mu.
func (e *Engine) full(w *worker) bool {
	return e.unwritten >= maxUnwritten || w.unwritten >= maxUnwrittenPerWorker
}

// queue hands a record to the writer of its campaign: the target goes on with the next variant meanwhile. The
// ledger hears of it when the store has it. The caller holds e.mu, and is a goroutine of the engine.
func (e *Engine) queue(c *running, x entry) {
	e.unwritten += x.weight()
	x.worker.unwritten += x.weight()
	c.queue = append(c.queue, x)
	if e.campaigns[c.id] != c {
		e.leaving[c.id] = c
	}
	e.write(c)
}

// write starts the writer of a campaign unless it is at work. The caller holds e.mu.
func (e *Engine) write(c *running) {
	if c.writing {
		return
	}
	c.writing = true
	ctx := e.ctx
	e.group.Go(func() {
		ctx, cancel := e.outlive(ctx, writeLimit)
		defer cancel()
		for e.writeNext(ctx, c) {
		}
	})
}

// writeNext writes a batch of records, or reopens failed variants; false when there is nothing left to do.
func (e *Engine) writeNext(ctx context.Context, c *running) bool {
	e.mu.Lock()
	if c.reopening() && c.loaded && ctx.Err() == nil {
		e.mu.Unlock()
		e.reopen(ctx, c)
		return true
	}
	n := min(len(c.queue), writeBatch)
	batch := c.queue[:n:n]
	c.queue = c.queue[n:]
	if n == 0 {
		c.queue = nil
		e.written(c)
		e.mu.Unlock()
		return false
	}
	e.mu.Unlock()

	records := make([]results.Record, n)
	for i := range batch {
		records[i] = batch[i].record
	}
	stored := e.insist(ctx, c, func() error { return e.opts.Store.Put(ctx, records...) })
	e.settleBatch(c, batch, stored)
	return true
}

// written ends the writer. The caller holds e.mu.
func (e *Engine) written(c *running) {
	c.writing = false
	if e.leaving[c.id] == c {
		delete(e.leaving, c.id)
		close(c.idle)
		c.idle = make(chan struct{})
	}
}

// settleBatch tells the ledger of records that are in the store, or that never got there because the engine
// ends.
func (e *Engine) settleBatch(c *running, batch []entry, stored bool) {
	e.mu.Lock()
	now := e.opts.Clock.Now()
	for i := range batch {
		x := &batch[i]
		e.unwritten -= x.weight()
		x.worker.unwritten -= x.weight()
		if !stored {
			continue
		}
		c.tally.Add(x.record)
		if x.record.Final {
			c.ledger.Done(x.lease)
			continue
		}
		c.ledger.Return(now, x.lease, x.avoid, true)
		e.wake()
	}
	if stored {
		e.storeWorks(c)
		c.dirty = true
		e.resettle(c)
	}
	if e.held {
		e.held = false
		e.wake()
	}
	e.mu.Unlock()
	for i := range batch {
		e.tell(batch[i].notice, &batch[i].record, stored)
	}
}

// outlive returns a context that ends so long after ctx has ended, or with cancel.
func (e *Engine) outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if e.sleep(out, by) {
			cancel()
		}
	})
	return out, func() { cancel(); stop() }
}

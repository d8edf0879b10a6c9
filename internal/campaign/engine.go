package campaign

import (
	"context"
	"errors"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// Options of an Engine.
type Options struct {
	Store results.Store
	Class session.Class
	Fleet Fleet
	Clock clock.WithTicker // real time by default
	Log   logr.Logger
	// Changed is called with the ID of a campaign whose snapshot has changed, at most once in
	// 500 ms for each.
	Changed func(id string)
	// Observe is told of every attempt as it goes on, in order for each attempt; that it has finished comes when
	// the target may be at the next one already. It must not block. Nil: nobody is told.
	Observe func(results.Notice)
}

// Engine runs campaigns. It is safe for concurrent use; nothing runs before Start.
type Engine struct {
	opts Options

	mu         sync.Mutex
	ctx        context.Context //nolint:containedctx // the life of Start, which owns every goroutine of the engine
	stopped    bool            // nothing joins the group any more, but what those in it begin
	campaigns  map[string]*running
	leaving    map[string]*running // forgotten campaigns whose records are still being written
	workers    map[string]*worker  // by key of the target
	retiring   map[string]*worker  // dismissed workers that still hold their target
	shares     shares
	quarantine quarantine
	unwritten  int           // weight of the records that are not in the store yet
	held       bool          // a worker got nothing because of it
	changes    uint64        // counts calls of wake
	changed    chan struct{} // closed and replaced by wake
	group      sync.WaitGroup
}

// New makes an Engine.
func New(opts Options) *Engine {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Changed == nil {
		opts.Changed = func(string) {}
	}
	return &Engine{
		opts: opts, campaigns: map[string]*running{}, leaving: map[string]*running{},
		workers: map[string]*worker{}, retiring: map[string]*worker{}, changed: make(chan struct{}),
	}
}

// Start runs the engine until ctx ends; then every session is closed and every goroutine has ended.
// Variants that were running go back: nothing of them was recorded. Records that are being written then have
// another 10 s to get into the store.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	if e.ctx != nil {
		e.mu.Unlock()
		return errors.New("campaign engine was started twice")
	}
	e.ctx = ctx
	for _, c := range e.campaigns {
		e.begin(c)
	}
	e.mu.Unlock()
	e.publish(ctx)
	e.stop()
	e.group.Wait()
	return nil
}

// stop keeps goroutines of campaigns that come now from joining the group, so that it can be waited for.
func (e *Engine) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
}

// alive reports whether goroutines may be started from outside. The caller holds e.mu.
func (e *Engine) alive() bool { return e.ctx != nil && !e.stopped }

// Apply starts a campaign or changes a running one.
func (e *Engine) Apply(p Plan) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.campaigns[p.ID]
	if c == nil {
		c = newRunning(&p, e.shares.join(p.Priority, p.Weight))
		e.campaigns[p.ID] = c
		if e.alive() {
			e.begin(c)
		}
		return
	}
	c.change(&p)
	e.shares.change(c.share, p.Priority, p.Weight)
	if p.Stopped {
		e.interrupt(c, errStopped)
	}
	if c.reopening() && c.loaded && e.alive() {
		e.write(c)
	}
	e.resettle(c)
	e.employ()
	e.wake()
}

// Forget drops a campaign; its records stay in the store. Attempts that run are stopped.
func (e *Engine) Forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.campaigns[id]
	if c == nil {
		return
	}
	delete(e.campaigns, id)
	c.cancel()
	if c.writing {
		e.leaving[id] = c
	}
	e.interrupt(c, errForgotten)
	e.employ()
	e.wake()
}

var (
	errForgotten = errors.New("the campaign was deleted")
	errStopped   = errors.New("the campaign was stopped")
)

// interrupt ends what runs for a campaign. The caller holds e.mu.
func (e *Engine) interrupt(c *running, cause error) {
	for _, w := range e.workers {
		if w.order != nil && w.order.campaign == c {
			w.order.abort(cause)
		}
	}
}

// Snapshot of a campaign; false when the engine does not have it.
func (e *Engine) Snapshot(id string) (Snapshot, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.campaigns[id]
	if c == nil {
		return Snapshot{}, false
	}
	s := c.snapshot()
	s.Reference = e.opts.Store.Reference(id)
	s.Quarantined = e.quarantine.list(e.opts.Clock.Now(), c.names())
	return s, true
}

// resettle sets the state that follows from ledger and plan. The caller holds e.mu.
func (e *Engine) resettle(c *running) {
	if c.settle() {
		c.dirty = true
		e.employ()
		e.wake()
	}
}

// wake lets every worker that waits look for work again. The caller holds e.mu.
func (e *Engine) wake() {
	e.changes++
	close(e.changed)
	e.changed = make(chan struct{})
}

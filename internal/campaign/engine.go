package campaign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// publishInterval bounds how often a changed campaign is reported.
const publishInterval = 500 * time.Millisecond

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
}

// Engine runs campaigns. It is safe for concurrent use; nothing runs before Start.
type Engine struct {
	opts Options

	mu        sync.Mutex
	ctx       context.Context //nolint:containedctx // the life of Start, which owns every goroutine of the engine
	stopped   bool            // nothing joins the group any more
	campaigns map[string]*running
	workers   map[string]*worker
	changed   chan struct{} // closed and replaced when there may be new work
	group     sync.WaitGroup
}

// running is a campaign in the engine. Its fields are guarded by Engine.mu.
type running struct {
	plan     Plan
	state    State
	ledger   *Ledger
	tally    *Tally
	served   time.Time // when it last got a target; the campaign that waits longest is served first
	blocked  string
	retryAt  time.Time // while blocked
	storeErr string
	dirty    bool
}

// New makes an Engine.
func New(opts Options) *Engine {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Changed == nil {
		opts.Changed = func(string) {}
	}
	return &Engine{opts: opts, campaigns: map[string]*running{}, workers: map[string]*worker{}, changed: make(chan struct{})}
}

// Start runs the engine until ctx ends; then every session is closed and every goroutine has ended.
// Variants that were running go back: nothing of them was recorded.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	if e.ctx != nil {
		e.mu.Unlock()
		return errors.New("campaign engine was started twice")
	}
	e.ctx = ctx
	for id, c := range e.campaigns {
		e.load(id, c)
	}
	e.mu.Unlock()
	e.publish(ctx)
	e.stop()
	e.group.Wait()
	return nil
}

// stop keeps further goroutines from joining the group, so that it can be waited for.
func (e *Engine) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
}

// alive reports whether goroutines may be started. The caller holds e.mu.
func (e *Engine) alive() bool { return e.ctx != nil && !e.stopped }

// Apply starts a campaign or changes a running one.
func (e *Engine) Apply(p Plan) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.campaigns[p.ID]
	if c == nil {
		c = &running{plan: p, state: StateLoading, ledger: NewLedger(p.Total), tally: NewTally()}
		e.campaigns[p.ID] = c
		if e.alive() {
			e.load(p.ID, c)
		}
		return
	}
	if !slices.Equal(c.plan.Targets, p.Targets) || !maps.EqualFunc(c.plan.Binaries, p.Binaries, sameContent) {
		c.blocked = "" // it may be mended
	}
	c.dirty = c.dirty || c.plan.Suspended != p.Suspended
	p.Space, p.Total = c.plan.Space, c.plan.Total
	c.plan = p
	c.settle()
	e.employ()
	e.wake()
}

func sameContent(a, b session.Binary) bool { return a.SHA256 == b.SHA256 }

// Forget drops a campaign; its records stay in the store. Attempts that run are stopped.
func (e *Engine) Forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, there := e.campaigns[id]; !there {
		return
	}
	delete(e.campaigns, id)
	for _, w := range e.workers {
		w.abandon(id)
	}
	e.employ()
	e.wake()
}

// Snapshot of a campaign; false when the engine does not have it.
func (e *Engine) Snapshot(id string) (Snapshot, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.campaigns[id]
	if c == nil {
		return Snapshot{}, false
	}
	return Snapshot{
		State: c.state, Total: c.ledger.Total(), Finished: c.ledger.Finished(), Running: c.ledger.Leased(),
		Tally: c.tally.clone(), Blocked: c.blocked, StoreError: c.storeErr, Reference: e.opts.Store.Reference(id),
	}, true
}

// load reads the records of a campaign, in a goroutine of its own, until the store has answered. The
// caller holds e.mu.
func (e *Engine) load(id string, c *running) {
	ctx, total := e.ctx, c.plan.Total // another Apply may change the plan meanwhile
	e.group.Go(func() {
		pause := 100 * time.Millisecond
		for {
			ledger, tally := NewLedger(total), NewTally()
			err := e.opts.Store.Each(ctx, id, func(r results.Record) error {
				if r.Variant >= total {
					return fmt.Errorf("the store holds variant %d of a campaign of %d", r.Variant, total)
				}
				ledger.Recover(r.Variant, r.Attempt, r.Final)
				tally.Add(r)
				return nil
			})
			if err == nil {
				e.loaded(c, ledger, tally)
				return
			}
			e.storeFailed(c, err)
			if !e.sleep(ctx, pause) {
				return
			}
			pause = min(2*pause, 5*time.Second)
		}
	})
}

func (e *Engine) loaded(c *running, ledger *Ledger, tally *Tally) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.ledger, c.tally, c.storeErr, c.dirty = ledger, tally, "", true
	c.state = StateRunning
	c.settle()
	e.employ()
	e.wake()
}

// settle sets the state that follows from the ledger and the plan.
func (c *running) settle() {
	switch {
	case c.state == StateLoading:
	case c.ledger.Complete():
		c.state = StateComplete
	case c.plan.Suspended:
		c.state = StateSuspended
	default:
		c.state = StateRunning
	}
}

func (e *Engine) storeFailed(c *running, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.storeErr, c.dirty = err.Error(), true
}

// employ starts a worker for each target that a campaign needs, and dismisses the others.
// The caller holds e.mu.
func (e *Engine) employ() {
	wanted := map[string]session.Target{}
	for _, c := range e.campaigns {
		if c.state == StateRunning || c.ledger.Leased() > 0 {
			for _, t := range c.plan.Targets {
				wanted[t.Name] = t
			}
		}
	}
	for name, w := range e.workers {
		if t, still := wanted[name]; !still || t != w.target {
			w.dismiss()
			delete(e.workers, name)
		}
	}
	for name, t := range wanted {
		if e.workers[name] == nil && e.alive() {
			e.workers[name] = e.hire(t)
		}
	}
}

// wake lets every worker look for work again. The caller holds e.mu.
func (e *Engine) wake() {
	close(e.changed)
	e.changed = make(chan struct{})
}

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

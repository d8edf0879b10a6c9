package campaign

import (
	"context"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// worker runs variants on one target, one at a time.
type worker struct {
	engine *Engine
	key    string // of the target
	target session.Target
	cancel context.CancelFunc
	done   chan struct{} // closed when it holds the target no longer
	line   line

	// guarded by Engine.mu
	order      *order
	unwritten  int        // weight of its records that are not in the store yet
	candidates []*running // buffer of Engine.candidates

	leases  []Lease       // buffer of Engine.take
	pace    time.Duration // what the newest variant took; 0: not known, or it failed
	paceOf  string        // the campaign that it belonged to
	shelf   map[string]session.Binary
	shelfOf int64 // incarnation that the shelf belongs to
}

// employ starts a worker for each target that a campaign needs, and dismisses the others.
// The caller holds e.mu.
func (e *Engine) employ() {
	wanted := e.wanted()
	for k, w := range e.workers {
		if t, still := wanted[k]; !still || t != w.target {
			w.cancel() // what it runs goes back
			delete(e.workers, k)
			e.retiring[k] = w
		}
	}
	for k, t := range wanted {
		if e.workers[k] == nil && e.alive() {
			e.workers[k] = e.hire(k, t)
		}
	}
}

// wanted are the targets that campaigns need, by key. One that has two names keeps that which its worker knows.
func (e *Engine) wanted() map[string]session.Target {
	wanted := map[string]session.Target{}
	for _, c := range e.campaigns {
		if c.state != StateRunning && c.serving == 0 {
			continue
		}
		for k, t := range c.targets {
			known, there := wanted[k]
			w := e.workers[k]
			if !there || w != nil && t == w.target || t.Name < known.Name && (w == nil || known != w.target) {
				wanted[k] = t
			}
		}
	}
	return wanted
}

// hire starts a worker; it begins when the one before has let go of the target. The caller holds e.mu.
func (e *Engine) hire(key string, t session.Target) *worker {
	ctx, cancel := context.WithCancel(e.ctx)
	w := &worker{engine: e, key: key, target: t, cancel: cancel, done: make(chan struct{}), shelf: map[string]session.Binary{}}
	w.line = line{engine: e, target: t}
	before := e.retiring[key]
	e.group.Go(func() {
		defer e.retire(w)
		if before != nil {
			<-before.done
		}
		w.run(ctx)
	})
	return w
}

func (e *Engine) retire(w *worker) {
	w.cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	close(w.done)
	if e.retiring[w.key] == w {
		delete(e.retiring, w.key)
	}
}

func (w *worker) run(ctx context.Context) {
	defer w.line.close()
	defer w.line.rest(ctx)
	for ctx.Err() == nil {
		if !w.line.sound() {
			work, changed, wake := w.engine.offer(w)
			if !work {
				w.engine.await(ctx, changed, wake)
				continue
			}
			if !w.line.connect(ctx) {
				continue
			}
		}
		w.work(ctx)
	}
}

// work serves orders as long as there are some and the session is sound, and waits for the next when there are
// none.
func (w *worker) work(ctx context.Context) {
	defer w.engine.finishOrder(w)
	for ctx.Err() == nil && w.line.sound() {
		octx, abort := context.WithCancelCause(ctx)
		o := w.engine.take(w, abort)
		if o == nil {
			abort(nil)
			w.line.rest(ctx)
			work, changed, wake := w.engine.offer(w)
			if !work {
				w.engine.await(ctx, changed, wake)
			}
			continue
		}
		w.serve(octx, o)
		abort(nil)
	}
}

// serve runs the variants of an order, until one fails or the engine has something else in mind.
func (w *worker) serve(ctx context.Context, o *order) {
	for more := true; more; {
		began := w.engine.opts.Clock.Now()
		end := w.attempt(ctx, o)
		if w.pace = 0; end.record != nil && end.record.Succeeded {
			w.pace = max(w.engine.opts.Clock.Now().Sub(began), 1)
		}
		more = w.engine.finish(w, o, end)
		if end.record == nil {
			w.engine.tell(end.notice, nil, false)
		}
	}
}

package campaign

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// Pauses between two attempts to open a session: from connectBase, doubled, up to connectMax, less a
// random half of it.
const (
	connectBase = 50 * time.Millisecond
	connectMax  = 2 * time.Second
	// stallLimit is the number of silent attempts in a row after which a target that still answers
	// pings is reset.
	stallLimit = 2
)

// worker runs variants on one target, one at a time, through one session.
type worker struct {
	engine *Engine
	target session.Target
	cancel context.CancelFunc

	// guarded by Engine.mu
	abort   context.CancelCauseFunc // of the attempt that runs
	serving string                  // campaign of the attempt that runs

	session  session.Session // nil: not connected
	standing Standing        // when the session was opened
	refusals int             // failed connects in a row
	silences int             // silent attempts in a row
	shelf    map[string]session.Binary
	shelfOf  int64 // incarnation that the shelf belongs to
}

var errForgotten = errors.New("the campaign was deleted")

// hire starts a worker. The caller holds e.mu.
func (e *Engine) hire(t session.Target) *worker {
	ctx, cancel := context.WithCancel(e.ctx)
	w := &worker{engine: e, target: t, cancel: cancel, shelf: map[string]session.Binary{}}
	e.group.Go(func() {
		defer cancel()
		w.run(ctx)
	})
	return w
}

// dismiss ends the worker; what it runs goes back.
func (w *worker) dismiss() { w.cancel() }

// abandon stops the attempt that runs if it belongs to the campaign. The caller holds Engine.mu.
func (w *worker) abandon(campaign string) {
	if w.serving == campaign && w.abort != nil {
		w.abort(errForgotten)
	}
}

func (w *worker) run(ctx context.Context) {
	defer w.disconnect()
	for ctx.Err() == nil {
		changed, wake, work := w.engine.offer(w.target.Name)
		if !work {
			w.engine.await(ctx, changed, wake)
			continue
		}
		if !w.connect(ctx) {
			continue
		}
		if c, lease, ok := w.engine.take(w.target.Name); ok {
			w.serve(ctx, c, lease)
		}
	}
}

// connect makes sure that there is a session. After a failure it pauses before it returns false.
func (w *worker) connect(ctx context.Context) bool {
	standing := w.engine.opts.Fleet.Standing(w.target.Name)
	if w.session != nil && standing.Incarnation == w.standing.Incarnation {
		return true
	}
	w.disconnect()
	if standing.Ready {
		s, err := w.engine.opts.Class.Connect(ctx, w.target)
		if err == nil {
			w.session, w.standing, w.refusals = s, standing, 0
			w.engine.opts.Log.V(2).Info("Opened session", "target", w.target.Name, "address", w.target.Address, "generation", s.Generation())
			return true
		}
		w.engine.opts.Log.V(2).Info("Opening session failed", "target", w.target.Name, "address", w.target.Address, "error", err.Error())
		w.stalled(ctx, err)
	}
	pause := min(connectMax, connectBase<<min(w.refusals, 6))
	if standing.Ready {
		w.refusals++
	}
	w.engine.sleep(ctx, pause-time.Duration(rand.Int64N(int64(pause/2))))
	return false
}

func (w *worker) disconnect() {
	if w.session == nil {
		return
	}
	if err := w.session.Close(); err != nil {
		w.engine.opts.Log.V(2).Info("Closing session failed", "target", w.target.Name, "error", err.Error())
	}
	w.session = nil
}

// stalled counts silent attempts and resets a target that has gone silent although its health is good.
func (w *worker) stalled(ctx context.Context, err error) {
	if !errors.Is(err, session.ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) {
		return
	}
	w.silences++
	if w.silences < stallLimit || !w.engine.opts.Fleet.Standing(w.target.Name).Ready {
		return
	}
	w.silences = 0
	w.engine.opts.Log.Info("Resetting target that answers pings but not the protocol", "target", w.target.Name, "reason", err.Error())
	if err := w.engine.opts.Fleet.Reset(ctx, w.target.Name, ResetReboot); err != nil {
		w.engine.opts.Log.Info("Resetting target failed", "target", w.target.Name, "error", err.Error())
	}
}

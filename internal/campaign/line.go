package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// Pauses between two attempts to open a session: from connectBase, doubled, up to connectMax, less a
// random half of it.
const (
	connectBase = 50 * time.Millisecond
	connectMax  = 2 * time.Second
	readyMax    = 400 * time.Millisecond // where the target is not ready: a recovery is quick
	// stallLimit is the number of silent attempts in a row after which a managed target that still answers
	// pings is reset.
	stallLimit = 2
	// resetLimit is how long a target may take to be back after a reset.
	resetLimit = 2 * time.Minute
	resetPause = 250 * time.Millisecond // between two looks, at most
)

// line is what connects a worker with its target: one session after the other.
type line struct {
	engine   *Engine
	target   session.Target
	session  session.Session // nil: not connected
	standing Standing        // when the session was opened
	used     bool            // a variant was started on the session
	resting  bool            // false: its newest variant is over, but was not stopped yet
	refusals int             // failed connects in a row
	silences int             // silent attempts in a row
}

// sound reports whether there is a session with the guest as it is now.
func (l *line) sound() bool {
	return l.session != nil && l.engine.opts.Fleet.Standing(l.target.Name).Incarnation == l.standing.Incarnation
}

// connect makes sure that there is a sound session. After a failure it pauses before it returns false.
func (l *line) connect(ctx context.Context) bool {
	if l.sound() {
		return true
	}
	err := l.open(ctx)
	if err == nil {
		l.refusals = 0
		return true
	}
	pause := min(connectMax, connectBase<<min(l.refusals, 6))
	l.refusals++
	if errors.Is(err, errNotReady) {
		pause = min(pause, readyMax)
	} else {
		l.engine.opts.Log.V(2).Info("Opening session failed", "target", l.target.Name, "address", l.target.Address, "error", err.Error())
		l.stalled(ctx, err)
	}
	l.engine.sleep(ctx, pause-time.Duration(rand.Int64N(int64(pause/2))))
	return false
}

var errNotReady = errors.New("the target is not ready")

// open closes the session and opens another one, if the target is ready.
func (l *line) open(ctx context.Context) error {
	l.close()
	standing := l.engine.opts.Fleet.Standing(l.target.Name)
	if !standing.Ready {
		return errNotReady
	}
	s, err := l.engine.opts.Class.Connect(ctx, l.target)
	if err != nil {
		return err
	}
	l.session, l.standing, l.used, l.resting = s, standing, false, true
	l.engine.opts.Log.V(2).Info("Opened session", "target", l.target.Name, "address", l.target.Address, "generation", s.Generation())
	return nil
}

// rest stops a variant that is over, once no other one follows at once.
func (l *line) rest(ctx context.Context) {
	if l.session == nil || l.resting {
		return
	}
	l.resting = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if _, err := l.session.Stop(ctx); err != nil {
		l.engine.opts.Log.V(2).Info("Stopping variant failed", "target", l.target.Name, "error", err.Error())
		l.close()
	}
}

func (l *line) close() {
	if l.session == nil {
		return
	}
	if err := l.session.Close(); err != nil {
		l.engine.opts.Log.V(2).Info("Closing session failed", "target", l.target.Name, "error", err.Error())
	}
	l.session = nil
}

// prepare makes the target what a plan wants it to be before a variant: fresh, or with a session of its own.
func (l *line) prepare(ctx context.Context, p *Plan) error {
	switch {
	case p.Reset != ResetNone:
		return l.renew(ctx, p.Reset)
	case p.PerVariant && l.used:
		return l.open(ctx)
	}
	return nil
}

// renew gives the target a fresh guest and opens a session with it. The old session is closed first: targets
// that reset themselves do that for whoever is connected, and serve one connection at a time.
func (l *line) renew(ctx context.Context, how Reset) error {
	l.close()
	ctx, cancel := context.WithTimeout(ctx, resetLimit)
	defer cancel()
	if err := l.engine.opts.Fleet.Reset(ctx, l.target.Name, how); err != nil {
		return err
	}
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, resetPause) {
		err := l.open(ctx)
		if err == nil {
			return nil
		}
		if !l.engine.sleep(ctx, pause) {
			return fmt.Errorf("target %s is not back %s after its reset: %w", l.target.Name, resetLimit, err)
		}
	}
}

// stalled counts silent attempts and resets a managed target that has gone silent although its health is good.
// It reports whether nothing can be done about a silence.
func (l *line) stalled(ctx context.Context, err error) (helpless bool) {
	if !errors.Is(err, session.ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	fleet := l.engine.opts.Fleet
	standing := fleet.Standing(l.target.Name)
	if !standing.Managed {
		return true
	}
	l.silences++
	if l.silences < stallLimit || !standing.Ready {
		return false
	}
	l.silences = 0
	l.engine.opts.Log.Info("Resetting target that is there but does not speak the protocol", "target", l.target.Name, "reason", err.Error())
	if err := fleet.Reset(ctx, l.target.Name, ResetReboot); err != nil {
		l.engine.opts.Log.Info("Resetting target failed", "target", l.target.Name, "error", err.Error())
	}
	return false
}

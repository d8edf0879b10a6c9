// Package outcome names the four ways in which a pass of a controller ends, in place of hand-made
// ctrl.Results.
package outcome

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// End is one of Settled, WakeAt, Retry and Stuck.
type End interface{ end() }

type (
	// Settled: nothing is left to do until a watched object changes.
	Settled struct{}
	// WakeAt: the next change without new input happens at T.
	WakeAt struct{ T time.Time }
	// Retry: I/O failed; the queue decides when to try again.
	Retry struct{ Err error }
	// Stuck: only a new spec helps, so that trying again makes no sense.
	Stuck struct{ Err error }
)

func (Settled) end() {}
func (WakeAt) end()  {}
func (Retry) end()   {}
func (Stuck) end()   {}

// soonest keeps a wake-up that is due already from counting as "never".
const soonest = time.Millisecond

// At wakes at t, or settles when t is zero.
func At(t time.Time) End {
	if t.IsZero() {
		return Settled{}
	}
	return WakeAt{T: t}
}

// Earliest returns the earliest of the times that are not zero, and zero when there is none.
func Earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// conflictPause lets the cache catch up with a write that overtook it.
const conflictPause = 20 * time.Millisecond

// Unwritten says how a pass ends whose status could not be written: what has been deleted meanwhile needs
// no further pass, and what was decided on an old state is decided again.
func Unwritten(err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: conflictPause}, nil
	}
	return ctrl.Result{}, err
}

// Result translates an end into what controller-runtime wants to hear.
func Result(end End, now time.Time) (ctrl.Result, error) {
	switch e := end.(type) {
	case WakeAt:
		return ctrl.Result{RequeueAfter: max(e.T.Sub(now), soonest)}, nil
	case Retry:
		return ctrl.Result{}, e.Err
	case Stuck:
		return ctrl.Result{}, reconcile.TerminalError(e.Err)
	default:
		return ctrl.Result{}, nil
	}
}

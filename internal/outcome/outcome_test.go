package outcome_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/genode-operator/genode-operator/internal/outcome"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestResult(t *testing.T) {
	broken := errors.New("broken")
	cases := map[string]struct {
		end          outcome.End
		want         ctrl.Result
		wantErr      error
		wantTerminal bool
	}{
		"a settled pass waits for a watch":       {end: outcome.Settled{}},
		"no end at all is settled":               {},
		"a wake-up is a delay from now":          {end: outcome.WakeAt{T: now.Add(time.Second)}, want: ctrl.Result{RequeueAfter: time.Second}},
		"a wake-up that is due still happens":    {end: outcome.WakeAt{T: now.Add(-time.Hour)}, want: ctrl.Result{RequeueAfter: time.Millisecond}},
		"a retry leaves the delay to the queue":  {end: outcome.Retry{Err: broken}, wantErr: broken},
		"a stuck pass is not tried again":        {end: outcome.Stuck{Err: broken}, wantErr: broken, wantTerminal: true},
		"a zero time means that nothing is due":  {end: outcome.At(time.Time{})},
		"a time that is given becomes a wake-up": {end: outcome.At(now.Add(time.Minute)), want: ctrl.Result{RequeueAfter: time.Minute}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := outcome.Result(tc.end, now)
			if got != tc.want {
				t.Errorf("Result = %+v, want %+v", got, tc.want)
			}
			if !errors.Is(err, tc.wantErr) {
				t.Errorf("error = %v, want %v", err, tc.wantErr)
			}
			if terminal := errors.Is(err, reconcile.TerminalError(nil)); terminal != tc.wantTerminal {
				t.Errorf("terminal = %v, want %v", terminal, tc.wantTerminal)
			}
		})
	}
}

func TestEarliestLeavesOutTimesThatAreNotSet(t *testing.T) {
	if got := outcome.Earliest(time.Time{}, now.Add(2), now.Add(1)); !got.Equal(now.Add(1)) {
		t.Errorf("Earliest = %v", got)
	}
	if got := outcome.Earliest(time.Time{}); !got.IsZero() {
		t.Errorf("Earliest of nothing = %v", got)
	}
}

func TestUnwritten(t *testing.T) {
	kind := schema.GroupResource{Resource: "targetpools"}
	broken := errors.New("connection refused")
	cases := map[string]struct {
		err     error
		again   bool
		wantErr error
	}{
		"what was deleted meanwhile needs nothing":    {err: apierrors.NewNotFound(kind, "arm")},
		"an old state is decided on again, soon":      {err: fmt.Errorf("write: %w", apierrors.NewConflict(kind, "arm", broken)), again: true},
		"another error leaves the pause to the queue": {err: broken, wantErr: broken},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := outcome.Unwritten(tc.err)
			if !errors.Is(err, tc.wantErr) {
				t.Errorf("error = %v, want %v", err, tc.wantErr)
			}
			if again := got.RequeueAfter > 0; again != tc.again {
				t.Errorf("again = %v, want %v", again, tc.again)
			}
		})
	}
}

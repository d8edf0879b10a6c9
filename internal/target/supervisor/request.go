package supervisor

import (
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
)

// request begins what a client asks for, or says why that is not possible now. Its end is the end of the
// job that it began.
func (t *turn) request(a agentapi.Action) error {
	if t.busy() {
		return fmt.Errorf("%w: the agent is at work on the guest; try again in a moment", agentapi.ErrConflict)
	}
	if t.process != health.ProcessRunning && a != agentapi.ActionRelaunch {
		return fmt.Errorf("%w: QEMU does not run; relaunch it", agentapi.ErrConflict)
	}
	switch a {
	case agentapi.ActionStop:
		if !t.pausedSince.IsZero() {
			return fmt.Errorf("%w: the guest is paused already", agentapi.ErrConflict)
		}
		t.tell(commandStop, commandTimeout)
	case agentapi.ActionCont:
		if t.pausedSince.IsZero() {
			return fmt.Errorf("%w: the guest is not paused", agentapi.ErrConflict)
		}
		t.tell(commandCont, commandTimeout)
	case agentapi.ActionRestore:
		if t.snapshot.State != agentapi.SnapshotUsable {
			return fmt.Errorf("%w: the snapshot is %s", agentapi.ErrConflict, t.snapshot.State)
		}
		t.manual(StepRestore)
	case agentapi.ActionReset:
		t.manual(StepReset)
	case agentapi.ActionRelaunch:
		t.manual(StepRelaunch)
	default:
		return fmt.Errorf("%w: unknown action %q", agentapi.ErrNotFound, a)
	}
	return nil
}

// busy is true while a job is under way that must not be overtaken.
func (t *turn) busy() bool {
	switch t.phase {
	case booting, gating, settling, serving, lost:
		return t.command != ""
	}
	return true
}

// manual begins a step because somebody asked for it. When it does not help, the ladder goes on from there.
func (t *turn) manual(s Step) {
	t.recovery = recovery{active: true, manual: true, verdict: t.verdict, at: t.in.now}
	t.lastStep, t.probeAt = "", time.Time{}
	t.begin(s)
}

// paused takes the end of stop and cont.
func (t *turn) paused(ended command, err error) {
	switch {
	case err != nil:
		t.do(look{machine: t.machine})
	case ended == commandStop:
		t.pausedSince, t.runState = t.in.now, "paused"
	default:
		t.pausedSince, t.resumed, t.runState = time.Time{}, t.in.now, "running"
		t.restartClocks()
	}
}

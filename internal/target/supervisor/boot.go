package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
)

// launch ends QEMU if it runs and starts it.
func (t *turn) launch() {
	t.machine++
	t.process, t.exitMessage, t.runState, t.pausedSince = health.ProcessNone, "", "", time.Time{}
	t.up, t.resets = false, nil
	t.enter(launching, time.Time{})
	t.do(launch{job: t.newJob(), machine: t.machine, kvm: t.kvm})
}

func (t *turn) launched(ev done) {
	if ev.err != nil {
		t.process, t.exitMessage = health.ProcessExited, ev.err.Error()
		t.enter(booting, time.Time{}) // from where the verdict leads on
		return
	}
	t.process, t.runState = health.ProcessRunning, "running"
	if t.snapshot.State == agentapi.SnapshotUsable || t.snapshot.State == agentapi.SnapshotProving {
		t.snapshot = agentapi.SnapshotState{State: agentapi.SnapshotNotTaken} // it went with the old QEMU
	}
	t.bootBegins()
}

// bootBegins: the guest starts from nothing.
func (t *turn) bootBegins() {
	t.boots++
	t.incarnation++
	t.started, t.resumed, t.lastReply = t.in.now, time.Time{}, time.Time{}
	t.up, t.hasLine, t.hasPort, t.portProblem = false, false, t.settings.ReadyPort == 0, ""
	t.probeAt = time.Time{}
	t.restartClocks()
	if t.phase != lost {
		t.enter(booting, time.Time{})
	}
}

// guestReset: the guest has reset itself.
func (t *turn) guestReset() {
	if t.firmwareReset() {
		return
	}
	t.resets = append(slices.Clip(t.resets), t.in.now)
	if extra := len(t.resets) - 2*t.settings.Health.RebootLimit - 2; extra > 0 {
		t.resets = t.resets[extra:]
	}
	t.do(cut{})
	t.do(note{kind: noteReset, message: fmt.Sprintf("%d times lately", len(t.resets))})
	if t.phase == saving || t.phase == proving {
		t.snapshot = agentapi.SnapshotState{State: agentapi.SnapshotNotTaken}
	}
	if t.command == "" {
		t.dropJob()
	}
	t.setPace(false)
	t.bootBegins()
}

// firmwareReset is true for resets that are part of a boot: PC firmware that finds itself in memory from
// the life before resets the machine again, at once and once or twice. Since ignored ones do not move the
// start of the boot, a guest in a loop is found however fast it turns.
func (t *turn) firmwareReset() bool {
	return t.command == commandReset ||
		t.phase == booting && t.lastReply.IsZero() && t.in.now.Sub(t.started) < firmwareTime
}

// reply takes an echo reply.
func (t *turn) reply(ev replied) {
	if t.process != health.ProcessRunning || ev.sent.Before(t.started) {
		return // of an earlier life
	}
	t.lastReply, t.roundTrip = ev.received, ev.received.Sub(ev.sent)
	t.restartClocks()
	if t.recovery.active && (t.phase == booting || t.phase == gating) {
		t.answered()
	}
	t.replyIn(ev)
}

// replyIn does what a reply means in the present phase.
func (t *turn) replyIn(ev replied) {
	switch t.phase {
	case booting:
		t.enter(gating, time.Time{})
	case proving:
		if t.after(ev.sent) {
			t.proven()
		}
	case recovering:
		if t.after(ev.sent) {
			t.answered()
			t.serve()
		}
	case lost:
		if t.up {
			t.serve()
		}
	}
}

// after is true for an echo that was sent when the load had ended.
func (t *turn) after(sent time.Time) bool { return !t.loaded.IsZero() && !sent.Before(t.loaded) }

// gate goes on when everything that makes a guest ready has been seen.
func (t *turn) gate() {
	if t.up || t.lastReply.IsZero() || t.process != health.ProcessRunning || !t.pausedSince.IsZero() {
		return
	}
	if t.needsLine() {
		return
	}
	if !t.hasPort {
		if t.job == 0 && !t.in.now.Before(t.probeAt) {
			t.probeAt = time.Time{}
			t.do(probe{job: t.newJob()})
		}
		return
	}
	if t.phase == gating && t.snapshot.State == agentapi.SnapshotNotTaken {
		t.settles = settleTries
		t.quiet()
		return
	}
	t.serve()
}

func (t *turn) needsLine() bool { return t.settings.ReadyLogPattern != "" && !t.hasLine }

func (t *turn) probed(err error) {
	if err != nil {
		t.portProblem, t.probeAt = err.Error(), t.in.now.Add(probePause)
		return
	}
	t.hasPort, t.portProblem = true, ""
}

// missing says for people what an unfinished boot waits for.
func (t *turn) missing() string {
	switch {
	case t.lastReply.IsZero():
		return ""
	case t.needsLine():
		return fmt.Sprintf("it answers echoes, but no line of its serial log has matched %q yet", t.settings.ReadyLogPattern)
	case !t.hasPort && t.portProblem != "":
		return fmt.Sprintf("it answers echoes, but its port %d does not accept: %s", t.settings.ReadyPort, t.portProblem)
	case !t.hasPort:
		return fmt.Sprintf("it answers echoes, and its port %d is being tried", t.settings.ReadyPort)
	}
	return "it answers echoes, and its snapshot is due"
}

// serve: the guest is up and may be used.
func (t *turn) serve() {
	t.setPace(false)
	if !t.up {
		t.do(note{kind: noteUp, took: t.in.now.Sub(t.started), message: t.snapshot.State})
	}
	t.up = true
	t.kvmTrusted = t.kvmTrusted || t.kvm
	if t.recovery.active && len(t.recovery.tried) > 0 && !t.recovery.manual {
		t.lastStep, t.lastStepAt = t.recovery.tried[len(t.recovery.tried)-1], t.in.now
	}
	t.recovery = recovery{}
	t.enter(serving, time.Time{})
}

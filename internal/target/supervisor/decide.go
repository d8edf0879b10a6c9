package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
)

// newState is the state before begin.
func newState(c Settings) state {
	s := state{
		kvm:      c.Accelerator == AcceleratorKVM || c.Accelerator == AcceleratorAuto && c.KVMUsable,
		verdict:  health.Verdict{Name: agentapi.VerdictUnknown, Message: "QEMU is being started"},
		snapshot: agentapi.SnapshotState{State: agentapi.SnapshotNotTaken},
	}
	if !c.allows(StepRestore) {
		s.snapshot = agentapi.SnapshotState{State: agentapi.SnapshotSwitchedOff, Message: "Restore is not among the allowed recovery steps"}
	}
	return s
}

// decide says what follows from an event: the state to go on with, what to do, and for asked events why
// they are refused. It is pure.
func decide(s state, c Settings, ev event, in input) (state, []action, error) {
	t := &turn{state: s, settings: c, in: in}
	t.late += in.late
	t.handle(ev)
	t.advance()
	t.judge()
	return t.state, t.actions, t.refusal
}

func (t *turn) handle(ev event) {
	switch ev := ev.(type) {
	case begin:
		t.since = t.in.now
		t.launch()
	case replied:
		t.reply(ev)
	case logged:
		t.hasLine = true
	case reported:
		if t.runs(ev.machine) {
			t.report(ev)
		}
	case exited:
		if t.runs(ev.machine) {
			t.exit(ev.how)
		}
	case found:
		t.look(ev)
	case done:
		t.end(ev)
	case asked:
		t.refusal = t.request(ev.action)
	}
}

// runs is true for the present QEMU process; events of earlier ones may still come in.
func (t *turn) runs(machine int) bool {
	return machine == t.machine && t.process == health.ProcessRunning
}

// look takes the run state, unless a command is about to change it.
func (t *turn) look(ev found) {
	if t.runs(ev.machine) && t.command == "" && t.pausedSince.IsZero() {
		t.runState = ev.runState
	}
}

// advance does what is due because time has passed or a condition has come true.
func (t *turn) advance() {
	switch t.phase {
	case gating, lost:
		t.gate()
	case settling:
		t.settle()
	case proving:
		if t.due() {
			t.proofFailed("no answered echo in time after the restore")
		}
	case recovering:
		if t.due() && t.command == "" {
			t.stepFailed("no answered echo in time")
		}
	}
}

// judge asks the health chain, and begins a recovery when the guest is unhealthy.
func (t *turn) judge() {
	switch t.phase {
	case booting, gating, settling, serving, lost:
	case launching:
		if t.recovery.active && !t.recovery.switched && !t.recovery.manual {
			return // the verdict that led here stands
		}
	default:
		return // the agent itself is at work on the guest
	}
	v := health.Judge(t.observation(), t.settings.Health)
	switch {
	case v.Name != t.verdict.Name:
		t.since = t.in.now
	case t.phase == lost:
		v.Message = t.verdict.Message // as it was when the last step had failed
	}
	t.verdict = v
	if health.Unhealthy(v.Name) && t.phase != lost {
		t.fall(v)
	}
}

func (t *turn) observation() health.Observation {
	return health.Observation{
		Now:             t.in.now,
		Process:         t.process,
		ExitMessage:     t.exitMessage,
		RunState:        t.runState,
		PausedOnPurpose: !t.pausedSince.IsZero(),
		PausedSince:     t.pausedSince,
		Started:         t.started,
		Resumed:         t.resumed,
		Up:              t.up,
		Missing:         t.missing(),
		LastReply:       t.lastReply,
		GuestResets:     t.resets,
		CPUWait:         t.in.cpuWait - t.cpuBase,
		Late:            t.late,
	}
}

// wake is when decide has to be called even if nothing happens; zero: never.
func (s state) wake() time.Time {
	var first time.Time
	consider := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if s.phase != recovering || s.command == "" { // otherwise the command has the same deadline
		consider(s.deadline)
	}
	switch s.phase {
	case gating, lost:
		if s.job == 0 && s.pausedSince.IsZero() {
			consider(s.probeAt)
		}
		consider(s.verdict.Next)
	case booting, settling, serving:
		consider(s.verdict.Next)
	}
	return first
}

// ready is true while sessions may be opened.
func (s state) ready() bool { return s.phase == serving && s.verdict.Name == agentapi.VerdictAlive }

// report takes an event of QEMU.
func (t *turn) report(ev reported) {
	switch ev.name {
	case "RESET":
		if ev.guest {
			t.guestReset()
		}
	case "STOP", "RESUME", "GUEST_PANICKED", "SHUTDOWN", "BLOCK_IO_ERROR", "SUSPEND", "WAKEUP", "WATCHDOG":
		if t.command == "" && t.pausedSince.IsZero() {
			t.do(look{machine: t.machine})
		}
	}
}

// exit: QEMU has ended. Whatever was under way with it has failed.
func (t *turn) exit(how string) {
	t.process, t.exitMessage, t.runState, t.pausedSince = health.ProcessExited, how, "", time.Time{}
	switch t.phase {
	case saving, proving:
		t.snapshotFailed("QEMU ended meanwhile: " + how)
	case diagnosing:
		return // the choice of the step comes next, and sees it
	case recovering:
		t.recovery.mute = true
		t.stepFailed("QEMU has ended: " + how)
		return
	case lost:
		t.dropJob()
		return
	}
	t.dropJob()
	t.setPace(false)
	t.enter(booting, time.Time{}) // from where the verdict leads on
}

// end takes the end of the job under way.
func (t *turn) end(ev done) {
	if ev.job != t.job || t.job == 0 {
		return // of a job that was overtaken
	}
	ended, phase := t.command, t.phase
	t.dropJob()
	switch ended {
	case commandStop, commandCont:
		t.paused(ended, ev.err)
		return
	case "":
	default:
		t.do(look{machine: t.machine})
	}
	switch phase {
	case launching:
		t.launched(ev)
	case gating, lost:
		t.probed(ev.err)
	case saving:
		t.saved(ev)
	case proving:
		t.proofLoaded(ended, ev)
	case diagnosing:
		t.climb()
	case recovering:
		t.stepDone(ended, ev)
	}
}

package supervisor

import (
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
)

// fall: the guest is unhealthy. Before each step a diagnosis is taken.
func (t *turn) fall(v health.Verdict) {
	if !t.recovery.active {
		t.recovery = recovery{active: true, verdict: v, at: t.in.now}
		t.countRelapse()
		t.do(note{kind: noteUnhealthy, verdict: v.Name, took: t.silence(v), message: v.Message})
	}
	t.setPace(false)
	t.probeAt = time.Time{}
	t.enter(diagnosing, time.Time{})
	t.do(diagnose{job: t.newJob(), verdict: v, talk: t.process == health.ProcessRunning && !t.recovery.mute})
}

// silence is the time since the last sign of life.
func (t *turn) silence(v health.Verdict) time.Duration {
	if v.Since.IsZero() {
		return 0
	}
	return max(t.in.now.Sub(v.Since), 0)
}

// countRelapse counts a failure soon after a recovery against the step that was used.
func (t *turn) countRelapse() {
	switch {
	case t.lastStep == "" || t.in.now.Sub(t.lastStepAt) > t.settings.relapseWindow():
		t.relapses = tally{}
	default:
		t.relapses = t.relapses.plus(t.lastStep)
	}
	t.lastStep = ""
}

// climb tries the next step.
func (t *turn) climb() {
	if t.cameBack() {
		t.do(note{kind: noteFalseAlarm})
		t.serve()
		return
	}
	if t.kvm && !t.kvmTrusted && t.settings.Accelerator == AcceleratorAuto {
		t.do(note{kind: noteAccelerator, message: t.recovery.verdict.Message})
		t.kvm = false
		t.recovery = recovery{active: true, switched: true, verdict: t.recovery.verdict, at: t.recovery.at}
		t.do(cut{})
		t.launch()
		return
	}
	step, ok := t.ladder().next()
	if !ok {
		t.do(note{kind: noteLost, verdict: t.verdict.Name, message: t.verdict.Message})
		t.enter(lost, time.Time{})
		return
	}
	t.begin(step)
}

func (t *turn) ladder() ladder {
	return ladder{
		allowed: t.settings.Steps, tried: t.recovery.tried, relapses: t.relapses, verdict: t.recovery.verdict.Name,
		snapshotUsable: t.snapshot.State == agentapi.SnapshotUsable,
		mute:           t.recovery.mute, gone: t.process != health.ProcessRunning,
	}
}

// cameBack is true when a silent guest has answered while its diagnosis was taken.
func (t *turn) cameBack() bool {
	return t.up && len(t.recovery.tried) == 0 && t.process == health.ProcessRunning &&
		t.verdict.Name == agentapi.VerdictSilentToPing && t.lastReply.After(t.recovery.at)
}

// begin begins a step.
func (t *turn) begin(s Step) {
	t.recovery.tried = append(slices.Clip(t.recovery.tried), s)
	t.recovery.answered, t.recovery.switched = false, false
	t.resets, t.pausedSince = nil, time.Time{}
	t.lastRecovery = &agentapi.Recovery{
		Step: string(s), Verdict: t.recovery.verdict.Name, Time: t.recovery.at,
		SilentMilliseconds: silentAt(t.recovery).Milliseconds(),
	}
	t.do(note{kind: noteStep, step: s, verdict: t.recovery.verdict.Name})
	t.do(cut{}) // clients of a dead guest need not wait
	t.loaded = time.Time{}
	switch s {
	case StepRestore:
		t.enter(recovering, t.in.now.Add(t.settings.restoreBudget()))
		t.tell(commandLoad, t.settings.restoreBudget())
	case StepReset:
		t.enter(recovering, time.Time{})
		t.tell(commandReset, commandTimeout)
	case StepRelaunch:
		t.launch()
	}
}

func silentAt(r recovery) time.Duration {
	if r.manual || r.verdict.Since.IsZero() {
		return 0
	}
	return max(r.at.Sub(r.verdict.Since), 0)
}

// stepDone takes the end of a step's command. What counts is the answered echo that follows.
func (t *turn) stepDone(ended command, ev done) {
	switch {
	case ev.err != nil:
		t.recovery.mute = t.recovery.mute || ev.mute
		t.stepFailed(ev.err.Error())
	case ended == commandLoad:
		t.restored()
	case ended == commandReset:
		t.do(cut{})
		t.runState = "running"
		t.bootBegins()
	}
}

// stepFailed goes on with the next step.
func (t *turn) stepFailed(why string) {
	t.do(note{kind: noteStepFailed, step: t.recovery.tried[len(t.recovery.tried)-1], message: why})
	t.dropJob()
	t.fall(t.verdict)
}

// answered: the guest has answered after the newest step.
func (t *turn) answered() {
	if t.recovery.answered || len(t.recovery.tried) == 0 {
		return
	}
	t.recovery.answered = true
	step, outage := t.recovery.tried[len(t.recovery.tried)-1], t.in.now.Sub(t.recovery.at)
	now := *t.lastRecovery
	now.Done, now.OutageMilliseconds = true, outage.Milliseconds()
	t.lastRecovery = &now
	if !t.recovery.manual {
		t.counts = counted(t.counts, step)
	}
	t.do(note{kind: noteRecovered, step: step, took: outage})
}

func counted(c agentapi.RecoveryCounts, s Step) agentapi.RecoveryCounts {
	switch s {
	case StepRestore:
		c.Restore++
	case StepReset:
		c.Reset++
	case StepRelaunch:
		c.Relaunch++
	}
	return c
}

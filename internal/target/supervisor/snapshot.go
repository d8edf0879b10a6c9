package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// quiet resets connections that must not be in the snapshot, and gives the guest time to forget them.
func (t *turn) quiet() {
	t.do(cut{})
	t.setPace(true) // an answer is needed in that time
	t.enter(settling, t.in.now.Add(settleTime))
}

// settle takes the snapshot when the guest has been without connections for a while and still answers.
func (t *turn) settle() {
	if !t.due() {
		return
	}
	if t.in.connections > 0 {
		if t.settles--; t.settles <= 0 {
			t.snapshotFailed("clients kept connecting while the guest was not ready")
			t.serve()
			return
		}
		t.quiet()
		return
	}
	if t.lastReply.Before(t.deadline.Add(-settleTime)) {
		t.deadline = t.in.now.Add(t.settings.EchoInterval) // no answer since: do not freeze a sick guest
		return
	}
	t.snapshot = agentapi.SnapshotState{State: agentapi.SnapshotProving}
	t.jobStarted = t.in.now
	t.enter(saving, time.Time{})
	t.tell(commandSave, saveTimeout)
}

func (t *turn) saved(ev done) {
	if ev.err != nil {
		t.snapshotFailed("taking the snapshot failed: " + ev.err.Error())
		t.resetAfterProof()
		return
	}
	t.snapshot.SaveMilliseconds = t.in.now.Sub(t.jobStarted).Milliseconds()
	t.snapshot.SizeBytes = ev.size
	t.jobStarted, t.loaded = t.in.now, time.Time{}
	t.enter(proving, t.in.now.Add(t.settings.proofBudget()))
	t.tell(commandLoad, t.settings.proofBudget())
}

// proofLoaded takes the end of a command during the proof: the load, or the reset after a failed one.
func (t *turn) proofLoaded(ended command, ev done) {
	switch {
	case ended == commandReset && ev.err != nil:
		v := t.verdict
		v.Name = agentapi.VerdictSilentToPing
		v.Message = "it cannot be reset after the proof of its snapshot: " + ev.err.Error()
		v.Since = t.jobStarted
		t.since = t.in.now
		t.verdict = v
		t.fall(v)
		t.recovery.mute = t.recovery.mute || ev.mute
	case ended == commandReset:
		t.bootBegins()
	case ev.err != nil:
		t.proofFailed("loading the snapshot failed: " + ev.err.Error())
	default:
		t.restored()
	}
}

// restored: a load has ended well, and the guest lives in its own past.
func (t *turn) restored() {
	t.incarnation++
	t.loaded, t.resumed, t.runState = t.in.now, t.in.now, "running"
	t.restartClocks()
	t.do(cut{})
	t.setPace(true)
}

func (t *turn) proven() {
	t.snapshot.State = agentapi.SnapshotUsable
	t.snapshot.RestoreMilliseconds = t.in.now.Sub(t.jobStarted).Milliseconds()
	t.do(note{kind: noteSnapshot, took: t.in.now.Sub(t.jobStarted)})
	t.serve()
}

func (t *turn) snapshotFailed(why string) {
	t.snapshot = agentapi.SnapshotState{State: agentapi.SnapshotProofFailed, Message: why}
	t.do(note{kind: noteNoSnapshot, message: why})
}

// proofFailed drops the rung and boots the guest anew.
func (t *turn) proofFailed(why string) {
	t.snapshotFailed(why)
	t.resetAfterProof()
}

func (t *turn) resetAfterProof() {
	t.setPace(false)
	t.enter(proving, time.Time{})
	t.jobStarted = t.in.now
	t.tell(commandReset, commandTimeout)
}

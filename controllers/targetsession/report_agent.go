package targetsession

import (
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/conditions"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// Bounds of what is kept of a diagnosis; the API's limits.
const (
	maxConsoleLines = 8
	maxConsoleLine  = 160
	maxWord         = 64
)

// accumulate adds what the agent has counted since the last pass. An agent counts from zero in each
// process, so that its own numbers say nothing without those that were added already.
func accumulate(st *v1alpha1.TargetSessionStatus, state agentapi.State) {
	now := v1alpha1.AgentCounters{
		Epoch: st.Epoch, Incarnation: max(state.Incarnation, 0), Boots: max(state.Boots, 0),
		Restore: max(state.Recoveries.Restore, 0), Reset: max(state.Recoveries.Reset, 0), Relaunch: max(state.Recoveries.Relaunch, 0),
	}
	var base v1alpha1.AgentCounters
	if c := st.Counted; c != nil && !startedAnew(*c, now) {
		base = *c
	}
	st.Boots += now.Boots - base.Boots
	total := counts(st)
	total.Restore += now.Restore - base.Restore
	total.Reset += now.Reset - base.Reset
	total.Relaunch += now.Relaunch - base.Relaunch
	st.Counted = &now
}

// startedAnew says whether the counters belong to another process than those before.
func startedAnew(before, now v1alpha1.AgentCounters) bool {
	return now.Epoch != before.Epoch || now.Incarnation < before.Incarnation || now.Boots < before.Boots ||
		now.Restore < before.Restore || now.Reset < before.Reset || now.Relaunch < before.Relaunch
}

// reportRecovery takes over the agent's newest recovery, unless a newer one is known: a new pod.
func reportRecovery(st *v1alpha1.TargetSessionStatus, r *agentapi.Recovery) {
	if r == nil {
		return
	}
	step := v1alpha1.RecoveryStep(r.Step)
	switch step {
	case v1alpha1.StepRestore, v1alpha1.StepReset, v1alpha1.StepRelaunch:
	default:
		return // not in the API
	}
	at := microTime(r.Time)
	if last := st.LastRecovery; last != nil && at.Time.Before(last.Time.Time) {
		return
	}
	st.LastRecovery = &v1alpha1.Recovery{Step: step, Reason: knownVerdict(r.Verdict), Time: at, SilentMilliseconds: ptr.To(max(r.SilentMilliseconds, 0))}
	if r.Done {
		st.LastRecovery.OutageMilliseconds = ptr.To(max(r.OutageMilliseconds, 0))
	}
}

// reportDiagnosis takes over the agent's newest diagnosis, shortened once more to what the API allows.
func reportDiagnosis(st *v1alpha1.TargetSessionStatus, d *agentapi.Diagnosis) {
	if d == nil {
		return
	}
	at := microTime(d.Time)
	if last := st.LastDiagnosis; last != nil && at.Time.Equal(last.Time.Time) {
		return // unchanged
	}
	console := d.Console[max(0, len(d.Console)-maxConsoleLines):]
	kept := make([]string, 0, len(console))
	for _, line := range console {
		kept = append(kept, conditions.Sentence(line, maxConsoleLine))
	}
	st.LastDiagnosis = &v1alpha1.Diagnosis{
		Time: at, Verdict: knownVerdict(d.Verdict), RunState: conditions.Sentence(d.RunState, maxWord),
		ProgramCounter: conditions.Sentence(d.ProgramCounter(), maxWord), Console: kept,
	}
}

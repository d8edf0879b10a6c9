package targetsession

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/conditions"
	"github.com/genode-operator/genode-operator/internal/outcome"
	"github.com/genode-operator/genode-operator/internal/target"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// ready declares what Ready is made of.
var ready = conditions.Summary{
	Target:   v1alpha1.ConditionReady,
	From:     []string{v1alpha1.ConditionSourcesReady, v1alpha1.ConditionPodRunning, v1alpha1.ConditionGuestAlive},
	Negative: []string{v1alpha1.ConditionRestartsExhausted},
}

// report fills the status: what was seen, what was decided, and how acting on it went. It is pure, and
// writes nothing that changes all the time.
func report(s *scope, p plan, end outcome.End) {
	if p.forget {
		return
	}
	st := &s.session.Status
	w := conditions.Writer{List: &st.Conditions, Generation: s.session.Generation, Now: s.now}
	st.ObservedGeneration = s.session.Generation
	st.Restarts = int32(countedRestarts(s))
	reportFailure(s, p)
	if p.epoch != 0 {
		nextEpoch(s, p)
	}
	reportPod(s, p, w, end)
	reportSources(s, w)
	reportAgent(s, p, w)
	reportRestarts(p, w)
	ready.Apply(w, "sessions may be opened")
	if w.Is(v1alpha1.ConditionReady, metav1.ConditionTrue) && !s.agent.State.Ready && !s.agent.Heard.IsZero() {
		w.Set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotServing, "the guest is alive, but its port does not serve yet, or a snapshot or recovery is under way")
	}
	reportHealthy(s, w)
}

// reportFailure keeps when the pod was found to need a replacement.
func reportFailure(s *scope, p plan) {
	st := &s.session.Status
	switch {
	case p.failure.reason == "":
		st.FailedSince = nil
	case st.FailedSince == nil:
		at := metav1.NewMicroTime(s.now)
		st.FailedSince = &at
	}
}

// nextEpoch stores the intent to make another pod.
func nextEpoch(s *scope, p plan) {
	st := &s.session.Status
	if p.restart {
		at := metav1.NewTime(s.now)
		st.Restarts++
		st.LastRestartTime = &at
		counts(st).Replace++
		st.LastRecovery = &v1alpha1.Recovery{Step: v1alpha1.StepReplace, Reason: p.failure.reason, Time: microTime(failedSince(s))}
	} else {
		st.Restarts = 0
	}
	st.FailedSince = nil
	st.Epoch = p.epoch
	st.PodName = target.PodName(s.session.Name, p.epoch)
	st.PodUID, st.NodeName, st.Address, st.Verdict, st.Accelerator = "", "", "", "", ""
	s.pod, s.agent = nil, Snapshot{} // what was seen belongs to the old epoch
}

func counts(st *v1alpha1.TargetSessionStatus) *v1alpha1.RecoveryCounts {
	if st.Recoveries == nil {
		st.Recoveries = &v1alpha1.RecoveryCounts{}
	}
	return st.Recoveries
}

// microTime has the precision that the API keeps, so that stored and new times compare equal.
func microTime(t time.Time) metav1.MicroTime {
	return metav1.NewMicroTime(t.Truncate(time.Microsecond))
}

func reportRestarts(p plan, w conditions.Writer) {
	if p.hold.reason == "" {
		w.Set(v1alpha1.ConditionRestartAllowed, metav1.ConditionTrue, v1alpha1.ReasonAllowed, "a new pod would be made if this one failed")
	} else {
		w.Set(v1alpha1.ConditionRestartAllowed, metav1.ConditionFalse, p.hold.reason, "%s", p.hold.message)
	}
	if p.hold.reason == v1alpha1.ReasonLimitReached {
		w.Set(v1alpha1.ConditionRestartsExhausted, metav1.ConditionTrue, v1alpha1.ReasonLimitReached, "%s; last failure: %s: %s", p.hold.message, p.failure.reason, p.failure.message)
	} else {
		w.Remove(v1alpha1.ConditionRestartsExhausted)
	}
}

// reportHealthy keeps since when the target has been ready, and closes a replacement that has worked.
func reportHealthy(s *scope, w conditions.Writer) {
	st := &s.session.Status
	if !w.Is(v1alpha1.ConditionReady, metav1.ConditionTrue) {
		st.HealthySince = nil
		return
	}
	if st.HealthySince == nil {
		at := metav1.NewTime(s.now)
		st.HealthySince = &at
	}
	if last := st.LastRecovery; last != nil && last.Step == v1alpha1.StepReplace && last.OutageMilliseconds == nil {
		outage := max(s.now.Sub(last.Time.Time).Milliseconds(), 0)
		last.OutageMilliseconds = &outage
	}
}

// reportAgent writes GuestAlive, SnapshotUsable and what the agent counts.
func reportAgent(s *scope, p plan, w conditions.Writer) {
	st := &s.session.Status
	switch {
	case s.agent.Silent:
		w.Set(v1alpha1.ConditionGuestAlive, metav1.ConditionUnknown, v1alpha1.ReasonAgentSilent,
			"the agent has not reported since %s: %s", s.agent.SilentSince.UTC().Format("15:04:05"), s.agent.Error)
		return
	case !s.agent.Heard.IsZero():
	case st.PodUID != "" && s.pod != nil && st.Verdict != "" && w.Is(v1alpha1.ConditionPodRunning, metav1.ConditionTrue) && p.failure.reason == "":
		return // the manager has just begun to watch: what is stored still holds
	default:
		st.Verdict = ""
		w.Set(v1alpha1.ConditionGuestAlive, metav1.ConditionUnknown, v1alpha1.ReasonPending, "no agent has reported yet")
		w.Set(v1alpha1.ConditionSnapshotUsable, metav1.ConditionFalse, v1alpha1.ReasonNotTaken, "no snapshot has been taken yet")
		return
	}
	state := s.agent.State
	reportVerdict(st, state, w)
	reportSnapshot(state.Snapshot, w)
	st.Accelerator = conditions.Sentence(state.Accelerator, 16)
	accumulate(st, state)
	reportRecovery(st, state.LastRecovery)
	reportDiagnosis(st, state.LastDiagnosis)
}

// reportVerdict keeps the message of a verdict that stays: the numbers in it grow all the time.
func reportVerdict(st *v1alpha1.TargetSessionStatus, state agentapi.State, w conditions.Writer) {
	verdict := knownVerdict(state.Verdict)
	status := metav1.ConditionFalse
	switch verdict {
	case agentapi.VerdictAlive:
		status = metav1.ConditionTrue
	case agentapi.VerdictUnknown, agentapi.VerdictBooting:
		status = metav1.ConditionUnknown
	}
	message := state.Message
	for _, c := range st.Conditions {
		if c.Type == v1alpha1.ConditionGuestAlive && c.Reason == verdict && c.Message != "" {
			message = c.Message
		}
	}
	if message == "" {
		message = "the agent's verdict is " + verdict
	}
	st.Verdict = verdict
	w.Set(v1alpha1.ConditionGuestAlive, status, verdict, "%s", message)
}

func knownVerdict(v string) string {
	switch v {
	case agentapi.VerdictBooting, agentapi.VerdictAlive, agentapi.VerdictBootOverdue, agentapi.VerdictSilentToPing,
		agentapi.VerdictPaused, agentapi.VerdictStopped, agentapi.VerdictQEMUExited, agentapi.VerdictRebootLoop:
		return v
	}
	return agentapi.VerdictUnknown
}

func reportSnapshot(snapshot agentapi.SnapshotState, w conditions.Writer) {
	set := func(status metav1.ConditionStatus, reason, message string) {
		w.Set(v1alpha1.ConditionSnapshotUsable, status, reason, "%s", message)
	}
	switch snapshot.State {
	case agentapi.SnapshotUsable:
		set(metav1.ConditionTrue, v1alpha1.ReasonProofSucceeded, fmt.Sprintf("saved %d KiB in %d ms; the guest answered %d ms after a restore",
			snapshot.SizeBytes>>10, snapshot.SaveMilliseconds, snapshot.RestoreMilliseconds))
	case agentapi.SnapshotProofFailed:
		set(metav1.ConditionFalse, v1alpha1.ReasonProofFailed, "the guest did not survive a restore, so that the step Restore is left out: "+snapshot.Message)
	case agentapi.SnapshotSwitchedOff:
		set(metav1.ConditionFalse, v1alpha1.ReasonSwitchedOff, "no snapshot is taken: "+orElse(snapshot.Message, "spec.restart.steps has no Restore"))
	default:
		set(metav1.ConditionFalse, v1alpha1.ReasonNotTaken, "no snapshot has been proven yet")
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

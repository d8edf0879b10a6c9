package targetsession

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/events"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// Reasons of events that are not condition reasons.
const (
	eventGuestFrozen       = "GuestFrozen"
	eventGuestRecovered    = "GuestRecovered"
	eventSnapshotUsable    = "SnapshotUsable"
	eventPodReplaced       = "PodReplaced"
	eventRestartsExhausted = "RestartsExhausted"
	eventBreakerOpen       = "BreakerOpen"
	eventSourcesMissing    = "SourcesNotReady"
)

// transitions are the events that follow from what has become true since the last pass. It is pure.
func transitions(s *scope, p plan) []events.Event {
	var all []events.Event
	before, after := s.before, s.session
	if frozen, is := guestFrozen(before, after, s.agent.State); is {
		all = append(all, frozen)
	}
	if recovered(before.Status.LastRecovery, after.Status.LastRecovery) {
		all = append(all, guestRecovered(after))
	}
	if became(before, after, v1alpha1.ConditionSnapshotUsable, metav1.ConditionTrue, v1alpha1.ReasonProofSucceeded) {
		all = append(all, events.Normal(after, eventSnapshotUsable, "Snapshot", "%s", message(after, v1alpha1.ConditionSnapshotUsable)).Once(after.UID, after.Status.Epoch))
	}
	if became(before, after, v1alpha1.ConditionSnapshotUsable, metav1.ConditionFalse, v1alpha1.ReasonProofFailed) {
		all = append(all, events.Warning(after, v1alpha1.ReasonProofFailed, "Snapshot", "%s", message(after, v1alpha1.ConditionSnapshotUsable)).Once(after.UID, after.Status.Epoch))
	}
	if p.restart {
		all = append(all, podReplaced(after, p))
	}
	if became(before, after, v1alpha1.ConditionRestartsExhausted, metav1.ConditionTrue, "") {
		all = append(all, events.Warning(after, eventRestartsExhausted, "GiveUp", "%s", message(after, v1alpha1.ConditionRestartsExhausted)))
	}
	if became(before, after, v1alpha1.ConditionRestartAllowed, metav1.ConditionFalse, v1alpha1.ReasonTooManyUnhealthy) {
		all = append(all, events.Warning(after, eventBreakerOpen, "HoldBack", "%s", message(after, v1alpha1.ConditionRestartAllowed)))
	}
	if became(before, after, v1alpha1.ConditionSourcesReady, metav1.ConditionFalse, "") {
		all = append(all, events.Warning(after, eventSourcesMissing, "Wait", "%s", message(after, v1alpha1.ConditionSourcesReady)))
	}
	return all
}

// guestFrozen tells of a guest that has stopped answering, once the agent has begun to recover it, or
// knows that it cannot: then the diagnosis of this freeze is there too. The agent may have brought the
// guest back before anybody here looked.
func guestFrozen(before, after *v1alpha1.TargetSession, state agentapi.State) (events.Event, bool) {
	if last := after.Status.LastRecovery; last != nil && last.Step != v1alpha1.StepReplace {
		switch {
		case isFailure(last.Reason) && !sameRecovery(before.Status.LastRecovery, last):
			return frozenInRecovery(after, last, state), true
		case last.OutageMilliseconds == nil: // it was told
			return events.Event{}, false
		}
	}
	if isFailure(after.Status.Verdict) && state.NeedsReplacement && before.Status.FailedSince == nil {
		return frozenForGood(after, state), true
	}
	return events.Event{}, false
}

// frozenInRecovery tells of a freeze that the agent has begun to recover, or has recovered.
func frozenInRecovery(ts *v1alpha1.TargetSession, last *v1alpha1.Recovery, state agentapi.State) events.Event {
	silent, detail := time.Duration(0), ""
	if last.SilentMilliseconds != nil {
		silent = time.Duration(*last.SilentMilliseconds) * time.Millisecond
	}
	if ts.Status.Verdict == last.Reason {
		detail = state.Message
	}
	return frozen(ts, last.Reason, silent, detail).Once(ts.UID, last.Time.UnixMicro())
}

// frozenForGood tells of a freeze that the agent cannot recover.
func frozenForGood(ts *v1alpha1.TargetSession, state agentapi.State) events.Event {
	silent := time.Duration(0)
	if !state.LastEcho.IsZero() {
		silent = state.VerdictSince.Sub(state.LastEcho)
	}
	return frozen(ts, ts.Status.Verdict, silent, state.Message).Once(ts.UID, state.VerdictSince.UnixMicro())
}

func frozen(ts *v1alpha1.TargetSession, verdict string, silent time.Duration, detail string) events.Event {
	if verdict == agentapi.VerdictBootOverdue || verdict == agentapi.VerdictRebootLoop {
		return events.Warning(ts, verdict, "Recover", "the guest has not come up within %d s: %s; %s",
			ts.Spec.Health.BootTimeoutSeconds, orElse(detail, verdict), diagnosisLine(ts.Status.LastDiagnosis))
	}
	return events.Warning(ts, eventGuestFrozen, "Recover", "%s after %d ms of silence; %s",
		verdict, max(silent.Milliseconds(), 0), diagnosisLine(ts.Status.LastDiagnosis))
}

// diagnosisLine is the one line of a diagnosis that says most.
func diagnosisLine(d *v1alpha1.Diagnosis) string {
	if d == nil {
		return "no diagnosis has been taken yet"
	}
	line := "run state " + orElse(d.RunState, "unknown")
	if d.ProgramCounter != "" {
		line += ", program counter " + d.ProgramCounter
	}
	if n := len(d.Console); n > 0 {
		line += ", last line of the serial log: " + d.Console[n-1]
	}
	return line
}

// isFailure says whether a verdict leads to a recovery.
func isFailure(verdict string) bool {
	switch verdict {
	case agentapi.VerdictSilentToPing, agentapi.VerdictBootOverdue, agentapi.VerdictStopped, agentapi.VerdictQEMUExited, agentapi.VerdictRebootLoop:
		return true
	}
	return false
}

func sameRecovery(a, b *v1alpha1.Recovery) bool { return a != nil && b != nil && a.Time.Equal(&b.Time) }

// recovered says whether a recovery has been completed since before.
func recovered(before, after *v1alpha1.Recovery) bool {
	return after != nil && after.OutageMilliseconds != nil && (!sameRecovery(before, after) || before.OutageMilliseconds == nil)
}

func guestRecovered(ts *v1alpha1.TargetSession) events.Event {
	last := ts.Status.LastRecovery
	return events.Normal(ts, eventGuestRecovered, string(last.Step), "%s: the guest answers again, %d ms after the verdict %s",
		last.Step, *last.OutageMilliseconds, last.Reason).Once(ts.UID, last.Time.UnixMicro())
}

func podReplaced(ts *v1alpha1.TargetSession, p plan) events.Event {
	return events.Warning(ts, eventPodReplaced, "Replace", "%s: %s; pod %s takes over, restart %d of %d",
		p.failure.reason, p.failure.message, ts.Status.PodName, ts.Status.Restarts, restartLimit(ts.Spec.Restart)).Once(ts.UID, ts.Status.Epoch)
}

// became says whether a condition has got this status, and reason if one is given, since before.
func became(before, after *v1alpha1.TargetSession, kind string, status metav1.ConditionStatus, reason string) bool {
	is := func(ts *v1alpha1.TargetSession) bool {
		c := meta.FindStatusCondition(ts.Status.Conditions, kind)
		return c != nil && c.Status == status && (reason == "" || c.Reason == reason)
	}
	return is(after) && !is(before)
}

func message(ts *v1alpha1.TargetSession, kind string) string {
	if c := meta.FindStatusCondition(ts.Status.Conditions, kind); c != nil {
		return c.Message
	}
	return ""
}

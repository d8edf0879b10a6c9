package taskset

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/conditions"
	"github.com/genode-operator/genode-operator/internal/events"
)

// campaignReady is Ready for a campaign that is not finished; see report for one that is.
var campaignReady = conditions.Summary{
	Target: v1alpha1.ConditionReady,
	From:   []string{v1alpha1.ConditionValid, v1alpha1.ConditionBinariesReady, v1alpha1.ConditionProgressing},
}

// report fills the status from the scope and returns what is to be told once it is written. It is pure.
func report(now time.Time, s *scope, p plan) []events.Event {
	ts := s.taskset
	if finished(s.before) {
		ts.Status.ObservedGeneration = ts.Generation
		return nil
	}
	w := conditions.Writer{List: &ts.Status.Conditions, Generation: ts.Generation, Now: now}
	ts.Status.ObservedGeneration = ts.Generation
	if p.invalid != "" {
		reportInvalid(w, p.invalid)
		return transitions(s)
	}
	w.Set(v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonReady, "spec makes %d variants", s.plan.Total)
	if seed := s.plan.Seed; s.plan.Random {
		ts.Status.Seed = &seed
	}
	if s.rejected != "" {
		reportRejected(w, s.rejected)
		return transitions(s)
	}
	if a := s.plan.Analysis; a != nil && a.OnFail == campaign.FailReject {
		w.Set(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "spec.analysis accepts the first variants; others that it does not accept are skipped")
	}
	reportBinaries(w, s)
	reportProgress(w, s)
	if s.running && s.snapshot.State != campaign.StateLoading {
		fill(&ts.Status, ts, &s.snapshot)
	}
	if ended(s) {
		reportEnd(w, ts, &s.snapshot)
	} else {
		ts.Status.CompletionTime = nil // failed variants may be run again
		w.Remove(v1alpha1.ConditionFailed)
		w.Set(v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonRunning, "%s variants have their result", ts.Status.Progress)
		campaignReady.Apply(w, ts.Status.Progress+" variants finished")
	}
	return transitions(s)
}

// ended reports whether the engine has no more to do.
func ended(s *scope) bool {
	return s.running && s.snapshot.State == campaign.StateComplete && s.snapshot.Retried >= s.plan.Retry
}

func reportInvalid(w conditions.Writer, why string) {
	w.Set(v1alpha1.ConditionValid, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "%s", why)
	w.Set(v1alpha1.ConditionProgressing, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "the campaign cannot be run as it is written")
	w.Set(v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "the campaign cannot be run as it is written")
	campaignReady.Apply(w, "")
}

// reportRejected says that nothing is run. Ready has the same reason.
func reportRejected(w conditions.Writer, why string) {
	w.Set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonNotSchedulable, "%s", why)
	for _, kind := range []string{v1alpha1.ConditionProgressing, v1alpha1.ConditionComplete} {
		w.Set(kind, metav1.ConditionFalse, v1alpha1.ReasonNotSchedulable, "spec.analysis has rejected the campaign")
	}
	w.Set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotSchedulable, "%s", why)
}

func reportBinaries(w conditions.Writer, s *scope) {
	switch b := &s.binaries; {
	case b.missing != "":
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionFalse, b.reason, "%s", b.missing)
	case b.pending != "":
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionUnknown, v1alpha1.ReasonPending, "fetching %s", b.pending)
	case s.snapshot.BlockedReason == campaign.BlockedBinary:
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionFalse, v1alpha1.ReasonNotFound, "%s", s.snapshot.Blocked)
	default:
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionTrue, v1alpha1.ReasonFound, "every binary that was needed so far was found")
	}
}

func reportProgress(w conditions.Writer, s *scope) {
	set := func(status metav1.ConditionStatus, reason, format string, args ...any) {
		w.Set(v1alpha1.ConditionProgressing, status, reason, format, args...)
	}
	switch snap := &s.snapshot; {
	case !s.binaries.ready() && !s.running:
		set(metav1.ConditionFalse, v1alpha1.ReasonPending, "waiting for binaries")
	case snap.StoreError != "":
		set(metav1.ConditionFalse, v1alpha1.ReasonStoreUnavailable, "results store: %s; the campaign waits and goes on by itself", snap.StoreError)
	case !s.running || snap.State == campaign.StateLoading:
		set(metav1.ConditionUnknown, v1alpha1.ReasonPending, "reading earlier results from the store")
	case snap.State == campaign.StateComplete:
		set(metav1.ConditionFalse, v1alpha1.ReasonFinished, "every variant has its result")
	case snap.State == campaign.StateSuspended:
		set(metav1.ConditionFalse, v1alpha1.ReasonSuspended, "spec.suspend is true; %d variants are still running", snap.Running)
	case snap.State == campaign.StateStopped:
		set(metav1.ConditionFalse, v1alpha1.ReasonSuspended, "spec.suspend is true and spec.suspendPolicy Stop; %d variants are being ended", snap.Running)
	case snap.Running == 0:
		reportIdle(set, s)
	default:
		set(metav1.ConditionTrue, v1alpha1.ReasonRunning, "%d of %d targets are ready", readyTargets(s.targets), len(s.targets))
	}
}

// reportIdle says why nothing runs although the campaign is not finished; that may last for a moment only.
func reportIdle(set func(status metav1.ConditionStatus, reason, format string, args ...any), s *scope) {
	ready := readyTargets(s.targets)
	switch snap := &s.snapshot; {
	case ready == 0:
		set(metav1.ConditionFalse, v1alpha1.ReasonWaitingForTargets, "none of the %d TargetSessions that match spec.targets.selector (%s) is ready",
			len(s.targets), metav1.FormatLabelSelector(s.taskset.Spec.Targets.Selector))
	case snap.BlockedReason == campaign.BlockedReset:
		set(metav1.ConditionFalse, v1alpha1.ReasonCannotReset, "%s", snap.Blocked)
	case len(snap.Quarantined) >= ready:
		q := snap.Quarantined[0]
		set(metav1.ConditionFalse, v1alpha1.ReasonQuarantined, "no ready target can be used: %s (%s) is tried again by %s",
			name(q.Target), q.Reason, q.Until.UTC().Format(time.RFC3339))
	default:
		set(metav1.ConditionTrue, v1alpha1.ReasonRunning, "%d of %d targets are ready", ready, len(s.targets))
	}
}

func readyTargets(targets []v1alpha1.TargetSession) int {
	ready := 0
	for i := range targets {
		if isReady(&targets[i]) {
			ready++
		}
	}
	return ready
}

// reportEnd writes the last word on a finished campaign.
func reportEnd(w conditions.Writer, ts *v1alpha1.TaskSet, snap *campaign.Snapshot) {
	ts.Status.CompletionTime = ptr.To(metav1.NewTime(snap.Tally.LastEnd))
	if snap.Tally.LastEnd.IsZero() { // nothing was run at all
		ts.Status.CompletionTime = ptr.To(metav1.NewTime(w.Now))
	}
	w.Set(v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonFinished, "%s", outcomeOf(snap))
	if snap.Tally.Failed > 0 {
		w.Set(v1alpha1.ConditionFailed, metav1.ConditionTrue, v1alpha1.ReasonVariantsFailed, "%d of %d variants failed; the newest are in status.recentFailures", snap.Tally.Failed, snap.Total)
		w.Set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonVariantsFailed, "%d of %d variants failed", snap.Tally.Failed, snap.Total)
		return
	}
	w.Set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonFinished, "all %d variants succeeded", snap.Finished)
}

func outcomeOf(snap *campaign.Snapshot) string {
	if snap.Skipped == 0 {
		return fmt.Sprintf("all %d variants have their result", snap.Total)
	}
	return fmt.Sprintf("%d variants have their result; the other %d are left out by spec.where or spec.analysis", snap.Finished, snap.Skipped)
}

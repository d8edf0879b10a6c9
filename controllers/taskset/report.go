package taskset

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	reportBinaries(w, s)
	reportProgress(w, s)
	if s.running && s.snapshot.State != campaign.StateLoading {
		fill(&ts.Status, ts, &s.snapshot)
	}
	if s.running && s.snapshot.State == campaign.StateComplete {
		reportEnd(w, ts, &s.snapshot)
	} else {
		w.Set(v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonRunning, "%s variants have their result", ts.Status.Progress)
		campaignReady.Apply(w, ts.Status.Progress+" variants finished")
	}
	return transitions(s)
}

func reportInvalid(w conditions.Writer, why string) {
	w.Set(v1alpha1.ConditionValid, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "%s", why)
	w.Set(v1alpha1.ConditionProgressing, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "the campaign cannot be run as it is written")
	w.Set(v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "the campaign cannot be run as it is written")
	campaignReady.Apply(w, "")
}

func reportBinaries(w conditions.Writer, s *scope) {
	switch b := &s.binaries; {
	case b.missing != "":
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionFalse, b.reason, "%s", b.missing)
	case b.pending != "":
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionUnknown, v1alpha1.ReasonPending, "fetching %s", b.pending)
	case s.snapshot.Blocked != "":
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionFalse, v1alpha1.ReasonNotFound, "%s", s.snapshot.Blocked)
	default:
		w.Set(v1alpha1.ConditionBinariesReady, metav1.ConditionTrue, v1alpha1.ReasonFound, "every binary that was needed so far was found")
	}
}

func reportProgress(w conditions.Writer, s *scope) {
	ready := 0
	for i := range s.targets {
		if isReady(&s.targets[i]) {
			ready++
		}
	}
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
	case snap.Running == 0 && ready == 0:
		set(metav1.ConditionFalse, v1alpha1.ReasonWaitingForTargets, "none of the %d TargetSessions that match spec.targets.selector (%s) is ready",
			len(s.targets), metav1.FormatLabelSelector(s.taskset.Spec.Targets.Selector))
	default:
		set(metav1.ConditionTrue, v1alpha1.ReasonRunning, "%d of %d targets are ready", ready, len(s.targets))
	}
}

// reportEnd writes the last word on a finished campaign.
func reportEnd(w conditions.Writer, ts *v1alpha1.TaskSet, snap *campaign.Snapshot) {
	end := metav1.NewTime(snap.Tally.LastEnd)
	ts.Status.CompletionTime = &end
	w.Set(v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonFinished, "all %d variants have their result", snap.Total)
	if snap.Tally.Failed > 0 {
		w.Set(v1alpha1.ConditionFailed, metav1.ConditionTrue, v1alpha1.ReasonVariantsFailed, "%d of %d variants failed; the newest are in status.recentFailures", snap.Tally.Failed, snap.Total)
		w.Set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonVariantsFailed, "%d of %d variants failed", snap.Tally.Failed, snap.Total)
		return
	}
	w.Set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonFinished, "all %d variants succeeded", snap.Total)
}

// transitions makes the events of what changed in this pass.
func transitions(s *scope) []events.Event {
	ts, was := s.taskset, s.before
	changed := func(kind string, status metav1.ConditionStatus) *metav1.Condition {
		now, then := meta.FindStatusCondition(ts.Status.Conditions, kind), meta.FindStatusCondition(was.Status.Conditions, kind)
		if now == nil || now.Status != status || then != nil && then.Status == status && then.Reason == now.Reason {
			return nil
		}
		return now
	}
	var out []events.Event
	for _, kind := range []string{v1alpha1.ConditionValid, v1alpha1.ConditionBinariesReady} {
		if c := changed(kind, metav1.ConditionFalse); c != nil {
			out = append(out, events.Warning(ts, kind+c.Reason, "Wait", "%s", c.Message).Once(ts.UID, ts.Generation, c.Message))
		}
	}
	if c := changed(v1alpha1.ConditionProgressing, metav1.ConditionTrue); c != nil {
		out = append(out, events.Normal(ts, "CampaignRunning", "Run", "Running: %s, %s variants finished", c.Message, ts.Status.Progress))
	}
	if c := changed(v1alpha1.ConditionProgressing, metav1.ConditionFalse); c != nil && c.Reason == v1alpha1.ReasonStoreUnavailable {
		out = append(out, events.Warning(ts, c.Reason, "Wait", "%s", c.Message))
	}
	if c := changed(v1alpha1.ConditionComplete, metav1.ConditionTrue); c != nil {
		note := fmt.Sprintf("%s in %s", c.Message, ts.Status.CompletionTime.Sub(ts.Status.StartTime.Time).Round(time.Second))
		out = append(out, events.Normal(ts, "CampaignFinished", "Finish", "%s", note).Once(ts.UID))
	}
	return out
}

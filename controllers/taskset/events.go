package taskset

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/events"
)

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
	for _, kind := range []string{v1alpha1.ConditionValid, v1alpha1.ConditionAccepted, v1alpha1.ConditionBinariesReady} {
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
		out = append(out, events.Normal(ts, "CampaignFinished", "Finish", "%s in %s", c.Message, took(ts)).Once(ts.UID, ts.Status.RetriedFailed))
	}
	return append(out, quarantines(s)...)
}

func took(ts *v1alpha1.TaskSet) time.Duration {
	if ts.Status.StartTime == nil {
		return 0
	}
	return ts.Status.CompletionTime.Sub(ts.Status.StartTime.Time).Round(time.Second)
}

// quarantines makes the events of targets that have just been put into quarantine.
func quarantines(s *scope) []events.Event {
	var out []events.Event
	for _, q := range s.taskset.Status.QuarantinedTargets {
		same := func(was v1alpha1.QuarantinedTarget) bool {
			return was.Name == q.Name && was.Until.Unix() == q.Until.Unix()
		}
		if slices.ContainsFunc(s.before.Status.QuarantinedTargets, same) {
			continue
		}
		out = append(out, events.Warning(s.taskset, "TargetQuarantined", "Wait", "Target %s gets no variant until %s: %s",
			q.Name, q.Until.UTC().Format(time.RFC3339), q.Reason).Once(s.taskset.UID, q.Name, q.Until.Unix()))
	}
	return out
}

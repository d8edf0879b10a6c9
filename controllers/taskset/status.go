package taskset

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/conditions"
)

// Bounds of the status; the API's schema has the same.
const (
	maxTasks   = 32
	maxMessage = 200
)

// fill writes what the engine knows into the status.
func fill(status *v1alpha1.TaskSetStatus, ts *v1alpha1.TaskSet, snap *campaign.Snapshot) {
	t := &snap.Tally
	status.Progress = fmt.Sprintf("%d/%d", snap.Finished+snap.Skipped, snap.Total)
	status.Variants = &v1alpha1.VariantCounts{
		Total: strconv.FormatUint(snap.Total, 10), Running: int32(snap.Running),
		Succeeded: t.Succeeded, Skipped: int64(snap.Skipped), Failed: t.Failed, Retried: t.Retried,
	}
	if a := t.Analysis; ts.Spec.Analysis != nil {
		status.Analysis = &v1alpha1.AnalysisCounts{
			Accepted: a.Accepted, Rejected: a.Rejected, Disagreements: a.Disagreements, NewestDisagreement: conditions.Sentence(a.Newest, maxMessage),
		}
	}
	status.RetriedFailed = snap.Retried
	status.QuarantinedTargets = quarantined(snap.Quarantined)
	if !t.FirstStart.IsZero() {
		status.StartTime = ptr.To(metav1.NewTime(t.FirstStart))
	}
	status.ResultsRef = snap.Reference
	status.Tasks = statistics(ts, t)
	status.RecentJobs = recentJobs(t)
	status.RecentFailures = recentFailures(t)
}

func quarantined(list []campaign.Quarantined) []v1alpha1.QuarantinedTarget {
	var out []v1alpha1.QuarantinedTarget
	for _, q := range list {
		out = append(out, v1alpha1.QuarantinedTarget{Name: name(q.Target), Until: metav1.NewTime(q.Until), Reason: q.Reason})
	}
	return out
}

func recentJobs(t *campaign.Tally) []v1alpha1.JobResult {
	var out []v1alpha1.JobResult
	for _, j := range t.RecentJobs {
		out = append(out, v1alpha1.JobResult{
			Variant: strconv.FormatUint(j.Record.Variant, 10), Attempt: j.Record.Attempt, Task: j.Task, Job: j.Number,
			Start: j.Start, End: j.End, Outcome: conditions.Sentence(j.Outcome, 32), Target: name(j.Record.Target),
			AfterRecovery: v1alpha1.RecoveryStep(j.Record.AfterRecovery),
		})
	}
	return out
}

func recentFailures(t *campaign.Tally) []v1alpha1.AttemptFailure {
	var out []v1alpha1.AttemptFailure
	for _, r := range t.RecentFailures {
		out = append(out, v1alpha1.AttemptFailure{
			Variant: strconv.FormatUint(r.Variant, 10), Attempt: r.Attempt, Target: name(r.Target),
			Reason: r.Reason, Message: conditions.Sentence(r.Message, maxMessage),
		})
	}
	return out
}

// name is the TargetSession's name without its namespace, which is the TaskSet's.
func name(target string) string {
	_, n, ok := strings.Cut(target, "/")
	if !ok {
		return target
	}
	return n
}

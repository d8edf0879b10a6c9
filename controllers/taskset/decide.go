package taskset

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
)

// lookAgain is the pause before missing binaries are looked for again.
const lookAgain = 5 * time.Second

// plan is what one pass wants. The zero plan changes nothing.
type plan struct {
	run     *campaign.Plan // keep the engine on this; nil with forget unset leaves it alone
	forget  bool           // take the campaign out of the engine
	invalid string         // why the campaign cannot be run as it is written; empty when it can
	expired bool           // delete the TaskSet
	wake    time.Time      // when the plan could change without new input
}

// decide is pure.
func decide(now time.Time, s *scope) plan {
	ts := s.taskset
	if finished(ts) {
		return afterwards(now, ts)
	}
	if reason := invalid(s); reason != "" {
		return plan{invalid: reason, forget: true}
	}
	if s.rejected != "" {
		return plan{forget: true}
	}
	if s.running && s.snapshot.State == campaign.StateRefused {
		return plan{invalid: s.snapshot.Blocked}
	}
	p := plan{}
	if !s.binaries.ready() {
		p.wake = now.Add(lookAgain)
		if !s.running {
			return p
		}
	}
	run := s.plan
	run.Targets, run.Binaries = targets(s.targets), s.binaries.found
	p.run = &run
	if s.running && s.snapshot.State == campaign.StateComplete && s.snapshot.Retried >= run.Retry {
		p.run, p.forget = nil, true // its snapshot is reported in this pass
	}
	return p
}

// afterwards is the plan for a finished campaign: wait for the time to live.
func afterwards(now time.Time, ts *v1alpha1.TaskSet) plan {
	p := plan{forget: true}
	if ts.Spec.TTLSecondsAfterFinished == nil || ts.Status.CompletionTime == nil {
		return p
	}
	end := ts.Status.CompletionTime.Add(time.Duration(*ts.Spec.TTLSecondsAfterFinished) * time.Second)
	if p.expired = !now.Before(end); !p.expired {
		p.wake = end
	}
	return p
}

// finished reports whether a campaign is complete, and nobody wants its failed variants to be run again.
func finished(ts *v1alpha1.TaskSet) bool {
	return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete) && ptr.Deref(ts.Spec.RetryFailed, 0) <= ts.Status.RetriedFailed
}

// invalid says why the campaign cannot be run; empty when it can.
func invalid(s *scope) string {
	if s.planErr != nil {
		return s.planErr.Error()
	}
	selector := s.taskset.Spec.Targets.Selector
	if selector == nil || len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		return "spec.targets.selector is empty: name at least one label, for example {matchLabels: {genode-operator.io/pool: my-pool}}"
	}
	if _, err := metav1.LabelSelectorAsSelector(selector); err != nil {
		return fmt.Sprintf("spec.targets.selector: %v", err)
	}
	return ""
}

// targets are the TargetSessions that have an address, and simulated ones and dry runs, which need none, in order of their names.
func targets(list []v1alpha1.TargetSession) []session.Target {
	var out []session.Target
	for i := range list {
		t := &list[i]
		if t.Status.Address == "" && t.Spec.Class != v1alpha1.ClassStdio && t.Spec.Class != v1alpha1.ClassSimSo {
			continue
		}
		target := session.Target{
			Name:       t.Namespace + "/" + t.Name,
			Class:      string(cmp.Or(t.Spec.Class, v1alpha1.ClassQemu)),
			Generation: string(cmp.Or(t.Spec.Taskloader.Generation, v1alpha1.GenerationAuto)),
		}
		if t.Spec.Class == v1alpha1.ClassSimSo {
			target.Settings = simso.FromSpec(t.Spec.SimSo)
		}
		if t.Status.Address != "" {
			port := cmp.Or(t.Spec.Taskloader.Port, v1alpha1.TaskloaderPort)
			target.Address = net.JoinHostPort(t.Status.Address, strconv.Itoa(int(port)))
		}
		out = append(out, target)
	}
	slices.SortFunc(out, func(a, b session.Target) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

package targetsession

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/outcome"
	"github.com/genode-operator/genode-operator/internal/restart"
)

const (
	// sourcePoll is how often missing sources are looked for.
	sourcePoll = 5 * time.Second
	// breakerPoll is how often an open breaker is looked at.
	breakerPoll = 2 * time.Second
	// takenPoll is how often a name is looked at that belongs to somebody else.
	takenPoll = 30 * time.Second
	// agentLost is how long an agent may be silent while its pod runs, before the pod is replaced.
	agentLost = time.Minute
)

// decide says what this pass changes. It is pure.
func decide(s *scope) plan {
	st := &s.session.Status
	p := plan{remove: removable(s.others)}
	switch {
	case s.session.DeletionTimestamp != nil:
		return plan{forget: true} // the garbage collector takes what it owns
	case s.taken != "":
		p.wake = s.now.Add(takenPoll)
	case s.renewCredentials:
		p.credentials = true // the next pass, woken by the Secret, goes on
	case s.want == nil:
		// only a new spec, or a manager with other flags, helps
	case st.Epoch == 0:
		p.advance(s, "first pod")
	case s.pod == nil && st.PodUID == "":
		p.make(s)
	case changed(s):
		p.advance(s, "the spec has changed")
	default:
		p.failure = diagnose(s)
		p.replace(s)
	}
	p.wake = outcome.Earliest(p.wake, nextLook(s))
	return p
}

func removable(pods []*corev1.Pod) []*corev1.Pod {
	var left []*corev1.Pod
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			left = append(left, pod)
		}
	}
	return left
}

// make applies the pod of the stored epoch once its sources exist and no earlier pod is left.
func (p *plan) make(s *scope) {
	switch {
	case len(s.missing) > 0:
		p.wake = s.now.Add(sourcePoll)
	case len(s.others) == 0:
		p.apply = s.want
	}
}

// advance stores the next epoch, which is not a restart. A running pod stays until the new one could be made.
func (p *plan) advance(s *scope, why string) {
	if len(s.missing) > 0 {
		p.wake = s.now.Add(sourcePoll)
		return
	}
	p.epoch, p.why = s.session.Status.Epoch+1, why
}

// changed says whether the spec asks for another pod than the one that was made.
func changed(s *scope) bool {
	if s.pod == nil {
		return s.session.Generation != s.session.Status.ObservedGeneration
	}
	return s.pod.Annotations[v1alpha1.AnnotationSpecHash] != s.want.Annotations[v1alpha1.AnnotationSpecHash]
}

// diagnose says why this epoch's pod, which was made, needs a replacement. It is zero when it needs none.
func diagnose(s *scope) failure {
	switch {
	case s.session.Status.PodUID == "" && s.pod == nil:
		return failure{} // not made yet
	case s.pod == nil || s.pod.DeletionTimestamp != nil:
		return failure{reason: v1alpha1.ReasonPodMissing, message: "pod " + s.session.Status.PodName + " was deleted", gone: true}
	case s.pod.Status.Phase == corev1.PodFailed || s.pod.Status.Phase == corev1.PodSucceeded:
		return failure{reason: v1alpha1.ReasonPodFailed, message: podEnded(s.pod), gone: true}
	case s.agent.Silent && s.now.Sub(s.agent.SilentSince) >= agentLost:
		return failure{reason: v1alpha1.ReasonAgentSilent, message: fmt.Sprintf("the agent was silent for %s", agentLost)}
	case s.agent.State.NeedsReplacement:
		return failure{reason: v1alpha1.ReasonNeedsReplacement, message: "every recovery step in the pod has failed; " + s.agent.State.Message}
	}
	return failure{}
}

func podEnded(pod *corev1.Pod) string {
	return fmt.Sprintf("pod %s ended: %s %s", pod.Name, pod.Status.Reason, pod.Status.Message)
}

// replace stores the next epoch if step, budget, breaker and backoff allow it, and else says what holds it back.
func (p *plan) replace(s *scope) {
	if p.failure.reason == "" {
		return
	}
	spec := s.session.Spec.Restart
	restarts := countedRestarts(s)
	next := policy(spec).Next(restarts, failedSince(s), time.Time{}, s.now)
	limit := restartLimit(spec)
	switch {
	case !p.failure.gone && len(spec.Steps) > 0 && !slices.Contains(spec.Steps, v1alpha1.StepReplace):
		p.hold = problem{v1alpha1.ReasonSwitchedOff, "a new pod is needed, but spec.restart.steps has no Replace; add it, or delete the pod to have another one made"}
	case next.Exhausted:
		p.hold = problem{v1alpha1.ReasonLimitReached, fmt.Sprintf("%d of %d restarts are used up; raise spec.restart.limit or change what the target boots", restarts, limit)}
	case !p.failure.gone && s.fleet.pool != "" && !restart.MayRestart(s.fleet.unhealthy, s.fleet.size, s.fleet.maxPercent):
		p.hold = problem{v1alpha1.ReasonTooManyUnhealthy, fmt.Sprintf(
			"%d of %d targets of pool %s are unhealthy, more than %d%%: the cause is probably shared, so that no pod is replaced; delete a pod to have it made anew",
			s.fleet.unhealthy, s.fleet.size, s.fleet.pool, s.fleet.maxPercent)}
		p.wake = s.now.Add(breakerPoll)
	case !next.Allowed:
		p.hold = problem{v1alpha1.ReasonBackoff, fmt.Sprintf("restart %d of %d at %s", restarts+1, limit, next.At.UTC().Format("15:04:05.000"))}
		p.wake = next.At
	default:
		p.epoch, p.restart, p.why = s.session.Status.Epoch+1, true, p.failure.message
	}
}

// nextLook is when a verdict or the budget changes by the passing of time alone.
func nextLook(s *scope) time.Time {
	var lost, forgiven time.Time
	if s.agent.Silent {
		if at := s.agent.SilentSince.Add(agentLost); at.After(s.now) {
			lost = at
		}
	}
	if st := s.session.Status; st.Restarts > 0 && st.HealthySince != nil {
		forgiven = policy(s.session.Spec.Restart).ForgivenAt(st.HealthySince.Time)
	}
	return outcome.Earliest(lost, forgiven)
}

// failedSince is when this pod was found to have failed; now, if that is new.
func failedSince(s *scope) time.Time {
	if at := s.session.Status.FailedSince; at != nil {
		return at.Time
	}
	return s.now
}

// countedRestarts are the restarts that no healthy period has made forgotten.
func countedRestarts(s *scope) int {
	var healthy time.Time
	if at := s.session.Status.HealthySince; at != nil {
		healthy = at.Time
	}
	return policy(s.session.Spec.Restart).Counted(int(s.session.Status.Restarts), healthy, s.now)
}

// defaultRestartLimit is the API's default of spec.restart.limit.
const defaultRestartLimit = 20

func restartLimit(r v1alpha1.RestartSpec) int {
	if r.Limit == nil {
		return defaultRestartLimit
	}
	return int(*r.Limit)
}

func policy(r v1alpha1.RestartSpec) restart.Policy {
	return restart.Policy{
		Base:         time.Duration(r.BackoffBaseMilliseconds) * time.Millisecond,
		Max:          time.Duration(r.BackoffMaxSeconds) * time.Second,
		ForgiveAfter: time.Duration(r.ForgiveAfterSeconds) * time.Second,
		Limit:        restartLimit(r),
	}
}

package localnode

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// observed is what is known of one container.
type observed struct {
	name     string
	image    string
	id       string // of the newest run; empty before the first
	state    corev1.ContainerState
	last     corev1.ContainerState
	restarts int32
	started  bool // the startup probe has succeeded, or there is none
	ready    bool
}

// podView is what is known of one pod.
type podView struct {
	init, main []observed
	address    string
	startTime  metav1.Time
	ending     bool // it is being deleted: nothing is started any more
}

// podStatus words what is known of a pod as its status. before is the status up to now: conditions
// of others stay, and those that do not change keep their time. It is pure.
func podStatus(before *corev1.PodStatus, spec *corev1.PodSpec, view podView, now metav1.Time) corev1.PodStatus {
	status := *before.DeepCopy()
	status.Phase = phase(spec.RestartPolicy, view)
	status.HostIP = nodeAddress
	status.HostIPs = []corev1.HostIP{{IP: nodeAddress}}
	status.StartTime = &view.startTime
	if view.address != "" {
		status.PodIP = view.address
		status.PodIPs = []corev1.PodIP{{IP: view.address}}
	}
	status.InitContainerStatuses = containerStatuses(view.init, true)
	status.ContainerStatuses = containerStatuses(view.main, false)
	ready := containersReady(view.main, status.Phase)
	setCondition(&status, condition(corev1.PodInitialized, incomplete(view.init), "ContainersNotInitialized", "containers with incomplete status"), now)
	setCondition(&status, ready, now)
	setCondition(&status, podReady(ready, spec.ReadinessGates, before), now)
	return status
}

// phase follows the kubelet's rules.
func phase(policy corev1.RestartPolicy, view podView) corev1.PodPhase {
	if view.ending {
		policy = corev1.RestartPolicyNever
	}
	for _, c := range view.init {
		t := c.state.Terminated
		switch {
		case t != nil && t.ExitCode == 0:
		case t != nil && policy == corev1.RestartPolicyNever:
			return corev1.PodFailed
		default:
			return corev1.PodPending
		}
	}
	counts := map[progress]int{}
	for _, c := range view.main {
		counts[c.progress(policy, view.ending)]++
	}
	switch {
	case counts[notStarted] > 0:
		return corev1.PodPending
	case counts[underWay] > 0:
		return corev1.PodRunning
	case counts[failed] > 0:
		return corev1.PodFailed
	}
	return corev1.PodSucceeded
}

// progress is how far a container is, in the eyes of its pod's phase.
type progress int

const (
	notStarted progress = iota
	underWay            // it runs, or it comes back
	failed
	succeeded
)

func (c observed) progress(policy corev1.RestartPolicy, ending bool) progress {
	end := c.state.Terminated
	switch {
	case c.state.Running != nil:
		return underWay
	case end == nil && c.last.Terminated == nil:
		return notStarted
	case end == nil && ending:
		return failed // it backed off, and does not come back any more
	case end == nil || restarts(policy, end.ExitCode, false):
		return underWay
	case end.ExitCode != 0:
		return failed
	}
	return succeeded
}

func containerStatuses(all []observed, init bool) []corev1.ContainerStatus {
	var statuses []corev1.ContainerStatus
	for _, c := range all {
		ready := c.ready && c.state.Running != nil
		started := c.started && c.state.Running != nil
		if init {
			ready = c.state.Terminated != nil && c.state.Terminated.ExitCode == 0
		}
		s := corev1.ContainerStatus{
			Name: c.name, Image: c.image, ContainerID: c.id, State: c.state, LastTerminationState: c.last,
			RestartCount: c.restarts, Ready: ready, Started: ptr.To(started),
		}
		if c.id != "" {
			s.ImageID = "folder://" + c.image
		}
		statuses = append(statuses, s)
	}
	return statuses
}

// incomplete names the init containers that have not succeeded.
func incomplete(init []observed) []string {
	var names []string
	for _, c := range init {
		if t := c.state.Terminated; t == nil || t.ExitCode != 0 {
			names = append(names, c.name)
		}
	}
	return names
}

func containersReady(main []observed, phase corev1.PodPhase) corev1.PodCondition {
	if phase == corev1.PodSucceeded || phase == corev1.PodFailed {
		reason := "PodCompleted"
		if phase == corev1.PodFailed {
			reason = "PodFailed"
		}
		return corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse, Reason: reason}
	}
	var names []string
	for _, c := range main {
		if !c.ready || c.state.Running == nil {
			names = append(names, c.name)
		}
	}
	return condition(corev1.ContainersReady, names, "ContainersNotReady", "containers with unready status")
}

// podReady is that of the containers, unless a readiness gate is missing.
func podReady(containers corev1.PodCondition, gates []corev1.PodReadinessGate, status *corev1.PodStatus) corev1.PodCondition {
	ready := containers
	ready.Type = corev1.PodReady
	if ready.Status != corev1.ConditionTrue {
		return ready
	}
	var missing []string
	for _, gate := range gates {
		met := func(c corev1.PodCondition) bool {
			return c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !slices.ContainsFunc(status.Conditions, met) {
			missing = append(missing, string(gate.ConditionType))
		}
	}
	return condition(corev1.PodReady, missing, "ReadinessGatesNotReady", "readiness gates that are not true")
}

// condition is True when nothing hinders.
func condition(kind corev1.PodConditionType, hindering []string, reason, message string) corev1.PodCondition {
	if len(hindering) == 0 {
		return corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue}
	}
	return corev1.PodCondition{
		Type: kind, Status: corev1.ConditionFalse, Reason: reason,
		Message: fmt.Sprintf("%s: [%s]", message, strings.Join(hindering, " ")),
	}
}

func setCondition(status *corev1.PodStatus, c corev1.PodCondition, now metav1.Time) {
	c.LastTransitionTime = now
	for i, old := range status.Conditions {
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		c.ObservedGeneration = old.ObservedGeneration
		status.Conditions[i] = c
		return
	}
	status.Conditions = append(status.Conditions, c)
}

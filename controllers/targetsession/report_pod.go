package targetsession

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/conditions"
	"github.com/genode-operator/genode-operator/internal/outcome"
	"github.com/genode-operator/genode-operator/internal/target"
)

// exitConfiguration is the agent's exit code when a file or flag is wrong, so that starting again is no
// use (EX_CONFIG of sysexits.h).
const exitConfiguration = 78

func reportPod(s *scope, p plan, w conditions.Writer, end outcome.End) {
	st := &s.session.Status
	st.NodeName, st.Address = "", ""
	if s.pod != nil {
		st.PodName, st.PodUID = s.pod.Name, string(s.pod.UID)
		st.NodeName, st.Address = s.pod.Spec.NodeName, s.pod.Status.PodIP
	}
	status, reason, message := podState(s, p)
	if retry, failed := end.(outcome.Retry); failed {
		status, reason, message = metav1.ConditionFalse, v1alpha1.ReasonPending, retry.Err.Error()
	}
	w.Set(v1alpha1.ConditionPodRunning, status, reason, "%s", message)
}

func podState(s *scope, p plan) (metav1.ConditionStatus, string, string) {
	no := metav1.ConditionFalse
	switch {
	case s.taken != "":
		return no, v1alpha1.ReasonNameTaken, s.taken + " belongs to somebody else; delete it, or give the TargetSession another name"
	case s.wantErr != nil && s.pod == nil:
		return no, v1alpha1.ReasonInvalid, s.wantErr.Error()
	case p.failure.gone:
		return no, p.failure.reason, p.failure.message
	case s.pod == nil && len(s.missing) > 0:
		return no, v1alpha1.ReasonPending, "the pod waits for its sources"
	case s.pod == nil && len(s.others) > 0:
		return no, v1alpha1.ReasonPending, fmt.Sprintf("pod %s has to be gone before the next one is made", s.others[0].Name)
	case s.pod == nil:
		return no, v1alpha1.ReasonPending, orElse(p.why, "the pod is being made")
	case s.pod.DeletionTimestamp != nil:
		return no, v1alpha1.ReasonPending, "pod " + s.pod.Name + " is being deleted"
	}
	return containerState(s.pod)
}

func containerState(pod *corev1.Pod) (metav1.ConditionStatus, string, string) {
	no := metav1.ConditionFalse
	c := containerStatus(pod)
	if c == nil {
		return no, v1alpha1.ReasonPodStarting, notStarted(pod)
	}
	if c.State.Running != nil && pod.Status.Phase == corev1.PodRunning {
		return metav1.ConditionTrue, v1alpha1.ReasonPodRunning, "pod " + pod.Name + " runs"
	}
	if ended := lastEnd(*c); ended != nil {
		return no, v1alpha1.ReasonPodFailed, exited(ended)
	}
	if c.State.Waiting != nil {
		return no, v1alpha1.ReasonPodStarting, strings.TrimSpace(c.State.Waiting.Reason + " " + c.State.Waiting.Message)
	}
	return no, v1alpha1.ReasonPodStarting, notStarted(pod)
}

// notStarted says why a pod has no container yet.
func notStarted(pod *corev1.Pod) string {
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse {
			return "no node takes the pod: " + cond.Message
		}
	}
	return "pod " + pod.Name + " is being started"
}

func exited(t *corev1.ContainerStateTerminated) string {
	return strings.TrimSpace(fmt.Sprintf("the agent ended with code %d (%s) and is started again by the kubelet: %s", t.ExitCode, t.Reason, t.Message))
}

func containerStatus(pod *corev1.Pod) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if c := &pod.Status.ContainerStatuses[i]; c.Name == v1alpha1.TargetContainer {
			return c
		}
	}
	return nil
}

// reportSources writes SourcesReady: from the API server before there is a pod, from the pod afterwards.
func reportSources(s *scope, w conditions.Writer) {
	if s.wantErr != nil {
		w.Set(v1alpha1.ConditionSourcesReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "%s", s.wantErr)
		return
	}
	problems := append(append([]problem(nil), s.missing...), podProblems(s)...)
	if len(problems) == 0 {
		w.Set(v1alpha1.ConditionSourcesReady, metav1.ConditionTrue, v1alpha1.ReasonFound, "every source was found")
		return
	}
	messages := make([]string, len(problems))
	for i, p := range problems {
		messages[i] = p.message
	}
	w.Set(v1alpha1.ConditionSourcesReady, metav1.ConditionFalse, problems[0].reason, "%s", strings.Join(messages, "; "))
}

// podProblems are the sources that turned out to be wrong when the pod started.
func podProblems(s *scope) []problem {
	if s.pod == nil {
		return nil
	}
	found := downloadProblems(s.pod)
	c := containerStatus(s.pod)
	if c == nil || c.State.Running != nil && !s.agent.Heard.IsZero() {
		return found
	}
	if ended := lastEnd(*c); ended != nil && ended.ExitCode == exitConfiguration {
		found = append(found, problem{v1alpha1.ReasonInvalid, orElse(ended.Message, "the agent refuses its configuration; see the log of the pod")})
	}
	if c.State.Waiting != nil && s.session.Spec.Qemu != nil {
		found = append(found, imageProblems(s.session.Spec.Qemu, c.State.Waiting)...)
	}
	return found
}

// downloadProblems are the fields whose files could not be fetched.
func downloadProblems(pod *corev1.Pod) []problem {
	var found []problem
	for _, c := range pod.Status.InitContainerStatuses {
		field := target.FieldOfDownload(c.Name)
		if ended := lastEnd(c); field != "" && ended != nil && ended.ExitCode != 0 {
			found = append(found, problem{v1alpha1.ReasonDownloadFailed, field + ": " + orElse(ended.Message, fmt.Sprintf("the download ended with code %d; see the log of container %s", ended.ExitCode, c.Name))})
		}
	}
	return found
}

// lastEnd is how a container ended last, even when it runs again by now; nil when it never has.
func lastEnd(c corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if c.State.Terminated != nil {
		return c.State.Terminated
	}
	return c.LastTerminationState.Terminated
}

// imageProblems finds the fields of image volumes that a waiting container complains about.
func imageProblems(q *v1alpha1.QemuTarget, waiting *corev1.ContainerStateWaiting) []problem {
	switch waiting.Reason {
	case "", "PodInitializing", "ContainerCreating", "CrashLoopBackOff":
		return nil
	}
	var found []problem
	for _, source := range target.Sources(q) {
		if source.Image != "" && strings.Contains(waiting.Message, source.Image) {
			found = append(found, problem{v1alpha1.ReasonNotFound, fmt.Sprintf("%s: image %s: %s", source.Field, source.Image, waiting.Message)})
		}
	}
	return found
}

package localnode

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// update changes the worker's state, and has the pod's status written.
func (w *podWorker) update(change func()) {
	w.mu.Lock()
	change()
	w.mu.Unlock()
	w.wake()
}

func (w *podWorker) wake() {
	select {
	case w.changed <- struct{}{}:
	default: // it is awake
	}
}

// observe takes a newer version of the pod's object; nil means that it exists no more.
func (w *podWorker) observe(pod *corev1.Pod) {
	w.update(func() {
		if pod == nil {
			w.gone = true
			return
		}
		w.adopt(pod)
	})
}

// adopt keeps the newest version of the object; the caller holds mu.
func (w *podWorker) adopt(pod *corev1.Pod) {
	if pod.UID == w.uid && version(pod) >= version(w.object) {
		w.object = pod
	}
}

// version is comparable: the API server counts its writes.
func version(pod *corev1.Pod) uint64 {
	n, _ := strconv.ParseUint(pod.ResourceVersion, 10, 64) // always a number from our API server
	return n
}

func (w *podWorker) isGone() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.gone }

func (w *podWorker) ending() bool { w.mu.Lock(); defer w.mu.Unlock(); return !w.deadline.IsZero() }

// killAt is when containers that have been asked to end are killed.
func (w *podWorker) killAt() time.Time {
	stop := w.node.stopBy() // before our own lock: the node takes it while holding its own
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deadline.IsZero() || !stop.IsZero() && stop.Before(w.deadline) {
		return stop
	}
	return w.deadline
}

// inputs are the pod, its address and the folders of its volumes.
func (w *podWorker) inputs() (pod *corev1.Pod, address string, folders map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.object, w.address, w.folders
}

func (w *podWorker) source() source { return source{api: w.node.api, namespace: w.namespace} }

func (w *podWorker) view() podView {
	view := podView{address: w.address, startTime: w.start, ending: !w.deadline.IsZero()}
	for _, c := range w.init {
		view.init = append(view.init, c.seen)
	}
	for _, c := range w.main {
		view.main = append(view.main, c.seen)
	}
	return view
}

// writeStatus brings the pod's status up to date, by a patch of what differs: others write other
// parts of it. A pod that has run to its end keeps its phase.
func (w *podWorker) writeStatus(ctx context.Context) error {
	w.mu.Lock()
	before, gone := w.object, w.gone
	status := podStatus(&before.Status, w.spec, w.view(), metav1.Now())
	w.mu.Unlock()
	final := before.Status.Phase == corev1.PodSucceeded || before.Status.Phase == corev1.PodFailed
	if gone || final || equality.Semantic.DeepEqual(before.Status, status) {
		return nil
	}
	patch, err := statusPatch(before, status)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	after, err := w.node.api.CoreV1().Pods(w.namespace).Patch(ctx, w.name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		if isReplaced(err) {
			w.observe(nil)
			return nil
		}
		return fmt.Errorf("write the status of pod %s/%s: %w", w.namespace, w.name, err)
	}
	w.mu.Lock()
	w.adopt(after)
	w.mu.Unlock()
	return nil
}

// statusPatch is the difference between two statuses; the UID in it keeps it off a new pod of the
// same name.
func statusPatch(pod *corev1.Pod, status corev1.PodStatus) ([]byte, error) {
	old, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, fmt.Errorf("encode status: %w", err)
	}
	updated, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: status})
	if err != nil {
		return nil, fmt.Errorf("encode status: %w", err)
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(old, updated, corev1.Pod{})
	if err != nil {
		return nil, fmt.Errorf("compare statuses: %w", err)
	}
	return patch, nil
}

// isReplaced says that the pod exists no more, or only another one of the same name.
func isReplaced(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsConflict(err) }

// event reports a step of the pod's life.
func (w *podWorker) event(reason, format string, args ...any) {
	w.node.events.Eventf(w.reference(), corev1.EventTypeNormal, reason, format, args...)
}

// warn reports a trouble.
func (w *podWorker) warn(reason, format string, args ...any) {
	w.node.events.Eventf(w.reference(), corev1.EventTypeWarning, reason, format, args...)
}

func (w *podWorker) reference() *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: w.namespace, Name: w.name, UID: w.uid}
}

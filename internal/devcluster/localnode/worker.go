package localnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// forcedGrace is the time to end of a pod whose object is gone already; whole seconds.
const forcedGrace = time.Second

// podWorker owns one pod from its binding to its end. The goroutine in run writes the pod's status
// and deletes it; another, in live, goes through its containers.
type podWorker struct {
	node      *Node
	namespace string
	name      string
	uid       types.UID
	spec      *corev1.PodSpec
	dir       string

	changed chan struct{} // the view, the object or the deadline has changed; capacity 1
	cancel  context.CancelFunc

	mu       sync.Mutex
	object   *corev1.Pod // newest known, including our own writes
	gone     bool        // the object exists no more
	deadline time.Time   // zero while the pod is wanted
	granted  int64       // seconds to end, of the deletion the deadline comes from
	address  string
	folders  map[string]string // of the volumes
	init     []*container
	main     []*container
	start    metav1.Time
}

func newPodWorker(node *Node, pod *corev1.Pod) *podWorker {
	w := &podWorker{
		node: node, namespace: pod.Namespace, name: pod.Name, uid: pod.UID, spec: &pod.Spec, object: pod,
		dir:     filepath.Join(node.podsDir(), podFolder(pod)),
		changed: make(chan struct{}, 1),
		start:   metav1.Now(),
	}
	if pod.Status.StartTime != nil {
		w.start = *pod.Status.StartTime
	}
	first := reasonCreating
	if len(pod.Spec.InitContainers) > 0 {
		first = reasonInitializing
	}
	for i := range pod.Spec.InitContainers {
		w.init = append(w.init, w.container(&pod.Spec.InitContainers[i], true, pod.Status.InitContainerStatuses, reasonInitializing))
	}
	for i := range pod.Spec.Containers {
		w.main = append(w.main, w.container(&pod.Spec.Containers[i], false, pod.Status.ContainerStatuses, first))
	}
	return w
}

// podFolder is the UID, as in a kubelet's folder: short, since sockets below it may have 107 bytes of path.
func podFolder(pod *corev1.Pod) string { return string(pod.UID) }

// container takes over what the pod's status says of the container, if it has run before.
func (w *podWorker) container(spec *corev1.Container, init bool, before []corev1.ContainerStatus, reason string) *container {
	c := &container{pod: w, spec: spec, init: init, dir: filepath.Join(w.dir, "containers", spec.Name), kill: make(chan killRequest)}
	c.seen = observed{name: spec.Name, image: spec.Image}
	c.wait(waiting(reason, ""))
	for _, s := range before {
		if s.Name == spec.Name {
			c.seen.restarts, c.seen.last, c.seen.id = s.RestartCount, s.LastTerminationState, s.ContainerID
			if s.State.Waiting == nil {
				c.seen.state = s.State
			}
		}
	}
	return c
}

// run keeps the pod until it has been deleted, or ctx ends with the node.
func (w *podWorker) run(ctx context.Context) {
	living, cancel := context.WithCancel(ctx)
	defer cancel()
	w.cancel = cancel
	w.heedDeletion()
	ended := make(chan struct{})
	go func() { defer close(ended); w.live(living) }()
	retry := retryStart
	for {
		w.heedDeletion()
		if w.finished(ctx, ended) {
			return
		}
		again := time.Duration(0)
		if err := w.writeStatus(ctx); err != nil && ctx.Err() == nil {
			w.node.log.V(1).Info("Retrying to write a pod's status", "pod", w.name, "error", err.Error())
			again, retry = retry, min(2*retry, retryMax)
		} else {
			retry = retryStart
		}
		w.awaitChange(ctx, ended, again)
	}
}

// awaitChange waits for something to do; again is the time of a retry, if not 0.
func (w *podWorker) awaitChange(ctx context.Context, ended <-chan struct{}, again time.Duration) {
	var timer <-chan time.Time
	if again > 0 {
		t := time.NewTimer(again)
		defer t.Stop()
		timer = t.C
	}
	if w.ending() || ctx.Err() != nil {
		select { // now the end of the containers matters
		case <-ended:
		case <-w.changed:
		case <-timer:
		}
		return
	}
	select {
	case <-w.changed:
	case <-timer:
	case <-ctx.Done():
	}
}

// heedDeletion ends the containers when the pod's object says so, or is gone.
func (w *podWorker) heedDeletion() {
	w.mu.Lock()
	defer w.mu.Unlock()
	grace := int64(forcedGrace.Seconds())
	if !w.gone {
		if w.object.DeletionTimestamp == nil {
			return
		}
		grace = ptr.Deref(w.object.DeletionGracePeriodSeconds, 0)
	}
	if w.deadline.IsZero() || grace < w.granted { // a second deletion may grant less
		w.granted, w.deadline = grace, time.Now().Add(time.Duration(grace)*time.Second)
	}
	w.cancel()
}

// finished says whether the worker's task is over, after doing what comes last.
func (w *podWorker) finished(ctx context.Context, ended <-chan struct{}) bool {
	select {
	case <-ended:
	default:
		return false
	}
	if ctx.Err() != nil {
		return true // the node stops: the pod stays, to be started again
	}
	if !w.ending() {
		return false // it has run to its end, and is kept until somebody deletes it
	}
	if err := os.RemoveAll(w.dir); err != nil {
		w.node.log.Error(err, "Cannot remove a pod's folder", "folder", w.dir)
	}
	return w.delete(ctx)
}

// delete removes the pod's object, which only its node may do once its containers have ended.
func (w *podWorker) delete(ctx context.Context) bool {
	for delay := retryStart; ; delay = min(2*delay, retryMax) {
		if w.isGone() {
			return true
		}
		err := w.writeStatus(ctx)
		if err == nil || ctx.Err() == nil {
			options := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(w.uid))}
			err = w.node.api.CoreV1().Pods(w.namespace).Delete(ctx, w.name, options)
		}
		if err == nil || isReplaced(err) {
			return true
		}
		if !sleep(ctx, delay) {
			return true
		}
	}
}

// live goes through the pod's containers and returns when all have ended.
func (w *podWorker) live(ctx context.Context) {
	pod, _, _ := w.inputs()
	if phase := pod.Status.Phase; ctx.Err() != nil || phase == corev1.PodSucceeded || phase == corev1.PodFailed {
		return
	}
	release, ok := w.prepare(ctx)
	if !ok {
		return
	}
	defer release()
	for _, c := range w.init {
		c.supervise(ctx)
		if ctx.Err() != nil || c.code != 0 {
			return
		}
	}
	w.update(func() {
		for _, c := range w.main {
			if s := c.seen.state.Waiting; s != nil && s.Reason == reasonInitializing {
				c.wait(waiting(reasonCreating, ""))
			}
		}
	})
	var all sync.WaitGroup
	for _, c := range w.main {
		all.Go(func() { c.supervise(ctx) })
	}
	all.Wait()
}

// prepare gives the pod an address and its volumes; it waits for what is missing, and says for
// what in the status of the containers.
func (w *podWorker) prepare(ctx context.Context) (release func(), ok bool) {
	release = func() {}
	for delay := retryStart; ; delay = min(2*delay, retryMax) {
		err := w.prepareOnce(ctx, &release)
		if err == nil {
			return release, true
		}
		if ctx.Err() == nil {
			w.warnMount(err)
		}
		if !sleep(ctx, delay) {
			release()
			return nil, false
		}
	}
}

func (w *podWorker) prepareOnce(ctx context.Context, release *func()) error {
	for _, c := range append(w.init[:len(w.init):len(w.init)], w.main...) {
		if err := os.MkdirAll(c.dir, 0o755); err != nil {
			return fmt.Errorf("make the pod's folder: %w", err)
		}
	}
	w.mu.Lock()
	address, pod := w.address, w.object
	w.mu.Unlock()
	switch {
	case address != "":
	case w.spec.HostNetwork:
		address = nodeAddress
	default:
		var err error
		if address, *release, err = reserveAddress(string(w.uid), pod.Status.PodIP); err != nil {
			return err
		}
	}
	w.update(func() { w.address = address })
	v := volumes{source: w.source(), images: w.node.images, pod: pod, address: address, dir: filepath.Join(w.dir, "volumes")}
	folders, err := v.prepare(ctx)
	if err != nil {
		return err
	}
	w.update(func() { w.folders = folders })
	return nil
}

func (w *podWorker) warnMount(err error) {
	var why *waitError
	if !errors.As(err, &why) {
		why = waiting(reasonCreating, "%v", err)
	}
	w.warn("FailedMount", "%s", why.message)
	w.update(func() {
		for _, c := range append(w.init[:len(w.init):len(w.init)], w.main...) {
			c.wait(why)
		}
	})
}

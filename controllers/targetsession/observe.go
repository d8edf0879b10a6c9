package targetsession

import (
	"context"
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target"
)

// observe gathers everything that decide needs; nil when the session is gone.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (*scope, error) {
	s := &scope{now: r.clock.Now(), session: &v1alpha1.TargetSession{}}
	if err := r.client.Get(ctx, name, s.session); err != nil {
		if apierrors.IsNotFound(err) {
			r.hub.Forget(name)
			return nil, nil
		}
		return nil, fmt.Errorf("read the TargetSession: %w", err)
	}
	s.before = s.session.DeepCopy()
	if s.session.DeletionTimestamp != nil {
		return s, nil
	}
	for _, gather := range []func(context.Context, *scope) error{r.observePods, r.observeCredentials, r.observeWanted, r.observeAgent, r.observeFleet} {
		if err := gather(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// observePods reads the session's pods: from the cache, and from the API server itself when the pod of
// this epoch is not among them, because then pods may be made.
func (r *Reconciler) observePods(ctx context.Context, s *scope) error {
	epoch := s.session.Status.Epoch
	if err := listPods(ctx, r.client, s); err != nil || s.pod != nil || epoch == 0 {
		return err
	}
	if err := listPods(ctx, r.reader, s); err != nil || s.pod != nil {
		return err
	}
	var pod corev1.Pod
	key := types.NamespacedName{Namespace: s.session.Namespace, Name: target.PodName(s.session.Name, epoch)}
	err := r.reader.Get(ctx, key, &pod)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("read pod %s: %w", key.Name, err)
	case metav1.IsControlledBy(&pod, s.session):
		s.pod = &pod // its label was taken away
	default:
		s.taken = "Pod " + key.Name
	}
	return nil
}

func listPods(ctx context.Context, from client.Reader, s *scope) error {
	var list corev1.PodList
	if err := from.List(ctx, &list, client.InNamespace(s.session.Namespace), client.MatchingLabels{v1alpha1.LabelSession: s.session.Name}); err != nil {
		return fmt.Errorf("list the pods of TargetSession %s: %w", s.session.Name, err)
	}
	s.pod, s.others = nil, nil
	for i := range list.Items {
		pod := &list.Items[i]
		if !metav1.IsControlledBy(pod, s.session) {
			continue
		}
		if pod.Labels[v1alpha1.LabelEpoch] == strconv.FormatInt(s.session.Status.Epoch, 10) {
			s.pod = pod
		} else {
			s.others = append(s.others, pod)
		}
	}
	return nil
}

// observeWanted builds the wanted pod, and looks for its sources when one has to be made.
func (r *Reconciler) observeWanted(ctx context.Context, s *scope) error {
	s.want, s.wantErr = target.Pod(s.session, target.PodOptions{
		RunnerImage: r.runnerImage, Epoch: s.session.Status.Epoch, CredentialsFingerprint: s.credentials.Fingerprint(),
	})
	if s.want == nil || s.taken != "" || s.pod != nil && !changed(s) {
		return nil
	}
	for _, source := range target.Sources(s.session.Spec.Qemu) {
		p, err := r.lookFor(ctx, s.session.Namespace, source)
		if err != nil {
			return err
		}
		if p != nil {
			s.missing = append(s.missing, *p)
		}
	}
	return nil
}

// lookFor says what is wrong with a source, as far as the API server knows.
func (r *Reconciler) lookFor(ctx context.Context, namespace string, source target.Source) (*problem, error) {
	var (
		kind, name string
		object     client.Object
	)
	switch {
	case source.ConfigMap != "":
		kind, name, object = "ConfigMap", source.ConfigMap, &corev1.ConfigMap{}
	case source.PersistentVolumeClaim != "":
		kind, name, object = "PersistentVolumeClaim", source.PersistentVolumeClaim, &corev1.PersistentVolumeClaim{}
	default:
		return nil, nil // known when the pod starts
	}
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, object)
	switch {
	case apierrors.IsNotFound(err):
		return &problem{v1alpha1.ReasonNotFound, fmt.Sprintf("%s: there is no %s %q in namespace %s; create it or correct the name", source.Field, kind, name, namespace)}, nil
	case err != nil:
		return nil, fmt.Errorf("read %s %s of %s: %w", kind, name, source.Field, err)
	}
	if cm, ok := object.(*corev1.ConfigMap); ok && !source.Folder && !hasKey(cm, source.Path) {
		return &problem{v1alpha1.ReasonNotFound, fmt.Sprintf("%s: ConfigMap %q has no key %q; add it or correct path", source.Field, name, source.Path)}, nil
	}
	return nil, nil
}

func hasKey(cm *corev1.ConfigMap, key string) bool {
	_, text := cm.Data[key]
	_, binary := cm.BinaryData[key]
	return text || binary
}

// observeAgent has the hub watch the agent while its container runs, and takes the newest snapshot.
func (r *Reconciler) observeAgent(_ context.Context, s *scope) error {
	key := client.ObjectKeyFromObject(s.session)
	if s.credentials.Token == "" || !agentMayAnswer(s.pod) {
		r.hub.Forget(key)
		return nil
	}
	snapshot, err := r.hub.Watch(key, Endpoint{
		PodUID:      s.pod.UID,
		Address:     net.JoinHostPort(s.pod.Status.PodIP, strconv.Itoa(v1alpha1.AgentPort)),
		Credentials: s.credentials,
	})
	if err != nil {
		return fmt.Errorf("watch the agent of pod %s: %w", s.pod.Name, err)
	}
	s.agent = snapshot
	return nil
}

func agentMayAnswer(pod *corev1.Pod) bool {
	if pod == nil || pod.DeletionTimestamp != nil || pod.Status.PodIP == "" || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	c := containerStatus(pod)
	return c != nil && c.State.Running != nil
}

// observeFleet counts the sessions of the same pool, when this one asks for a new pod.
func (r *Reconciler) observeFleet(ctx context.Context, s *scope) error {
	pool := s.session.Labels[v1alpha1.LabelPool]
	if pool == "" || s.want == nil || diagnose(s).reason == "" {
		return nil
	}
	var list v1alpha1.TargetSessionList
	if err := r.client.List(ctx, &list, client.InNamespace(s.session.Namespace), client.MatchingLabels{v1alpha1.LabelPool: pool}); err != nil {
		return fmt.Errorf("list the TargetSessions of pool %s: %w", pool, err)
	}
	s.fleet = fleet{pool: pool, size: len(list.Items), maxPercent: defaultMaxUnhealthyPercent}
	for i := range list.Items {
		if other := &list.Items[i]; other.Name == s.session.Name || unhealthy(other) {
			s.fleet.unhealthy++
		}
	}
	var owner v1alpha1.TargetPool
	err := r.client.Get(ctx, types.NamespacedName{Namespace: s.session.Namespace, Name: pool}, &owner)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read TargetPool %s: %w", pool, err)
	}
	if owner.Spec.MaxUnhealthyPercent > 0 {
		s.fleet.maxPercent = int(owner.Spec.MaxUnhealthyPercent)
	}
	return nil
}

// defaultMaxUnhealthyPercent holds for sessions that carry a pool's label although there is no such pool.
const defaultMaxUnhealthyPercent = 50

// unhealthy says whether a session counts against its fleet: it needs a new pod, or got one and has not
// been ready since.
func unhealthy(ts *v1alpha1.TargetSession) bool {
	return ts.Status.FailedSince != nil || ts.Status.Restarts > 0 && ts.Status.HealthySince == nil
}

package target

import (
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

const (
	// user runs everything in the pod: "nobody", which owns nothing.
	user = 65534
	// graceSeconds is how long a deleted pod may take: the agent needs far less to end QEMU.
	graceSeconds = 5

	lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
)

// PodOptions is what a pod depends on besides its TargetSession.
type PodOptions struct {
	// RunnerImage is the container image with agent and QEMU of sessions that name none.
	RunnerImage string
	// Epoch of the pod; it is part of the name.
	Epoch int64
	// CredentialsFingerprint changes whenever the agent's credentials do. The agent reads them once, so
	// other credentials mean another pod.
	CredentialsFingerprint string
}

// PodName is the name of a session's pod of an epoch.
func PodName(session string, epoch int64) string {
	return session + "-" + strconv.FormatInt(epoch, 10)
}

// CredentialsSecret is the name of the Secret with the credentials of a session's agent.
func CredentialsSecret(session string) string { return session + "-agent" }

// Pod builds the pod of a session of class Qemu. It is pure: the same arguments give the same pod, and
// the annotation with the hash of its spec differs exactly when another pod is needed.
func Pod(session *v1alpha1.TargetSession, opts PodOptions) (*corev1.Pod, error) {
	q := session.Spec.Qemu
	if q == nil {
		return nil, fmt.Errorf("spec.qemu is missing: class %s needs it", session.Spec.Class)
	}
	image := q.RunnerImage
	if image == "" {
		image = opts.RunnerImage
	}
	if image == "" {
		return nil, fmt.Errorf("spec.qemu.runnerImage is empty and the manager has no --runner-image: set one of them")
	}
	src := locate(q)
	spec := corev1.PodSpec{
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		RestartPolicy:                 corev1.RestartPolicyAlways,
		TerminationGracePeriodSeconds: ptr.To[int64](graceSeconds),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   ptr.To(true),
			RunAsUser:      ptr.To[int64](user),
			RunAsGroup:     ptr.To[int64](user),
			FSGroup:        ptr.To[int64](user),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		NodeSelector:     q.NodeSelector,
		Tolerations:      q.Tolerations,
		ImagePullSecrets: q.ImagePullSecrets,
		InitContainers:   downloads(image, src),
		Containers:       []corev1.Container{targetContainer(session, image, src)},
		Volumes:          volumes(session, src),
	}
	hash, err := specHash(&spec, opts.CredentialsFingerprint)
	if err != nil {
		return nil, err
	}
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: podMeta(session, opts.Epoch, hash, len(spec.InitContainers) > 0),
		Spec:       spec,
	}, nil
}

func podMeta(session *v1alpha1.TargetSession, epoch int64, hash string, downloads bool) metav1.ObjectMeta {
	labels := map[string]string{}
	maps.Copy(labels, session.Labels)
	labels[v1alpha1.LabelSession] = session.Name
	labels[v1alpha1.LabelEpoch] = strconv.FormatInt(epoch, 10)
	if downloads {
		labels[v1alpha1.LabelDownloads] = "true"
	}
	annotations := map[string]string{}
	maps.Copy(annotations, session.Annotations)
	delete(annotations, lastApplied)
	annotations[v1alpha1.AnnotationSpecHash] = hash
	return metav1.ObjectMeta{
		Name:        PodName(session.Name, epoch),
		Namespace:   session.Namespace,
		Labels:      labels,
		Annotations: annotations,
		OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(session, v1alpha1.GroupVersion.WithKind("TargetSession")),
		},
	}
}

// restricted is the security context of every container.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		ReadOnlyRootFilesystem:   ptr.To(true),
		RunAsNonRoot:             ptr.To(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

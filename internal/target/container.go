package target

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
)

const (
	workPath        = "/work"
	credentialsPath = "/credentials"
	terminationLog  = "/dev/termination-log"

	// startupSlackSeconds comes on top of the boot time-out before the kubelet restarts an agent that
	// does not come up. Guests that do not boot are the agent's business, not the kubelet's.
	startupSlackSeconds = 60
	// overheadMebibytes is QEMU, the agent and the virtual network, besides the guest's memory.
	overheadMebibytes = 128
	// workSlackMebibytes is what the work folder may hold besides a snapshot of the guest's memory.
	workSlackMebibytes = 1024
)

// targetContainer is the one container that stays: the agent, which starts QEMU.
func targetContainer(session *v1alpha1.TargetSession, image string, src sources) corev1.Container {
	return corev1.Container{
		Name:    v1alpha1.TargetContainer,
		Image:   image,
		Command: []string{"/agent"},
		Args:    arguments(session, src),
		Env: []corev1.EnvVar{{
			Name:      "POD_IP",
			ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"}},
		}},
		Ports:                    containerPorts(session),
		Resources:                resources(session.Spec.Qemu),
		SecurityContext:          restricted(),
		VolumeMounts:             mounts(src),
		TerminationMessagePath:   terminationLog,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		StartupProbe:             probe("/startupz", 1, session.Spec.Health.BootTimeoutSeconds+startupSlackSeconds),
		ReadinessProbe:           probe("/readyz", 1, 1),
		LivenessProbe:            probe("/livez", 5, 3),
	}
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromInt32(v1alpha1.ProbePort), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds:    period,
		TimeoutSeconds:   2,
		SuccessThreshold: 1,
		FailureThreshold: failures,
	}
}

func containerPorts(session *v1alpha1.TargetSession) []corev1.ContainerPort {
	ports := []corev1.ContainerPort{
		{Name: "agent", ContainerPort: v1alpha1.AgentPort, Protocol: corev1.ProtocolTCP},
		{Name: "probes", ContainerPort: v1alpha1.ProbePort, Protocol: corev1.ProtocolTCP},
	}
	for i := range max(session.Spec.Qemu.SerialLines, 1) {
		ports = append(ports, corev1.ContainerPort{Name: fmt.Sprintf("console-%d", i), ContainerPort: v1alpha1.ConsolePort + i, Protocol: corev1.ProtocolTCP})
	}
	for _, port := range forwarded(session) {
		ports = append(ports, corev1.ContainerPort{Name: fmt.Sprintf("guest-%d", port), ContainerPort: port, Protocol: corev1.ProtocolTCP})
	}
	return ports
}

// memoryMebibytes is the memory of the machine, for the pod's memory request.
func memoryMebibytes(q *v1alpha1.QemuTarget) int64 {
	if o := q.Overrides; o != nil && o.MemoryMebibytes != nil {
		return int64(*o.MemoryMebibytes)
	}
	for _, p := range qemu.Presets() {
		if p.Name == string(q.Preset) {
			return int64(p.MemoryMiB)
		}
	}
	return 0
}

func resources(q *v1alpha1.QemuTarget) corev1.ResourceRequirements {
	if q.Resources != nil {
		return *q.Resources
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: mebibytes(memoryMebibytes(q) + overheadMebibytes),
	}}
}

func mebibytes(n int64) resource.Quantity {
	return *resource.NewQuantity(n<<20, resource.BinarySI)
}

package target

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// flags collects command line flags; those without a value are left out, so that the agent's own
// defaults hold.
type flags []string

func (f *flags) add(name, value string) {
	if value != "" {
		*f = append(*f, "--"+name+"="+literal(value))
	}
}

func (f *flags) number(name string, value int32) {
	if value != 0 {
		f.add(name, fmt.Sprint(value))
	}
}

func (f *flags) duration(name string, value int32, unit time.Duration) {
	if value != 0 {
		f.add(name, (time.Duration(value) * unit).String())
	}
}

// literal keeps the kubelet from expanding $(NAME) in what a user wrote.
func literal(s string) string { return strings.ReplaceAll(s, "$(", "$$(") }

// arguments is the agent's command line.
func arguments(session *v1alpha1.TargetSession, src sources) []string {
	var f flags
	q := session.Spec.Qemu
	f.add("preset", string(q.Preset))
	for _, name := range []string{"kernel", "initrd", "iso", "disk"} {
		f.add(name, src.path(name))
	}
	f.add("append", q.Boot.Append)
	machineArguments(&f, q)
	networkArguments(&f, session)
	healthArguments(&f, session)
	f.add("work-dir", workPath)
	binaries := src.path("binaries")
	if binaries == "" {
		binaries = defaultBinaries
	}
	f.add("binaries", binaries)
	// The agent listens on the address in POD_IP, at the ports of the API.
	f.add("tls-cert", credentialsPath+"/"+corev1.TLSCertKey)
	f.add("tls-key", credentialsPath+"/"+corev1.TLSPrivateKeyKey)
	f.add("token-file", credentialsPath+"/"+TokenKey)
	// Which users of the manager may have a console is said by RBAC.
	f.add("console-policy", consolePolicy)
	f.add("termination-log", terminationLog)
	return f
}

// TokenKey is the key of the bearer token in the credentials Secret, beside tls.crt and tls.key.
const TokenKey = "token"

// consolePolicy lets the manager use the serial line, and nobody else.
const consolePolicy = "manager=steal,clients=32"

func machineArguments(f *flags, q *v1alpha1.QemuTarget) {
	f.add("accelerator", string(q.Accelerator))
	f.number("serial-lines", q.SerialLines)
	o := q.Overrides
	if o == nil {
		return
	}
	f.add("machine", o.Machine)
	f.add("cpu", o.CPU)
	if o.CPUs != nil {
		f.number("cpus", *o.CPUs)
	}
	if o.MemoryMebibytes != nil {
		f.number("memory-mib", *o.MemoryMebibytes)
	}
	f.add("nic", o.NIC)
	f.add("nic-options", o.NICOptions)
}

func networkArguments(f *flags, session *v1alpha1.TargetSession) {
	n := session.Spec.Qemu.Network
	f.add("subnet", n.Subnet)
	f.add("gateway", n.Gateway)
	f.add("guest-address", n.GuestAddress)
	mac := n.MACAddress
	if mac == "" {
		mac = macAddress(string(session.UID))
	}
	f.add("mac", mac)
	for _, port := range forwarded(session) {
		f.number("forward", port)
	}
	f.number("taskloader-port", taskloaderPort(session))
}

func healthArguments(f *flags, session *v1alpha1.TargetSession) {
	h := session.Spec.Health
	f.duration("echo-interval", h.EchoIntervalMilliseconds, time.Millisecond)
	f.duration("echo-timeout", h.EchoTimeoutMilliseconds, time.Millisecond)
	f.duration("boot-timeout", h.BootTimeoutSeconds, time.Second)
	f.number("reboot-limit", h.RebootLimit)
	f.add("ready-log-pattern", h.ReadyLogPattern)
	*f = append(*f, "--steps="+strings.Join(stepsInPod(session.Spec.Restart.Steps), ","))
}

// stepsInPod are the rungs that the agent may climb, cheapest first; Replace is the manager's. The
// list may be empty: then the agent only watches.
func stepsInPod(allowed []v1alpha1.RecoveryStep) []string {
	var steps []string
	for _, step := range []v1alpha1.RecoveryStep{v1alpha1.StepRestore, v1alpha1.StepReset, v1alpha1.StepRelaunch} {
		if len(allowed) == 0 || slices.Contains(allowed, step) {
			steps = append(steps, string(step))
		}
	}
	return steps
}

func taskloaderPort(session *v1alpha1.TargetSession) int32 {
	if port := session.Spec.Taskloader.Port; port != 0 {
		return port
	}
	return v1alpha1.TaskloaderPort
}

// forwarded lists the forwarded ports in order; the taskloader's is always among them.
func forwarded(session *v1alpha1.TargetSession) []int32 {
	ports := append([]int32{taskloaderPort(session)}, session.Spec.Qemu.Network.Ports...)
	slices.Sort(ports)
	return slices.Compact(ports)
}

// macAddress derives a stable address in QEMU's range from the session's UID.
func macAddress(uid string) string {
	sum := sha256.Sum256([]byte(uid))
	return fmt.Sprintf("52:54:00:%02x:%02x:%02x", sum[0], sum[1], sum[2])
}

// specHash is the hash of a pod's spec and of the credentials that it reads.
func specHash(spec *corev1.PodSpec, credentials string) (string, error) {
	raw, err := json.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("hash the pod's spec: %w", err)
	}
	sum := sha256.New()
	sum.Write(raw)
	sum.Write([]byte(credentials))
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SessionClass is the kind of target a session is held with.
// +kubebuilder:validation:Enum=Qemu;Ping;Genode;SimSo;Stdio
type SessionClass string

// Session classes.
const (
	// ClassQemu is a QEMU virtual machine in a pod of the operator.
	ClassQemu SessionClass = "Qemu"
	// ClassPing is a target at an address that answers ICMP echo requests: a board, or somebody else's
	// virtual machine.
	ClassPing SessionClass = "Ping"
	// ClassGenode is a target at an address whose taskloader accepts connections; it is never pinged.
	ClassGenode SessionClass = "Genode"
	// ClassSimSo is a target that is simulated in the manager: the events of a variant are computed.
	ClassSimSo SessionClass = "SimSo"
	// ClassStdio is no target at all: what would be sent is printed to the manager's log (dry run).
	ClassStdio SessionClass = "Stdio"
)

// MachinePreset names a set of QEMU flags that belong together.
// +kubebuilder:validation:Enum=pc;virt-arm64;virt-arm;pbxa9;virt-riscv64;linux-x86
type MachinePreset string

// Machine presets; the flags of each stand in docs/targetsession.md.
const (
	PresetPC          MachinePreset = "pc"
	PresetVirtARM64   MachinePreset = "virt-arm64"
	PresetVirtARM     MachinePreset = "virt-arm"
	PresetPBXA9       MachinePreset = "pbxa9"
	PresetVirtRISCV64 MachinePreset = "virt-riscv64"
	PresetLinuxX86    MachinePreset = "linux-x86"
)

// Accelerator says how QEMU executes the guest's code.
// +kubebuilder:validation:Enum=Auto;TCG;KVM
type Accelerator string

// Accelerators.
const (
	AcceleratorAuto Accelerator = "Auto"
	AcceleratorTCG  Accelerator = "TCG"
	AcceleratorKVM  Accelerator = "KVM"
)

// RecoveryStep is a rung of the recovery ladder.
// +kubebuilder:validation:Enum=Restore;Reset;Relaunch;Replace
type RecoveryStep string

// The rungs, cheapest first.
const (
	// StepRestore loads the snapshot that was taken when the guest was first ready.
	StepRestore RecoveryStep = "Restore"
	// StepReset resets the virtual machine (QMP system_reset).
	StepReset RecoveryStep = "Reset"
	// StepRelaunch ends QEMU and starts it again in the same pod.
	StepRelaunch RecoveryStep = "Relaunch"
	// StepReplace makes a new pod.
	StepReplace RecoveryStep = "Replace"
)

// Generation is a generation of the taskloader's wire protocol.
// +kubebuilder:validation:Enum=Auto;"2017";"1608a";"1608b";"1802"
type Generation string

// Generations of the taskloader.
const (
	GenerationAuto  Generation = "Auto"
	Generation2017  Generation = "2017"
	Generation1608a Generation = "1608a"
	Generation1608b Generation = "1608b"
	Generation1802  Generation = "1802"
)

// TargetSessionSpec describes one target and how it is kept alive.
//
// +kubebuilder:validation:XValidation:rule="self.class in ['Ping', 'Genode'] || !has(self.address)",message="only classes Ping and Genode have an address; remove spec.address, or set spec.class"
// +kubebuilder:validation:XValidation:rule="self.class == 'Qemu' || !has(self.qemu)",message="only class Qemu has spec.qemu; remove it, or set class Qemu"
// +kubebuilder:validation:XValidation:rule="self.class == 'SimSo' || !has(self.simso)",message="only class SimSo has spec.simso; remove it, or set class SimSo"
// +kubebuilder:validation:XValidation:rule="self.class != 'Qemu' || has(self.qemu)",message="class Qemu needs spec.qemu: name at least a boot source, for example {preset: pc, boot: {iso: {path: /images/genode.iso}}}"
type TargetSessionSpec struct {
	// class says what kind of target this is: Qemu, a virtual machine in a pod of the operator; Ping, a
	// target at an address that answers pings; Genode, one that is never pinged; SimSo, a target that is
	// simulated in the manager; Stdio, a dry run without any target. Defaults to Qemu.
	// +kubebuilder:default=Qemu
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="class is immutable; delete the TargetSession and create another one"
	// +optional
	Class SessionClass `json:"class,omitempty"`
	// qemu describes the virtual machine of a target of class Qemu.
	// +optional
	Qemu *QemuTarget `json:"qemu,omitempty"`
	// simso describes a target of class SimSo. Without it the defaults hold.
	// +optional
	SimSo *SimSoTarget `json:"simso,omitempty"`
	// address is the IP address of a target of class Ping or Genode.
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="address must be an IPv4 or IPv6 address, for example 172.25.1.7"
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=45
	// +optional
	Address string `json:"address,omitempty"`
	// health sets how fast a frozen guest is noticed. Class Ping uses the echo's interval and time-out; class
	// Genode uses none of it.
	// +kubebuilder:default={}
	// +optional
	Health HealthSpec `json:"health,omitempty,omitzero"`
	// restart sets what is done about a guest of class Qemu that does not answer.
	// +kubebuilder:default={}
	// +optional
	Restart RestartSpec `json:"restart,omitempty,omitzero"`
	// taskloader sets how the target's taskloader is talked to.
	// +kubebuilder:default={}
	// +optional
	Taskloader TaskloaderSpec `json:"taskloader,omitempty,omitzero"`
}

// QemuTarget describes a QEMU virtual machine.
type QemuTarget struct {
	// preset names the board: QEMU binary, machine, CPU, memory, network card and the flags that
	// the board's images rely on.
	// +required
	Preset MachinePreset `json:"preset,omitempty"`
	// boot says what the machine boots.
	// +required
	Boot BootSource `json:"boot,omitempty,omitzero"`
	// overrides replaces single parts of the preset. On ARM and RISC-V, memory and CPU count belong to
	// the image: change them only when the image was built for other ones.
	// +optional
	Overrides *MachineOverrides `json:"overrides,omitempty"`
	// accelerator is Auto, TCG or KVM. Auto tries KVM where /dev/kvm is present, believes in it only
	// after a guest has run under it, and falls back to TCG. Defaults to Auto.
	// +kubebuilder:default=Auto
	// +optional
	Accelerator Accelerator `json:"accelerator,omitempty"`
	// serialLines is the number of the guest's serial lines, each with a console of its own. The serial
	// log is that of the first one. Boards that have fewer leave the rest silent. Defaults to 1.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4
	// +optional
	SerialLines int32 `json:"serialLines,omitempty"`
	// network describes the virtual network between pod and guest.
	// +kubebuilder:default={}
	// +optional
	Network NetworkSpec `json:"network,omitempty,omitzero"`
	// binaries is a folder of task binaries that comes with the target: its path is a folder in the
	// source. Defaults to /binaries of the runner image.
	// +kubebuilder:validation:XValidation:rule="!has(self.url)",message="binaries is a folder; name single downloads in the TaskSet's spec.binaries"
	// +optional
	Binaries *FileSource `json:"binaries,omitempty"`
	// runnerImage is the container image with the agent and QEMU; defaults to the manager's --runner-image.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	RunnerImage string `json:"runnerImage,omitempty"`
	// resources of the target's container. Without them the pod asks for 100m CPU and the machine's
	// memory plus 128Mi.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// nodeSelector limits the nodes that the pod may run on.
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations of the pod.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// imagePullSecrets of the pod, for the runner image and image volumes.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
}

// BootSource is a kernel (with initrd and append), an ISO image or a disk image.
//
// +kubebuilder:validation:XValidation:rule="[has(self.kernel), has(self.iso), has(self.disk)].filter(x, x).size() == 1",message="give exactly one of kernel, iso and disk"
// +kubebuilder:validation:XValidation:rule="!has(self.initrd) && !has(self.append) || has(self.kernel)",message="initrd and append need kernel"
type BootSource struct {
	// kernel is the image that QEMU loads itself (-kernel): a Genode image.elf on ARM and RISC-V, a
	// Linux kernel, or a multiboot loader such as bender on a PC.
	// +optional
	Kernel *FileSource `json:"kernel,omitempty"`
	// initrd goes with kernel (-initrd).
	// +optional
	Initrd *FileSource `json:"initrd,omitempty"`
	// append is the kernel's command line (-append).
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Append string `json:"append,omitempty"`
	// iso is a CD image (-cdrom).
	// +optional
	ISO *FileSource `json:"iso,omitempty"`
	// disk is a raw or qcow2 disk image; what the guest writes is thrown away when QEMU ends.
	// +optional
	Disk *FileSource `json:"disk,omitempty"`
}

// MachineOverrides replaces single parts of a machine preset.
type MachineOverrides struct {
	// machine replaces the argument of -machine, for example "q35".
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9_.,=-]*$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Machine string `json:"machine,omitempty"`
	// cpu replaces the argument of -cpu, for example "max".
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9_.,=+-]*$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	CPU string `json:"cpu,omitempty"`
	// cpus replaces the number of CPUs (-smp).
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	// +optional
	CPUs *int32 `json:"cpus,omitempty"`
	// memoryMebibytes replaces the guest's memory (-m), in MiB.
	// +kubebuilder:validation:Minimum=16
	// +kubebuilder:validation:Maximum=1048576
	// +optional
	MemoryMebibytes *int32 `json:"memoryMebibytes,omitempty"`
	// nic replaces the network card model, for example "e1000" or "virtio-net-pci".
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9_.-]*$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	NIC string `json:"nic,omitempty"`
	// nicOptions is added to the network card, for example "vectors=0".
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9_.,=-]*$`
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	NICOptions string `json:"nicOptions,omitempty"`
}

// NetworkSpec describes the virtual network that the agent gives to the guest.
//
// +kubebuilder:validation:XValidation:rule="!has(self.gateway) || cidr(has(self.subnet) ? self.subnet : '10.0.2.0/24').containsIP(self.gateway)",message="gateway must lie in subnet (default 10.0.2.0/24)"
// +kubebuilder:validation:XValidation:rule="!has(self.guestAddress) || cidr(has(self.subnet) ? self.subnet : '10.0.2.0/24').containsIP(self.guestAddress)",message="guestAddress must lie in subnet (default 10.0.2.0/24)"
type NetworkSpec struct {
	// subnet of the virtual network in CIDR notation, IPv4. Defaults to 10.0.2.0/24.
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self).prefixLength() >= 8 && cidr(self).prefixLength() <= 29",message="subnet must be an IPv4 network with a prefix of 8 to 29 bits, for example 192.168.217.0/24"
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=18
	// +optional
	Subnet string `json:"subnet,omitempty"`
	// gateway is the agent's own address in the subnet. Defaults to its second address (10.0.2.2).
	// +kubebuilder:validation:XValidation:rule="isIP(self) && ip(self).family() == 4",message="gateway must be an IPv4 address"
	// +kubebuilder:validation:MinLength=7
	// +kubebuilder:validation:MaxLength=15
	// +optional
	Gateway string `json:"gateway,omitempty"`
	// guestAddress is the guest's address: the one that DHCP hands out, and the one that an image with
	// a static address must use. Defaults to the subnet's 15th address (10.0.2.15).
	// +kubebuilder:validation:XValidation:rule="isIP(self) && ip(self).family() == 4",message="guestAddress must be an IPv4 address"
	// +kubebuilder:validation:MinLength=7
	// +kubebuilder:validation:MaxLength=15
	// +optional
	GuestAddress string `json:"guestAddress,omitempty"`
	// macAddress of the guest's network card. Defaults to one derived from the TargetSession's UID.
	// +kubebuilder:validation:Pattern=`^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$`
	// +kubebuilder:validation:MinLength=17
	// +kubebuilder:validation:MaxLength=17
	// +optional
	MACAddress string `json:"macAddress,omitempty"`
	// ports are the TCP ports of the pod that are forwarded to the same port of the guest.
	// Defaults to the taskloader's port.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	// +kubebuilder:validation:XValidation:rule="!self.exists(p, p == 7080 || p >= 7443 && p <= 7447)",message="7080 and 7443 to 7447 are the agent's own ports"
	// +listType=set
	// +optional
	Ports []int32 `json:"ports,omitempty"`
}

// HealthSpec sets how a guest is watched.
//
// +kubebuilder:validation:XValidation:rule="!has(self.echoTimeoutMilliseconds) || !has(self.echoIntervalMilliseconds) || self.echoTimeoutMilliseconds >= 2 * self.echoIntervalMilliseconds",message="echoTimeoutMilliseconds must be at least twice echoIntervalMilliseconds, or one late echo counts as a freeze"
type HealthSpec struct {
	// echoIntervalMilliseconds is the time between two ICMP echo requests to the guest. Defaults to 200.
	// +kubebuilder:default=200
	// +kubebuilder:validation:Minimum=20
	// +kubebuilder:validation:Maximum=60000
	// +optional
	EchoIntervalMilliseconds int32 `json:"echoIntervalMilliseconds,omitempty"`
	// echoTimeoutMilliseconds is how long a guest may stay silent before it counts as frozen. Time in
	// which the machine gave QEMU no CPU is not counted, nor is time spent booting. Defaults to 900.
	// +kubebuilder:default=900
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=600000
	// +optional
	EchoTimeoutMilliseconds int32 `json:"echoTimeoutMilliseconds,omitempty"`
	// bootTimeoutSeconds is the time a guest may take from start or reset to its first echo. Defaults to 60.
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +optional
	BootTimeoutSeconds int32 `json:"bootTimeoutSeconds,omitempty"`
	// rebootLimit is the number of resets that a guest may do by itself within bootTimeoutSeconds before
	// it counts as caught in a reboot loop. Defaults to 3.
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	RebootLimit int32 `json:"rebootLimit,omitempty"`
	// readyLogPattern is a regular expression (RE2): the guest counts as booted only when a line of its
	// serial log has matched it, besides answering an echo.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	ReadyLogPattern string `json:"readyLogPattern,omitempty"`
}

// RestartSpec sets what is done about a guest that does not answer.
type RestartSpec struct {
	// steps are the rungs of the recovery ladder that may be used; they are tried in the order Restore,
	// Reset, Relaunch, Replace. Defaults to all four.
	// +kubebuilder:default={Restore,Reset,Relaunch,Replace}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +listType=set
	// +optional
	Steps []RecoveryStep `json:"steps,omitempty"`
	// limit is the number of new pods that may be made because the old one failed, within
	// forgiveAfterSeconds of each other; then the target is given up. Defaults to 20.
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Limit *int32 `json:"limit,omitempty"`
	// backoffBaseMilliseconds is the pause before the first new pod; each further one doubles it. Defaults to 500.
	// +kubebuilder:default=500
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=600000
	// +optional
	BackoffBaseMilliseconds int32 `json:"backoffBaseMilliseconds,omitempty"`
	// backoffMaxSeconds is the longest pause. Defaults to 300.
	// +kubebuilder:default=300
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	BackoffMaxSeconds int32 `json:"backoffMaxSeconds,omitempty"`
	// forgiveAfterSeconds is the healthy time after which earlier restarts are forgotten. Defaults to 600.
	// +kubebuilder:default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	// +optional
	ForgiveAfterSeconds int32 `json:"forgiveAfterSeconds,omitempty"`
}

// TaskloaderSpec sets how the target's taskloader is talked to.
type TaskloaderSpec struct {
	// port of the taskloader in the guest; it is always forwarded. Defaults to 3001.
	// +kubebuilder:default=3001
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:validation:XValidation:rule="self != 7080 && (self < 7443 || self > 7447)",message="7080 and 7443 to 7447 are the agent's own ports"
	// +optional
	Port int32 `json:"port,omitempty"`
	// generation of the wire protocol. Auto asks the server. Defaults to Auto.
	// +kubebuilder:default=Auto
	// +optional
	Generation Generation `json:"generation,omitempty"`
}

// TargetSessionStatus is what is known of the target.
type TargetSessionStatus struct {
	// conditions of the target: Ready and GuestAlive; for class Qemu also SourcesReady, PodRunning,
	// SnapshotUsable, RestartAllowed and RestartsExhausted.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status is about.
	// +kubebuilder:validation:Minimum=0
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// epoch counts the pods that were made for this target; it is stored before the pod is made.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
	// podName is the pod of this epoch.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	PodName string `json:"podName,omitempty"`
	// podUID is the UID of the pod of this epoch, once it was made: a pod that is missing although its
	// UID is known has been deleted.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	PodUID string `json:"podUID,omitempty"`
	// nodeName is the node that the pod runs on.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	NodeName string `json:"nodeName,omitempty"`
	// address is the IP address where the target's ports are reached: the pod's, or spec.address.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	// +optional
	Address string `json:"address,omitempty"`
	// verdict is the newest verdict about the target, for example Alive, SilentToPing or Unreachable.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Verdict string `json:"verdict,omitempty"`
	// accelerator that the guest runs under, TCG or KVM.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Accelerator string `json:"accelerator,omitempty"`
	// boots counts the times the guest started anew since the TargetSession was created, whatever the cause.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Boots int64 `json:"boots,omitempty"`
	// recoveries counts the recoveries by step since the TargetSession was created.
	// +optional
	Recoveries *RecoveryCounts `json:"recoveries,omitempty"`
	// lastRecovery describes the newest recovery.
	// +optional
	LastRecovery *Recovery `json:"lastRecovery,omitempty"`
	// lastDiagnosis is what the guest looked like before the newest recovery, shortened; the agent keeps
	// the whole of it.
	// +optional
	LastDiagnosis *Diagnosis `json:"lastDiagnosis,omitempty"`
	// counted is how much of the agent's own counters boots and recoveries contain already.
	// +optional
	Counted *AgentCounters `json:"counted,omitempty"`
	// failedSince is when the pod of this epoch was found to need a replacement; the pause before the
	// new pod counts from here. Absent while it needs none.
	// +optional
	FailedSince *metav1.MicroTime `json:"failedSince,omitempty"`
	// restarts counts the pods made because the one before failed, since the last healthy period of
	// forgiveAfterSeconds.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Restarts int32 `json:"restarts,omitempty"`
	// lastRestartTime is when the newest of them was decided.
	// +optional
	LastRestartTime *metav1.Time `json:"lastRestartTime,omitempty"`
	// healthySince is when the target last became Ready; absent while it is not.
	// +optional
	HealthySince *metav1.Time `json:"healthySince,omitempty"`
}

// RecoveryCounts counts recoveries by step.
type RecoveryCounts struct {
	// restore counts restored snapshots.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Restore int64 `json:"restore,omitempty"`
	// reset counts resets of the virtual machine.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Reset int64 `json:"reset,omitempty"`
	// relaunch counts new QEMU processes in the same pod.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Relaunch int64 `json:"relaunch,omitempty"`
	// replace counts new pods.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Replace int64 `json:"replace,omitempty"`
}

// AgentCounters are the counters of one agent, which start at zero with each of its processes.
type AgentCounters struct {
	// epoch of the agent's pod.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
	// incarnation counts the breaks in the guest's memory; when it falls the agent was started anew.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Incarnation int64 `json:"incarnation,omitempty"`
	// boots of the guest.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Boots int64 `json:"boots,omitempty"`
	// restore counts restored snapshots.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Restore int64 `json:"restore,omitempty"`
	// reset counts resets of the virtual machine.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Reset int64 `json:"reset,omitempty"`
	// relaunch counts new QEMU processes.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Relaunch int64 `json:"relaunch,omitempty"`
}

// Recovery describes one recovery of a guest.
type Recovery struct {
	// step that brought the guest back, or that was tried last.
	// +required
	Step RecoveryStep `json:"step,omitempty"`
	// reason is the verdict that led to it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
	// time of the verdict.
	// +required
	Time metav1.MicroTime `json:"time,omitempty,omitzero"`
	// silentMilliseconds is the time from the last sign of life to the verdict.
	// +kubebuilder:validation:Minimum=0
	// +optional
	SilentMilliseconds *int64 `json:"silentMilliseconds,omitempty"`
	// outageMilliseconds is the time from the verdict to the next answered echo; absent until then.
	// +kubebuilder:validation:Minimum=0
	// +optional
	OutageMilliseconds *int64 `json:"outageMilliseconds,omitempty"`
}

// Diagnosis is what a guest looked like before a recovery.
type Diagnosis struct {
	// time at which it was taken.
	// +required
	Time metav1.MicroTime `json:"time,omitempty,omitzero"`
	// verdict that led to it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Verdict string `json:"verdict,omitempty"`
	// runState is QEMU's run state, for example running, paused or guest-panicked.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	RunState string `json:"runState,omitempty"`
	// programCounter of the first CPU, as QEMU's register dump shows it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	ProgramCounter string `json:"programCounter,omitempty"`
	// console holds the last lines of the serial log, oldest first, shortened to 160 characters each.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=0
	// +kubebuilder:validation:items:MaxLength=160
	// +listType=atomic
	// +optional
	Console []string `json:"console,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=tgt,categories={genode}
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="why the target is or is not ready"
// +kubebuilder:printcolumn:name="Verdict",type=string,JSONPath=`.status.verdict`,description="newest verdict of the health chain"
// +kubebuilder:printcolumn:name="Last-Recovery",type=string,JSONPath=`.status.lastRecovery.step`
// +kubebuilder:printcolumn:name="Restarts",type=integer,JSONPath=`.status.restarts`,description="pods replaced since the last healthy period"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.class`,priority=1
// +kubebuilder:printcolumn:name="Preset",type=string,JSONPath=`.spec.qemu.preset`,priority=1
// +kubebuilder:printcolumn:name="Accel",type=string,JSONPath=`.status.accelerator`,priority=1
// +kubebuilder:printcolumn:name="Address",type=string,JSONPath=`.status.address`,priority=1
// +kubebuilder:printcolumn:name="Node",type=string,JSONPath=`.status.nodeName`,priority=1

// TargetSession is one target, for example a Genode virtual machine in a pod, and the session held with it.
//
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 52 || self.spec.class != 'Qemu'",message="the name may have at most 52 characters: pods are named after it"
type TargetSession struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is what is wanted.
	// +kubebuilder:validation:XValidation:rule="!(self.class in ['Ping', 'Genode']) || has(self.address)",message="classes Ping and Genode need spec.address: the IP address of the target, for example 172.25.1.7"
	// +required
	Spec TargetSessionSpec `json:"spec,omitempty,omitzero"`
	// status is what is known.
	// +optional
	Status TargetSessionStatus `json:"status,omitempty,omitzero"`
}

// +kubebuilder:object:root=true

// TargetSessionList is a list of TargetSessions.
type TargetSessionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TargetSession `json:"items"`
}

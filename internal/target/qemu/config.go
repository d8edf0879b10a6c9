package qemu

import (
	"io"
	"net"
	"path/filepath"
)

// Boot says what the machine boots: a kernel (with initrd and command line), an ISO or a disk image,
// exactly one of them. Files are absolute local paths.
type Boot struct {
	Kernel, Initrd, Append, ISO, Disk string

	// DiskFormat is raw or qcow2; "" makes Start look into the file. It is always told to QEMU, which
	// would otherwise believe what a guest wrote to the start of a raw disk.
	DiskFormat string
}

// Overrides replace single parts of a preset; zero values leave it as it is. NICOptions are added.
type Overrides struct {
	Machine, CPU, NIC, NICOptions string
	CPUs, MemoryMiB               int
}

// Config describes a virtual machine.
type Config struct {
	Preset    string
	Overrides Overrides
	Boot      Boot

	// KVM runs the guest under KVM instead of TCG; see ProbeKVM. The CPU is then the host's own one
	// unless it is overridden.
	KVM bool

	// NetSocket is the unix socket that takes the guest's Ethernet frames (-netdev stream). Somebody
	// has to listen there before Start.
	NetSocket string
	// MAC of the guest's network card. QEMU's default is the same for all guests, so it must be set.
	MAC net.HardwareAddr

	// Dir is a private working folder, made when missing: QMP socket, snapshot file, what the guest
	// writes to its disk. Two VMs must not share it at the same time.
	Dir string
	// Snapshots adds the small drive that SaveSnapshot needs.
	Snapshots bool

	// MoreSerial get the output of the guest's second serial port and of those behind it, as Start's
	// serial gets that of the first. A board that has fewer of them leaves the rest silent.
	MoreSerial []io.Writer

	// Binary of QEMU; "" means the preset's. It is looked up in PATH unless it holds a slash.
	Binary string

	extra []string // further arguments, for tests
}

func (c Config) qmpSocket() string    { return filepath.Join(c.Dir, "qmp.sock") }
func (c Config) snapshotFile() string { return filepath.Join(c.Dir, "snapshot.qcow2") }

package qemu

import (
	"fmt"
	"slices"
	"strings"
)

// Preset is a board: the QEMU flags that its images rely on.
type Preset struct {
	Name        string
	Description string
	Binary      string // of QEMU, looked up in PATH
	Arch        string // of the guest, as GOARCH names it
	Machine     string // -machine
	CPU         string // -cpu; "" leaves it to the machine
	CPUs        int    // -smp; 0 leaves it to QEMU, which means one
	MemoryMiB   int    // -m
	NIC         string // model of the network card
	NICOptions  string // of that card
	Extra       []string
	TBSizeMiB   int  // TCG's buffer of translated code
	KVM         bool // the board can run under KVM on a host of the same architecture

	boardNIC bool   // the card is soldered to the board: -net nic instead of -device
	disk     string // -drive if= of a disk; "" when the board boots kernels only
	pci      bool   // network cards have an option ROM, which nobody needs here
}

// Facts behind the numbers. TCG's default buffer is 1 GiB of address space that fills up over the weeks
// a guest runs; a Genode image translates to some 20 MiB, so 64 MiB is never flushed and still bounds
// the memory of a pod. x86 guests reset themselves for ever with QEMU's default CPU or machine. On ARM
// and RISC-V the number of CPUs and the memory are compiled into the image.
var presets = []Preset{
	{
		Name: "pc", Description: "64-bit PC as Genode's board pc runs on it",
		Binary: "qemu-system-x86_64", Arch: "amd64",
		Machine: "q35", CPU: "Skylake-Client", MemoryMiB: 800,
		NIC: "e1000", pci: true, disk: "ide", KVM: true, TBSizeMiB: 64,
		Extra: []string{"-vga", "std"}, // the firmware's and Genode's drivers look for one
	},
	{
		Name: "virt-arm64", Description: "64-bit ARM, Genode's board virt_qemu_arm_v8a",
		Binary: "qemu-system-aarch64", Arch: "arm64",
		Machine: "virt,virtualization=true,gic-version=3", CPU: "cortex-a53", CPUs: 4, MemoryMiB: 2048,
		NIC: "virtio-net-device", NICOptions: "bus=virtio-mmio-bus.0", TBSizeMiB: 64,
		Extra: []string{"-global", "virtio-mmio.force-legacy=false"},
	},
	{
		Name: "virt-arm", Description: "32-bit ARM, Genode's board virt_qemu_arm_v7a",
		Binary: "qemu-system-arm", Arch: "arm",
		Machine: "virt,virtualization=true", CPU: "cortex-a15", CPUs: 2, MemoryMiB: 2048,
		NIC: "virtio-net-device", NICOptions: "bus=virtio-mmio-bus.0", TBSizeMiB: 64,
		Extra: []string{"-global", "virtio-mmio.force-legacy=false"},
	},
	{
		Name: "pbxa9", Description: "ARM RealView PBX-A9, Genode's board pbxa9",
		Binary: "qemu-system-arm", Arch: "arm",
		Machine: "realview-pbx-a9", MemoryMiB: 768,
		NIC: "lan9118", boardNIC: true, TBSizeMiB: 64,
	},
	{
		Name: "virt-riscv64", Description: "64-bit RISC-V, Genode's board virt_qemu_riscv",
		Binary: "qemu-system-riscv64", Arch: "riscv64",
		Machine: "virt", CPU: "rv64,priv_spec=v1.12.0", MemoryMiB: 512,
		NIC: "virtio-net-device", NICOptions: "bus=virtio-mmio-bus.0", TBSizeMiB: 64,
		Extra: []string{"-bios", "default", "-global", "virtio-mmio.force-legacy=false"},
	},
	{
		Name: "linux-x86", Description: "64-bit PC for Linux guests, such as the reference guest",
		Binary: "qemu-system-x86_64", Arch: "amd64",
		Machine: "q35", CPU: "max", MemoryMiB: 128,
		NIC: "virtio-net-pci", pci: true, disk: "virtio", KVM: true, TBSizeMiB: 32,
		Extra: []string{"-vga", "none"},
	},
}

// Presets returns the machine presets, for documentation and command-line help.
func Presets() []Preset {
	out := slices.Clone(presets)
	for i := range out {
		out[i].Extra = slices.Clone(out[i].Extra)
	}
	return out
}

// Flags are the flags that make the preset's board, as QEMU gets them.
func (p Preset) Flags() []string {
	flags := []string{"-machine", p.Machine}
	if p.CPU != "" {
		flags = append(flags, "-cpu", p.CPU)
	}
	if p.CPUs != 0 {
		flags = append(flags, "-smp", fmt.Sprint(p.CPUs))
	}
	return append(append(flags, "-m", fmt.Sprint(p.MemoryMiB)), p.Extra...)
}

// findPreset returns the preset of that name.
func findPreset(name string) (Preset, error) {
	known := make([]string, 0, len(presets))
	for _, p := range presets {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name)
	}
	return Preset{}, fmt.Errorf("preset: %q is unknown; use one of %s", name, strings.Join(known, ", "))
}

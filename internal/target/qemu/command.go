package qemu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// snapshotNode is the block node that snapshots go to.
const snapshotNode = "snapshot"

// Command returns the program and the arguments for cfg. It looks at nothing but cfg; every field that
// is wrong has its line in the error.
func Command(cfg Config) (path string, args []string, err error) {
	p, err := findPreset(cfg.Preset)
	if err != nil {
		return "", nil, err
	}
	if err := errors.Join(cfg.validate(), p.supports(cfg)); err != nil {
		return "", nil, fmt.Errorf("QEMU command line: %w", err)
	}
	path = cfg.Binary
	if path == "" {
		path = p.Binary
	}
	p = p.override(cfg)
	args = []string{"-no-user-config", "-nodefaults"}
	args = append(args, p.Flags()...)
	args = append(args, accelerator(p, cfg)...)
	args = append(args, "-display", "none", "-monitor", "none")
	args = append(args, consoleAndMonitor(cfg)...)
	args = append(args, network(p, cfg)...)
	args = append(args, boot(p, cfg.Boot)...)
	if cfg.Snapshots {
		args = append(args, snapshotDrive(cfg)...)
	}
	return path, append(args, cfg.extra...), nil
}

// supports checks what depends on the preset.
func (p Preset) supports(cfg Config) error {
	var errs []error
	if p.boardNIC && (cfg.Overrides.NIC != "" || cfg.Overrides.NICOptions != "") {
		errs = append(errs, fmt.Errorf("overrides.nic: preset %s has its network card (%s) on the board; leave nic and nicOptions out", p.Name, p.NIC))
	}
	if p.disk == "" && cfg.Boot.Kernel == "" {
		errs = append(errs, fmt.Errorf("boot: preset %s boots kernels only; give boot.kernel", p.Name))
	}
	if cfg.KVM && !p.KVM {
		errs = append(errs, fmt.Errorf("kvm: preset %s runs under TCG only, because KVM cannot give its board what the images need; use TCG", p.Name))
	}
	return errors.Join(errs...)
}

// override replaces parts of the preset.
func (p Preset) override(cfg Config) Preset {
	o := cfg.Overrides
	if cfg.KVM {
		p.CPU = "host"
	}
	if o.Machine != "" {
		p.Machine = o.Machine
	}
	if o.CPU != "" {
		p.CPU = o.CPU
	}
	if o.CPUs != 0 {
		p.CPUs = o.CPUs
	}
	if o.MemoryMiB != 0 {
		p.MemoryMiB = o.MemoryMiB
	}
	if o.NIC != "" && o.NIC != p.NIC {
		p.NIC, p.NICOptions = o.NIC, "" // another card sits on another bus
	}
	p.NICOptions = mergeOptions(p.NICOptions, o.NICOptions)
	return p
}

// mergeOptions adds the options of more to those of base; what both have is taken from more.
func mergeOptions(base, more string) string {
	if base == "" || more == "" {
		return base + more
	}
	added := strings.Split(more, ",")
	kept := slices.DeleteFunc(strings.Split(base, ","), func(option string) bool {
		key, _, _ := strings.Cut(option, "=")
		return slices.ContainsFunc(added, func(a string) bool { return a == key || strings.HasPrefix(a, key+"=") })
	})
	return strings.Join(append(kept, added...), ",")
}

func accelerator(p Preset, cfg Config) []string {
	if cfg.KVM {
		return []string{"-accel", "kvm"}
	}
	return []string{"-accel", fmt.Sprintf("tcg,tb-size=%d", p.TBSizeMiB)}
}

// consoleAndMonitor puts the first serial port on standard input and output, and QMP on its socket. signal=off
// leaves SIGINT to whoever started us.
// Further serial ports are sockets that are open already when QEMU starts.
func consoleAndMonitor(cfg Config) []string {
	args := []string{"-chardev", "stdio,id=serial0,signal=off", "-serial", "chardev:serial0"}
	for i := range cfg.MoreSerial {
		name := fmt.Sprintf("serial%d", i+1)
		args = append(args, "-chardev", fmt.Sprintf("socket,id=%s,fd=%d", name, firstFile+i), "-serial", "chardev:"+name)
	}
	return append(args,
		"-chardev", "socket,id=qmp0,server=on,wait=off,path="+escape(cfg.qmpSocket()),
		"-mon", "chardev=qmp0,mode=control",
	)
}

func network(p Preset, cfg Config) []string {
	args := []string{"-netdev", "stream,id=n0,server=off,addr.type=unix,addr.path=" + escape(cfg.NetSocket)}
	if p.boardNIC {
		return append(args, "-net", fmt.Sprintf("nic,model=%s,netdev=n0,macaddr=%s", p.NIC, cfg.MAC))
	}
	card := fmt.Sprintf("%s,netdev=n0,mac=%s", p.NIC, cfg.MAC)
	if p.pci && !strings.HasPrefix(p.NIC, "ne2k_isa") && !strings.HasPrefix(p.NIC, "usb-") {
		card += ",romfile=" // nothing is booted over the network, and the ROM costs boot time
	}
	if p.NICOptions != "" {
		card += "," + p.NICOptions
	}
	return append(args, "-device", card)
}

// boot names the files. The guest's writes to a disk go to a temporary file that dies with QEMU.
func boot(p Preset, b Boot) []string {
	switch {
	case b.ISO != "":
		return []string{"-drive", "if=ide,index=2,media=cdrom,format=raw,readonly=on,file=" + escape(b.ISO)}
	case b.Disk != "":
		format := b.DiskFormat
		if format == "" {
			format = "raw"
		}
		return []string{"-drive", fmt.Sprintf("id=disk0,if=%s,format=%s,snapshot=on,file=%s", p.disk, format, escape(b.Disk))}
	}
	args := []string{"-kernel", b.Kernel}
	if b.Initrd != "" {
		args = append(args, "-initrd", b.Initrd)
	}
	if b.Append != "" {
		args = append(args, "-append", b.Append)
	}
	return args
}

// snapshotDrive is a block node that no device of the guest uses. A snapshot is of no use once QEMU is
// gone, so nothing is flushed to it.
func snapshotDrive(cfg Config) []string {
	return []string{"-blockdev", "driver=qcow2,node-name=" + snapshotNode +
		",discard=unmap,cache.no-flush=on,file.driver=file,file.discard=unmap,file.filename=" + escape(cfg.snapshotFile())}
}

// escape doubles commas, which otherwise end an option's value.
func escape(path string) string { return strings.ReplaceAll(path, ",", ",,") }

package qemu

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-logr/logr"
)

const (
	kvmDevice = "/dev/kvm"
	// probeTimeout bounds a probe. Where KVM works the guest needs some 30 ms, QEMU around it 0.1 s.
	probeTimeout = 3 * time.Second
	// probeLoops is how often the probe guest counts: 10 ms on a CPU, minutes in an interpreter.
	probeLoops = 20_000_000
	// probeStatus is QEMU's exit status when the guest has written probeByte to isa-debug-exit.
	probeByte   = 0x10
	probeStatus = probeByte<<1 | 1
)

// ProbeKVM says whether a guest of the preset really runs under KVM here: nil, or why not. A device
// /dev/kvm proves nothing; there are machines, above all virtual ones, where it opens and guests get
// nowhere. So a tiny guest is run until it reports that it has counted to some million in 32-bit
// protected mode. That takes at most three seconds, and nothing is left behind.
//
// There is such a guest for x86 only; the presets for other CPUs need what KVM does not give (see
// Preset.KVM), and the answer for them is always no.
func ProbeKVM(ctx context.Context, preset string) error {
	p, err := findPreset(preset)
	if err != nil {
		return err
	}
	if !p.KVM {
		return fmt.Errorf("KVM: preset %s runs under TCG only", preset)
	}
	if p.Arch != runtime.GOARCH {
		return fmt.Errorf("KVM: a guest for %s does not run under KVM on %s", p.Arch, runtime.GOARCH)
	}
	device, err := os.OpenFile(kvmDevice, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("KVM: %w", err)
	}
	if err := device.Close(); err != nil {
		return fmt.Errorf("KVM: %w", err)
	}
	if err := probe(ctx, p.Binary, "kvm"); err != nil {
		return fmt.Errorf("KVM: %w", err)
	}
	return nil
}

// probe runs the probe guest under an accelerator.
func probe(ctx context.Context, binary, accel string) (err error) {
	dir, err := os.MkdirTemp("", "kvm-probe-")
	if err != nil {
		return err
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	firmware := filepath.Join(dir, "firmware")
	if err := os.WriteFile(firmware, probeFirmware(), 0o600); err != nil {
		return err
	}
	proc, err := startProcess(binary, probeArgs(accel, firmware), dir, io.Discard, stderrLog{logr.Discard()})
	if err != nil {
		return err
	}
	defer proc.kill()
	timeout := time.NewTimer(probeTimeout)
	defer timeout.Stop()
	select {
	case <-proc.done:
		if proc.exit.Code != probeStatus {
			return proc.exit
		}
		return nil
	case <-timeout.C:
		return fmt.Errorf("the probe guest got nowhere within %s", probeTimeout)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func probeArgs(accel, firmware string) []string {
	return []string{
		"-no-user-config", "-nodefaults", "-display", "none", "-monitor", "none", "-serial", "none",
		"-machine", "pc", "-m", "16", "-accel", accel, "-bios", firmware,
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4",
	}
}

// probeFirmware is a 64 KiB ROM, mapped below 4 GiB with its last 16 bytes at the reset vector. There
// is no other code in the machine.
func probeFirmware() []byte {
	const top = 0xffff0000 // where the ROM starts
	rom := make([]byte, 64<<10)
	put := func(offset int, code ...byte) { copy(rom[offset:], code) }

	put(0xfff0, 0xe9, 0x0d, 0xff) // reset vector: jmp 0xff00
	put(0xff00,
		0xfa,                                     // cli
		0x2e, 0x66, 0x0f, 0x01, 0x16, 0x80, 0xff, // lgdt cs:[0xff80]
		0x0f, 0x20, 0xc0, // mov eax, cr0
		0x0c, 0x01, // or al, 1: protected mode
		0x0f, 0x22, 0xc0, // mov cr0, eax
		0x66, 0xea, 0x40, 0xff, 0xff, 0xff, 0x08, 0x00, // jmp 8:0xffffff40
	)
	put(0xff40,
		0xb9, 0, 0, 0, 0, // mov ecx, probeLoops
		0x49, 0x75, 0xfd, // dec ecx; jnz to the dec
		0xba, 0xf4, 0x00, 0x00, 0x00, // mov edx, 0xf4: isa-debug-exit
		0xb0, probeByte, 0xee, // mov al, probeByte; out dx, al
		0xf4, 0xeb, 0xfd, // hlt; jmp to the hlt
	)
	binary.LittleEndian.PutUint32(rom[0xff41:], probeLoops)
	binary.LittleEndian.PutUint16(rom[0xff80:], 15)         // descriptor table: limit
	binary.LittleEndian.PutUint32(rom[0xff82:], top+0xff90) // and address
	put(0xff98, 0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0)         // segment 8: flat 32-bit code
	return rom
}

//go:build linux

package boot

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/refguest"
	"github.com/genode-operator/genode-operator/internal/refguest/process"
)

// machine is what the control port acts on inside a virtual machine.
type machine struct {
	server *refguest.Server
	link   netlink.Link
	spin   *process.Spinners
}

// Hang jumps out of the kernel to an instruction that waits for an interrupt with interrupts switched
// off. From outside the machine runs; nothing in it ever happens again.
func (m *machine) Hang() error {
	if err := loadHalt(); err != nil {
		// A kernel that panics without a restart still answers pings, so the network goes first.
		return errors.Join(err, m.Silent(), trigger("0"))
	}
	return unix.Reboot(unix.LINUX_REBOOT_CMD_KEXEC)
}

// halt is cli; hlt; jump back to hlt.
var halt = [...]byte{0xfa, 0xf4, 0xeb, 0xfd}

func loadHalt() error {
	const (
		at   = 2 << 20 // physical address: ordinary memory on every machine
		page = 4096
	)
	segment := struct {
		buf     *byte
		bufsize uintptr
		mem     uintptr
		memsize uintptr
	}{&halt[0], uintptr(len(halt)), at, page}
	_, _, errno := unix.Syscall6(unix.SYS_KEXEC_LOAD, at, 1, uintptr(unsafe.Pointer(&segment)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("load code to hang in: %w", errno)
	}
	return nil
}

// Crash makes the kernel panic; it restarts the machine at once.
func (m *machine) Crash() error { return trigger("-1") }

// trigger panics; seconds as in the kernel parameter panic.
func trigger(seconds string) error {
	return errors.Join(
		os.WriteFile("/proc/sys/kernel/panic", []byte(seconds), 0o644),
		os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0o200))
}

// Silent takes the network interface down.
func (m *machine) Silent() error {
	if m.link == nil {
		return errors.New("no network interface yet")
	}
	return netlink.LinkSetDown(m.link)
}

func (m *machine) Stall(on bool) { m.server.Stall(on) }

// Exit powers the machine off.
func (m *machine) Exit() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF) }

func (m *machine) Busy(n int) error { return m.spin.Set(n, 0) }

func (m *machine) BusyRealTime(n int) error {
	return m.spin.Set(n, process.SpinPriority)
}

// restart is what REBOOT of the protocol does.
func restart() {
	time.Sleep(10 * time.Millisecond) // what was said before leaves the machine
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

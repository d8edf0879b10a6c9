package qemu

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/target/console"
)

const x86 = "qemu-system-x86_64"

func TestMain(m *testing.M) {
	if os.Getenv(orphanVariable) != "" {
		orphanMain()
	}
	goleak.VerifyTestMain(m)
}

// need skips a test when a program is missing.
func need(t *testing.T, binary string) {
	t.Helper()
	if _, err := exec.LookPath(binary); err != nil {
		t.Skipf("%s is not installed: %v", binary, err)
	}
}

// shortDir is a folder whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// within is the time that a real QEMU may take for anything on a busy machine.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// counter is a boot sector that prints a, b, c, … z, a, … one letter a line, for ever. Its count is in a
// register and in no place else.
func counter() []byte {
	code := []byte{
		0xfa,             // cli
		0xba, 0xf8, 0x03, // mov dx, 0x3f8
		0xb3, 'a', // mov bl, 'a'
		0x88, 0xd8, 0xee, // next: mov al, bl; out dx, al
		0xb0, '\n', 0xee, // mov al, '\n'; out dx, al
		0xfe, 0xc3, // inc bl
		0x80, 0xfb, 'z' + 1, 0x75, 0x02, 0xb3, 'a', // cmp bl, 'z'+1; jne +2; mov bl, 'a'
		0x66, 0xb9, 0x00, 0x00, 0x40, 0x00, // mov ecx, 0x400000: some milliseconds
		0x67, 0xe2, 0xfd, // wait: loop wait
		0xeb, 0xe6, // jmp next
	}
	return bootSector(code)
}

// bootSector pads code to a disk with a boot sector; the firmware reads no disk of a single sector.
func bootSector(code []byte) []byte {
	disk := make([]byte, 1<<20)
	copy(disk, code)
	disk[510], disk[511] = 0x55, 0xaa
	return disk
}

// counterISO is the counter on a bootable CD (El Torito, no emulation).
func counterISO() []byte {
	const sector = 2048
	iso := make([]byte, 24*sector)
	copy(iso[17*sector:], "\x00CD001\x01EL TORITO SPECIFICATION")
	iso[17*sector+0x47] = 19 // where the catalogue is
	catalogue := iso[19*sector:]
	catalogue[0], catalogue[0x1e], catalogue[0x1f] = 1, 0x55, 0xaa
	catalogue[0x20], catalogue[0x26], catalogue[0x28] = 0x88, 4, 20 // bootable, four sectors, at 20
	copy(iso[20*sector:], counter())
	return iso[:24*sector]
}

// counterKernel is the counter as a multiboot kernel.
func counterKernel() []byte {
	const address = 0x100000
	code := []byte{
		0xba, 0xf8, 0x03, 0, 0, // mov edx, 0x3f8
		0xb3, 'a', // mov bl, 'a'
		0x88, 0xd8, 0xee, // next: mov al, bl; out dx, al
		0xb0, '\n', 0xee, // mov al, '\n'; out dx, al
		0xfe, 0xc3, // inc bl
		0x80, 0xfb, 'z' + 1, 0x75, 0x02, 0xb3, 'a', // cmp bl, 'z'+1; jne +2; mov bl, 'a'
		0xb9, 0x00, 0x00, 0x40, 0x00, // mov ecx, 0x400000: some milliseconds
		0xe2, 0xfe, // wait: loop wait
		0xeb, 0xe8, // jmp next
	}
	magic, flags := uint32(0x1badb002), uint32(1<<16) // flags: addresses follow
	var kernel []byte
	for _, field := range []uint32{magic, flags, -(magic + flags), address, address, 0, 0, address + 32} {
		kernel = binary.LittleEndian.AppendUint32(kernel, field)
	}
	return append(kernel, code...)
}

// guestConfig is a PC that boots a disk, with a listener for its network.
func guestConfig(t *testing.T, disk []byte) Config {
	t.Helper()
	need(t, x86)
	dir := shortDir(t)
	image := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(image, disk, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Preset:    "pc",
		Overrides: Overrides{MemoryMiB: 32},
		Boot:      Boot{Disk: image},
		MAC:       net.HardwareAddr{2, 0, 0, 0, 0, 1},
		Dir:       filepath.Join(dir, "vm"),
		NetSocket: filepath.Join(dir, "net"),
	}
	listen(t, cfg.NetSocket)
	return cfg
}

// listen takes QEMU's network connection and does nothing with it.
func listen(t *testing.T, socket string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

// start starts a VM that is killed when the test is over.
func start(t *testing.T, cfg Config) (*VM, *console.Ring) {
	t.Helper()
	ring := console.New(console.Options{})
	vm, err := Start(within(t), cfg, ring, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(vm.Kill)
	return vm, ring
}

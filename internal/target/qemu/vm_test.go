package qemu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/genode-operator/genode-operator/internal/target/console"
)

// awaitEvent waits for an event of that name.
func awaitEvent(t *testing.T, vm *VM, name string) {
	t.Helper()
	ctx := within(t)
	for {
		select {
		case e, open := <-vm.Events():
			if !open {
				t.Fatalf("QEMU ended before the event %s: %v", name, vm.ExitError())
			}
			if e.Name == name {
				return
			}
		case <-ctx.Done():
			t.Fatalf("no event %s", name)
		}
	}
}

// awaitLine waits for a line of the console from now on.
func awaitLine(t *testing.T, ring *console.Ring, pattern string) string {
	t.Helper()
	lines, stop := ring.Match(regexp.MustCompile(pattern))
	defer stop()
	select {
	case line := <-lines:
		return line
	case <-within(t).Done():
		t.Fatalf("no line %q; console: %q", pattern, ring.Lines(20))
		return ""
	}
}

func wantState(t *testing.T, vm *VM, want string) {
	t.Helper()
	got, err := vm.RunState(within(t))
	if err != nil || got != want {
		t.Errorf("run state %q (%v), want %q", got, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestALifeOfAMachine(t *testing.T) {
	vm, ring := start(t, guestConfig(t, counter()))
	ctx := within(t)
	awaitLine(t, ring, "^a$")
	wantState(t, vm, "running")
	if err := vm.ExitError(); err != nil {
		t.Errorf("ExitError of a running machine: %v", err)
	}

	must(t, vm.Stop(ctx))
	awaitEvent(t, vm, "STOP")
	wantState(t, vm, "paused")
	must(t, vm.Cont(ctx))
	awaitEvent(t, vm, "RESUME")
	awaitLine(t, ring, "^z$")

	must(t, vm.Stop(ctx))
	must(t, vm.Reset(ctx)) // wakes a paused machine
	awaitEvent(t, vm, "RESET")
	awaitLine(t, ring, "^a$")
	wantState(t, vm, "running")

	registers, err := vm.Registers(ctx)
	must(t, err)
	if !strings.Contains(registers, "EIP=") {
		t.Errorf("registers: %.200q", registers)
	}
	checkUsage(t, vm, ring)

	vm.Kill()
	vm.Kill()
	select {
	case <-vm.Done():
	default:
		t.Error("Done is open after Kill")
	}
	var exit *ExitError
	if !errors.As(vm.ExitError(), &exit) || exit.Signal != "killed" {
		t.Errorf("ExitError %v", vm.ExitError())
	}
	if err := syscall.Kill(vm.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process or its zombie is still there: %v", err)
	}
	if _, err := vm.RunState(ctx); err == nil {
		t.Error("a dead machine has a run state")
	}
	if _, _, err := vm.CPU(); err == nil {
		t.Error("a dead machine has CPU time")
	}
	if _, err := vm.RSS(); err == nil {
		t.Error("a dead machine has memory")
	}
	for range vm.Events() { // has an end
	}
}

// checkUsage checks that a spinning guest uses CPU time and memory.
func checkUsage(t *testing.T, vm *VM, ring *console.Ring) {
	t.Helper()
	before, _, err := vm.CPU()
	must(t, err)
	awaitLine(t, ring, "^[a-z]$")
	awaitLine(t, ring, "^[a-z]$")
	after, wait, err := vm.CPU()
	must(t, err)
	if after <= before || wait < 0 {
		t.Errorf("CPU time went from %s to %s, waiting %s", before, after, wait)
	}
	rss, err := vm.RSS()
	must(t, err)
	if rss < 1<<20 || rss > 4<<30 {
		t.Errorf("resident memory of %d bytes", rss)
	}
}

func TestTheGuestEndsQEMU(t *testing.T) {
	cfg := guestConfig(t, bootSector([]byte{
		0xba, 0xf4, 0x00, 0xb0, 0x03, 0xee, // mov dx, 0xf4; mov al, 3; out dx, al
		0xf4, 0xeb, 0xfd, // hlt; jmp to the hlt
	}))
	cfg.extra = []string{"-device", "isa-debug-exit,iobase=0xf4,iosize=4"}
	vm, _ := start(t, cfg)
	select {
	case <-vm.Done():
	case <-within(t).Done():
		t.Fatal("QEMU goes on")
	}
	var exit *ExitError
	if !errors.As(vm.ExitError(), &exit) || exit.Code != 7 {
		t.Errorf("ExitError %v, want status 7", vm.ExitError())
	}
}

func TestARebootingGuestShowsItself(t *testing.T) {
	vm, _ := start(t, guestConfig(t, bootSector([]byte{0xb0, 0xfe, 0xe6, 0x64, 0xf4}))) // mov al, 0xfe; out 0x64, al; hlt
	awaitEvent(t, vm, "RESET")
	awaitEvent(t, vm, "RESET")
	wantState(t, vm, "running")
}

func TestStartErrors(t *testing.T) {
	tests := map[string]struct {
		change func(*testing.T, *Config)
		want   string
	}{
		"QEMU refuses a flag":            {func(_ *testing.T, c *Config) { c.extra = []string{"-device", "no-such-device"} }, "no-such-device"},
		"no kernel there":                {func(_ *testing.T, c *Config) { c.Boot = Boot{Kernel: "/nonexistent/kernel"} }, "/nonexistent/kernel"},
		"no disk there":                  {func(_ *testing.T, c *Config) { c.Boot = Boot{Disk: "/nonexistent/disk"} }, "boot.disk: open /nonexistent/disk"},
		"nobody listens for the network": {func(_ *testing.T, c *Config) { c.NetSocket += "2" }, "netSocket: nobody listens"},
		"no such binary":                 {func(_ *testing.T, c *Config) { c.Binary = "qemu-system-vax" }, "qemu-system-vax"},
		"wrong configuration":            {func(_ *testing.T, c *Config) { c.MAC = nil }, "mac:"},
		"the folder is a file": {func(t *testing.T, c *Config) {
			must(t, os.WriteFile(c.Dir, nil, 0o600))
		}, "prepare QEMU"},
		"a disk of three bytes": {func(t *testing.T, c *Config) {
			must(t, os.WriteFile(c.Boot.Disk, []byte("abc"), 0o600))
		}, "no disk image"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := guestConfig(t, counter())
			tc.change(t, &cfg)
			vm, err := Start(within(t), cfg, console.New(console.Options{}), testr.New(t))
			if err == nil {
				vm.Kill()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q does not hold %q", err, tc.want)
			}
		})
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cfg := guestConfig(t, counter())
	cfg.Binary = filepath.Join(filepath.Dir(cfg.Dir), "silent") // never listens
	must(t, os.WriteFile(cfg.Binary, []byte("#!/bin/sh\necho too early >&2\nexec sleep 600\n"), 0o700))
	log := testr.New(t)
	result := make(chan error)
	go func() {
		_, err := Start(ctx, cfg, console.New(console.Options{}), log)
		result <- err
	}()
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestARelaunchInTheSameFolder(t *testing.T) {
	cfg := guestConfig(t, counter())
	cfg.Snapshots = true
	vm, _ := start(t, cfg)
	_, err := vm.SaveSnapshot(within(t))
	must(t, err)
	vm.Kill()
	vm, ring := start(t, cfg)
	awaitLine(t, ring, "^a$")
	if err := vm.LoadSnapshot(within(t)); err == nil || !strings.Contains(err.Error(), "load the snapshot: snapshot-load: ") {
		t.Errorf("loading the snapshot of the dead machine: %v", err)
	} else {
		t.Log(err)
	}
	must(t, vm.Reset(within(t))) // gets over a failed load
	awaitLine(t, ring, "^a$")
}

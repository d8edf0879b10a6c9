package qemu

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/target/console"
)

func TestAnEmptyQcow2IsValid(t *testing.T) {
	need(t, "qemu-img")
	path := filepath.Join(t.TempDir(), "empty.qcow2")
	must(t, os.WriteFile(path, emptyQcow2(), 0o600))
	if out, err := exec.Command("qemu-img", "check", path).CombinedOutput(); err != nil {
		t.Errorf("qemu-img check: %v\n%s", err, out)
	}
	format, err := diskFormat(path)
	if err != nil || format != "qcow2" {
		t.Errorf("its format is %q (%v)", format, err)
	}
}

func TestSnapshots(t *testing.T) {
	tests := map[string]struct {
		preset string
		image  []byte
		boot   func(file string) Boot
	}{
		"a disk whose writes are thrown away": {"pc", counter(), func(file string) Boot { return Boot{Disk: file} }},
		"a virtio disk":                       {"linux-x86", counter(), func(file string) Boot { return Boot{Disk: file} }},
		"an ISO":                              {"pc", counterISO(), func(file string) Boot { return Boot{ISO: file} }},
		"a kernel":                            {"pc", counterKernel(), func(file string) Boot { return Boot{Kernel: file} }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := guestConfig(t, tc.image)
			cfg.Preset, cfg.Snapshots = tc.preset, true
			cfg.Boot = tc.boot(cfg.Boot.Disk)
			exerciseSnapshots(t, cfg)
		})
	}
}

// exerciseSnapshots saves and loads machines that run and machines that are paused.
func exerciseSnapshots(t *testing.T, cfg Config) {
	t.Helper()
	vm, ring := start(t, cfg)
	ctx := within(t)
	awaitLine(t, ring, "^m$")
	_, err := vm.SaveSnapshot(ctx)
	must(t, err)
	wantState(t, vm, "running")
	must(t, vm.LoadSnapshot(ctx))
	wantState(t, vm, "running")

	awaitLine(t, ring, "^c$")
	must(t, vm.Stop(ctx))
	saved := newest(ring)
	size, err := vm.SaveSnapshot(ctx) // in place of the first
	must(t, err)
	if size < 10<<10 || size > 256<<20 {
		t.Errorf("the snapshot has %d bytes", size)
	}
	wantState(t, vm, "paused")
	for distance := byte(0); distance < 8 || distance > 18; distance = (newest(ring) - saved + 26) % 26 {
		must(t, vm.Cont(ctx))
		awaitLine(t, ring, "^[a-z]$")
		must(t, vm.Stop(ctx))
	}
	must(t, vm.LoadSnapshot(ctx))
	wantState(t, vm, "running")
	for {
		awaitLine(t, ring, "[a-z]$")
		// the newest bytes may have been on their way when the saved letter was looked up
		if jump := newestJump(ring); jump != 0 && (jump-saved+26)%26 <= 4 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the guest did not go back to %c; console: %q", saved, ring.Lines(100))
		}
	}
}

// newest is the letter that the guest printed last.
func newest(ring *console.Ring) byte {
	letters := strings.Join(ring.Lines(-1), "")
	return letters[len(letters)-1]
}

// newestJump is the letter after the newest place where the guest did not print the letters in their
// order; 0 when there is none.
func newestJump(ring *console.Ring) (jump byte) {
	letters := strings.Join(ring.Lines(-1), "")
	for i := 1; i < len(letters); i++ {
		if (letters[i]-letters[i-1]+26)%26 != 1 {
			jump = letters[i]
		}
	}
	return jump
}

func TestSnapshotsHaveToBeAskedFor(t *testing.T) {
	vm, _ := start(t, guestConfig(t, counter()))
	if _, err := vm.SaveSnapshot(within(t)); !errors.Is(err, ErrNoSnapshots) {
		t.Errorf("SaveSnapshot: %v", err)
	}
	if err := vm.LoadSnapshot(within(t)); !errors.Is(err, ErrNoSnapshots) {
		t.Errorf("LoadSnapshot: %v", err)
	}
}

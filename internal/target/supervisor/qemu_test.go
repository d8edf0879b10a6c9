package supervisor

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/health"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

const (
	guestAppend = "console=ttyS0 quiet panic=-1 tsc=unstable no_timer_check nokaslr mitigations=off refguest.control=3002"
	controlPort = 3002
)

// real is a Supervisor on a real QEMU with the reference guest.
type real struct {
	*testing.T
	*Supervisor
	network *vnet.Network

	mu sync.Mutex
	vm *qemu.VM // guarded by mu: the newest
}

// boot starts the reference guest and waits until it is ready. Everything has ended after the test.
func boot(t *testing.T, steps ...Step) *real {
	t.Helper()
	image := os.Getenv("REFGUEST_IMAGE")
	if image == "" {
		t.Skip("REFGUEST_IMAGE is not set: build the reference guest with \"go run ./cmd/refguest image --out DIR\" and set it to DIR")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skipf("no QEMU: %v", err)
	}
	dir := t.TempDir()
	mac := net.HardwareAddr{0x52, 0x54, 0, 0, 0, 1}
	network, err := vnet.New(vnet.Config{MAC: mac})
	if err != nil {
		t.Fatal(err)
	}
	config := qemu.Config{
		Preset: "linux-x86", MAC: mac, Dir: filepath.Join(dir, "qemu"), NetSocket: filepath.Join(dir, "net.sock"), Snapshots: true,
		Boot: qemu.Boot{Kernel: filepath.Join(image, "vmlinuz"), Initrd: filepath.Join(image, "initrd.gz"), Append: guestAppend},
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", config.NetSocket)
	if err != nil {
		t.Fatal(err)
	}
	r := &real{T: t, network: network}
	ring := console.New(console.Options{})
	r.Supervisor = New(Config{
		Settings: Settings{
			Health: health.Settings{BootTimeout: 2 * time.Minute}, Steps: steps, Accelerator: AcceleratorTCG, ReadyPort: 3001,
		},
		Launch: func(ctx context.Context, kvm bool) (Machine, error) {
			vm, err := qemu.Start(ctx, config, ring, logr.Discard())
			if err != nil {
				return nil, err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.vm = vm
			return vm, nil
		},
		Network: network, Console: ring,
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 2)
	go func() { ended <- network.Serve(ctx, l) }()
	go func() { ended <- r.Supervisor.Run(ctx) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("console:\n%v", ring.Lines(20))
		}
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	s := r.until("ready", 3*time.Minute, ready)
	t.Logf("ready: snapshot %+v", s.Snapshot)
	return r
}

func (r *real) until(what string, within time.Duration, holds func(agentapi.State) bool) agentapi.State {
	r.Helper()
	s, took := rig{T: r.T, Supervisor: r.Supervisor}.until(what, within, holds)
	r.Logf("%s after %s", what, took.Round(time.Millisecond))
	return s
}

// hang freezes the guest through its control port.
func (r *real) hang() {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	conn, err := r.network.DialGuest(ctx, controlPort)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintln(conn, "hang"); err != nil {
		r.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil {
		r.Fatal(err)
	}
	r.Logf("control port: %q", answer[:n])
}

func (r *real) recovered(step Step) agentapi.State {
	r.Helper()
	found := r.until("found", 30*time.Second, notReady)
	if !health.Unhealthy(found.Verdict) {
		r.Errorf("not ready for being %s", found.Verdict)
	}
	s := r.until("recovered", 3*time.Minute, ready)
	if s.LastRecovery == nil || s.LastRecovery.Step != string(step) || !s.LastRecovery.Done {
		r.Fatalf("recovered by %+v, want %s", s.LastRecovery, step)
	}
	r.Logf("%s: %d ms of silence, then %d ms of outage", step, s.LastRecovery.SilentMilliseconds, s.LastRecovery.OutageMilliseconds)
	d, err := r.Diagnosis()
	if err != nil || len(d.Console) == 0 || d.Step != string(step) {
		r.Errorf("diagnosis %v: step %q, %d lines", err, d.Step, len(d.Console))
	}
	return s
}

func TestARealGuestIsRestored(t *testing.T) {
	r := boot(t, rungs[:]...)
	for range 3 {
		before := r.State()
		if before.Snapshot.State != agentapi.SnapshotUsable {
			t.Fatalf("the snapshot is %+v", before.Snapshot)
		}
		r.hang()
		after := r.recovered(StepRestore)
		if after.Boots != before.Boots || after.Incarnation != before.Incarnation+1 {
			t.Errorf("boots %d after %d, incarnation %d after %d", after.Boots, before.Boots, after.Incarnation, before.Incarnation)
		}
		if d, err := r.Diagnosis(); err != nil || d.RunState != "running" || d.ProgramCounter() == "" {
			t.Logf("the diagnosis is not complete (a busy machine): %v, %v", d.Errors, err)
		}
	}
}

func TestARealGuestIsReset(t *testing.T) {
	r := boot(t, StepReset)
	before := r.State()
	if before.Snapshot.State != agentapi.SnapshotSwitchedOff {
		t.Errorf("the snapshot is %+v", before.Snapshot)
	}
	r.hang()
	if after := r.recovered(StepReset); after.Boots != before.Boots+1 {
		t.Errorf("boots %d after %d", after.Boots, before.Boots)
	}
}

func TestAStoppedQEMUIsRelaunched(t *testing.T) {
	r := boot(t, rungs[:]...)
	before := r.State()
	r.mu.Lock()
	pid := r.vm.PID()
	r.mu.Unlock()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	after := r.recovered(StepRelaunch)
	if after.Boots != before.Boots+1 || after.Snapshot.State != agentapi.SnapshotUsable {
		t.Errorf("boots %d after %d, snapshot %+v", after.Boots, before.Boots, after.Snapshot)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Errorf("the stopped QEMU %d is still there", pid)
	}
}

package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
)

const (
	// startTimeout bounds the time from the start of QEMU to its greeting. QEMU needs 0.1 s on an idle
	// machine; a storm of starts on a small one has been seen to take a hundred times that.
	startTimeout = 30 * time.Second
	// dialPause is the time between two looks for QEMU's socket.
	dialPause = 5 * time.Millisecond
)

// VM is a running virtual machine. Its methods may be called from any goroutine.
type VM struct {
	proc      *process
	qmp       *qmp.Client
	snapshots bool
	meter     meter
	serial    *serialPorts

	snapshotting sync.Mutex // one snapshot job at a time
	jobs         int        // number of the newest; guarded by snapshotting
}

// Start starts QEMU, with the guest's serial output going to serial, and returns when the machine runs.
// ctx bounds the start only: a VM lives until it ends by itself or Kill is called, which its owner has
// to do in any case. The error holds what QEMU said.
func Start(ctx context.Context, cfg Config, serial io.Writer, log logr.Logger) (*VM, error) {
	if cfg.Boot.Disk != "" && cfg.Boot.DiskFormat == "" {
		format, err := diskFormat(cfg.Boot.Disk)
		if err != nil {
			return nil, err
		}
		cfg.Boot.DiskFormat = format
	}
	path, args, err := Command(cfg)
	if err != nil {
		return nil, err
	}
	if err := prepare(cfg); err != nil {
		return nil, fmt.Errorf("prepare QEMU: %w", err)
	}
	log.V(1).Info("starting QEMU", "binary", path, "arguments", args)
	ports, files, err := openSerial(cfg.MoreSerial)
	if err != nil {
		return nil, fmt.Errorf("start QEMU: open serial ports: %w", err)
	}
	proc, err := startProcess(path, args, cfg.Dir, serial, stderrLog{log}, files...)
	closeAll(files)
	if err != nil {
		ports.close()
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	go ports.carry(cfg.MoreSerial, proc.done)
	client, err := connect(ctx, cfg.qmpSocket(), proc.done)
	if err != nil {
		proc.kill()
		return nil, fmt.Errorf("start QEMU: %w", startError(err, proc.exit))
	}
	return &VM{proc: proc, qmp: client, snapshots: cfg.Snapshots, serial: ports}, nil
}

// prepare makes the working folder as a fresh QEMU needs it, and looks for the network.
func prepare(cfg Config) error {
	// QEMU itself would start without a network, and say nothing.
	if _, err := os.Stat(cfg.NetSocket); err != nil {
		return fmt.Errorf("netSocket: nobody listens: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return err
	}
	if err := os.Remove(cfg.qmpSocket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !cfg.Snapshots {
		return nil
	}
	return os.WriteFile(cfg.snapshotFile(), emptyQcow2(), 0o600)
}

// connect dials QMP as soon as QEMU listens.
func connect(ctx context.Context, socket string, gone <-chan struct{}) (*qmp.Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, qmp.ErrTimeout)
	defer cancel()
	opts := qmp.Options{DialTimeout: startTimeout, IgnoreEvents: []string{"JOB_STATUS_CHANGE", "NIC_RX_FILTER_CHANGED", "RTC_CHANGE"}}
	pause := time.NewTicker(dialPause)
	defer pause.Stop()
	for {
		client, err := qmp.Dial(ctx, socket, opts)
		if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
			return client, err
		}
		select {
		case <-gone:
			return nil, errEnded
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// errEnded: QEMU ended before it listened.
var errEnded = errors.New("it ended at once")

// startError adds what QEMU said. A QEMU that we killed ourselves has its reason in err.
func startError(err error, exit *ExitError) error {
	if exit.Signal != syscall.SIGKILL.String() {
		return exit
	}
	if len(exit.Stderr) == 0 {
		return err
	}
	return fmt.Errorf("%w; QEMU said: %s", err, strings.Join(exit.Stderr, "; "))
}

// stderrLog logs lines of QEMU's standard error.
type stderrLog struct{ log logr.Logger }

func (l stderrLog) Write(line []byte) (int, error) {
	text := strings.TrimSuffix(string(line), "\n")
	level := 0
	if harmless(text) {
		level = 1
	}
	l.log.V(level).Info("QEMU", "stderr", text)
	return len(line), nil
}

// Done is closed when QEMU has ended and all its output was read.
func (vm *VM) Done() <-chan struct{} { return vm.proc.done }

// ExitError says how QEMU ended: an *ExitError, or nil while it runs.
func (vm *VM) ExitError() error {
	select {
	case <-vm.proc.done:
		return vm.proc.exit
	default:
		return nil
	}
}

// Events are QEMU's events: RESET, STOP, RESUME, SHUTDOWN, GUEST_PANICKED, … Saving and loading a
// snapshot stop and resume the machine and say so here. The channel is closed when QEMU ends.
func (vm *VM) Events() <-chan qmp.Event { return vm.qmp.Events() }

// Serial takes input for a serial port of the guest; 0 is the first one. A write blocks while the guest does
// not read, beyond what a pipe holds; it fails when QEMU ends.
func (vm *VM) Serial(port int) io.Writer {
	if port == 0 {
		return vm.proc.stdin
	}
	return vm.serial.ours[port-1]
}

// PID is QEMU's process id.
func (vm *VM) PID() int { return vm.proc.pid }

// Kill ends QEMU with SIGKILL and waits until it is gone; it is the only sure way to stop a guest. A
// second call does nothing.
func (vm *VM) Kill() {
	vm.proc.kill()
	_ = vm.qmp.Close() // never fails
}

package qemu

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
)

const (
	// maxRegisters bounds the text of Registers, in bytes.
	maxRegisters = 32 << 10
	// contPause is the time between two tries to let a machine run.
	contPause = 10 * time.Millisecond
	// contTimeout bounds them all.
	contTimeout = 3 * time.Second
)

// Stop pauses the guest.
func (vm *VM) Stop(ctx context.Context) error { return vm.qmp.Execute(ctx, "stop", nil, nil) }

// Cont lets a paused guest run.
func (vm *VM) Cont(ctx context.Context) error { return vm.qmp.Execute(ctx, "cont", nil, nil) }

// Reset resets the machine, as its button would, and leaves it running, also when it was paused or had
// panicked.
func (vm *VM) Reset(ctx context.Context) error {
	if err := vm.qmp.Execute(ctx, "system_reset", nil, nil); err != nil {
		return err
	}
	return vm.run(ctx)
}

// run makes the guest run. QEMU refuses to continue a machine that has to be reset first, and does the
// reset a moment after it was asked to, so a refusal is no last word.
func (vm *VM) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, contTimeout, qmp.ErrTimeout)
	defer cancel()
	pause := time.NewTicker(contPause)
	defer pause.Stop()
	for {
		state, err := vm.RunState(ctx)
		if err != nil || state == "running" {
			return err
		}
		refusal := vm.Cont(ctx)
		if refusal == nil {
			return nil
		}
		if !qmp.IsError(refusal) {
			return refusal
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the machine stays %s: %w (%w)", state, refusal, context.Cause(ctx))
		case <-pause.C:
		}
	}
}

// RunState is QEMU's word for what the machine does: running, paused, guest-panicked and others.
func (vm *VM) RunState(ctx context.Context) (string, error) {
	var answer struct {
		Status string `json:"status"`
	}
	err := vm.qmp.Execute(ctx, "query-status", nil, &answer)
	return answer.Status, err
}

// Registers returns the registers of all CPUs as QEMU prints them, at most 32 KiB.
func (vm *VM) Registers(ctx context.Context) (string, error) {
	var text string
	args := map[string]string{"command-line": "info registers -a"}
	if err := vm.qmp.Execute(ctx, "human-monitor-command", args, &text); err != nil {
		return "", err
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if len(text) > maxRegisters {
		text = strings.ToValidUTF8(text[:maxRegisters], "")
	}
	return text, nil
}

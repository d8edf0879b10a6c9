//go:build linux

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/refguest"
	"github.com/genode-operator/genode-operator/internal/refguest/process"
)

// local is what the control port acts on when there is no machine, only a process.
type local struct {
	server *refguest.Server
	spin   *process.Spinners
	exit   func()
}

// Hang stops the process; SIGCONT lets it go on.
func (l *local) Hang() error { return unix.Kill(os.Getpid(), unix.SIGSTOP) }

// Crash ends the process on the spot.
func (l *local) Crash() error { return unix.Kill(os.Getpid(), unix.SIGKILL) }

func (l *local) Silent() error {
	return errors.New("a process has no network of its own; use the virtual machine")
}

func (l *local) Stall(on bool) { l.server.Stall(on) }

func (l *local) Exit() error { l.exit(); return nil }

func (l *local) Busy(n int) error { return l.spin.Set(n, 0) }

func (l *local) BusyRealTime(n int) error { return l.spin.Set(n, process.SpinPriority) }

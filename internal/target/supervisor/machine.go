package supervisor

import (
	"context"
	"net"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

// Machine is one QEMU process, as far as it is needed here; see *qemu.VM.
type Machine interface {
	Done() <-chan struct{}
	ExitError() error
	Events() <-chan qmp.Event
	Stop(ctx context.Context) error
	Cont(ctx context.Context) error
	Reset(ctx context.Context) error
	RunState(ctx context.Context) (string, error)
	Registers(ctx context.Context) (string, error)
	SaveSnapshot(ctx context.Context) (size int64, err error)
	LoadSnapshot(ctx context.Context) error
	CPU() (run, wait time.Duration, err error)
	Kill()
}

// Network is the guest's network; see *vnet.Network.
type Network interface {
	Echoes(ctx context.Context, interval time.Duration, sink func(vnet.Echo)) error
	DialGuest(ctx context.Context, port uint16) (net.Conn, error)
	ResetConnections()
	OpenConnections() int
}

// Console is the guest's serial log; see *console.Ring.
type Console interface {
	// Lines returns the newest n lines, oldest first.
	Lines(n int) []string
}

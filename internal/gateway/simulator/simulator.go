// Package simulator is a backend without packets: sessions are taken, counted and closed when they have been idle for too
// long, but nobody's traffic belongs to them. It is for trying clients of the API.
package simulator

import (
	"context"

	"github.com/genode-operator/genode-operator/internal/gateway"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// Name is the backend's name.
const Name = "simulator"

// Backend is the backend. The zero value is usable.
type Backend struct{}

var _ gateway.Backend = Backend{}

// Features implements gateway.Backend.
func (Backend) Features() gateway.Features {
	return gateway.Features{
		Name: Name, Reason: "asked for; no packets are handled", IPv6: true,
		Actions: []table.Action{table.Drop, table.Forward, table.Mirror, table.Snoop},
	}
}

// Add implements gateway.Backend: it takes everything.
func (Backend) Add(_ context.Context, sessions []table.Spec) []error {
	return make([]error, len(sessions))
}

// Delete implements gateway.Backend.
func (Backend) Delete(context.Context, []uint64) ([]table.Report, error) { return nil, nil }

// Read implements gateway.Backend: there was no packet.
func (Backend) Read(context.Context, []uint64) ([]table.Report, error) { return nil, nil }

// Run implements gateway.Backend: nothing happens by itself.
func (Backend) Run(ctx context.Context, _ func([]table.Report)) error {
	<-ctx.Done()
	return nil
}

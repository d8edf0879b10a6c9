package gateway

import (
	"context"
	"errors"

	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// ErrUnavailable is a backend that cannot do what it is asked for just now.
var ErrUnavailable = errors.New("the backend of the session table is not available")

// Backend handles the packets of sessions. Add and Delete are never called at the same time; Read may be called at any time.
type Backend interface {
	// Features says what it can do. The answer does not change.
	Features() Features
	// Add begins to handle sessions. There is an error, or nil, for each of them, in their order. table.ErrInvalid is a
	// session that this backend will never handle; any other error means that it could not now. A session with an error
	// is not handled at all, and not reported.
	Add(ctx context.Context, sessions []table.Spec) []error
	// Delete stops handling sessions, and returns the last news of those that it knew; no report of them comes later.
	// With an error, all of them are handled as before.
	Delete(ctx context.Context, ids []uint64) ([]table.Report, error)
	// Read returns news of the sessions that it knows.
	Read(ctx context.Context, ids []uint64) ([]table.Report, error)
	// Run lets it report by itself what cannot wait for Read, above all that a session has closed, until ctx ends. A
	// session that was reported as closed is not handled any more. Its error ends the gateway.
	Run(ctx context.Context, report func([]table.Report)) error
}

// Features is what a backend can do.
type Features struct {
	Name    string // as in --backend
	Reason  string // why it was chosen
	Actions []table.Action
	IPv6    bool
}

// has is true of an action that the backend can do.
func (f Features) has(a table.Action) bool {
	for _, can := range f.Actions {
		if can == a {
			return true
		}
	}
	return false
}

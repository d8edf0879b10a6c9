package campaign

import (
	"context"
	"errors"
)

// Reset is what is done to a target before a variant.
type Reset string

// Resets.
const (
	ResetNone    Reset = ""        // nothing
	ResetRestore Reset = "Restore" // load the snapshot of the freshly booted guest
	ResetReboot  Reset = "Reboot"  // boot it anew
)

// Standing is what is known of a target at a moment.
type Standing struct {
	Ready        bool   // a session may be opened
	Incarnation  int64  // counts the breaks in the guest's memory
	LastRecovery string // the step that last brought it back; "" if it never froze
	ImageDigest  string // of what it booted; "" if it is not known
	HostClass    string // session class and board, for example Qemu/linux-x86
	// Managed: Reset works even while the target does not speak the protocol. One that is not managed and says
	// nothing from the beginning is taken to be in use by somebody else.
	Managed bool
}

// ErrCannotReset is returned by Fleet.Reset when the target cannot be reset in that way.
var ErrCannotReset = errors.New("the target cannot be reset in this way")

// ErrNoBinary is returned by Fleet.Binary when the target does not come with that binary.
var ErrNoBinary = errors.New("no such binary on the target")

// Fleet is what the engine needs to know and do about targets beside talking to them.
type Fleet interface {
	// Standing of the target of that name.
	Standing(target string) Standing
	// Binary that comes with the target, or ErrNoBinary.
	Binary(ctx context.Context, target, pkg string) ([]byte, error)
	// Reset gives the target a fresh guest; when it returns, Standing has another incarnation, or is not
	// ready until the guest is back. It fails with ErrCannotReset on targets that have no such way.
	Reset(ctx context.Context, target string, how Reset) error
}

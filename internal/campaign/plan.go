package campaign

import (
	"context"
	"errors"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Space is what varies: variants 0 to Total-1, each a list of tasks.
type Space interface {
	// At makes the tasks of variant n.
	At(n uint64) ([]taskset.Task, error)
	// Values says what the sweeps chose for variant n, as a JSON object.
	Values(n uint64) string
}

// Plan is what the engine is asked to do for one campaign. Apply a new one to change it; ID, Space and
// Total of a campaign never change.
type Plan struct {
	ID          string // UID of the TaskSet: the campaign's name in the store
	Name        string // namespace/name, for people
	Space       Space
	Total       uint64
	JobsPerTask int32
	Retries     int32 // further attempts after the first one
	// Spec and SpecHash go into the store with the records; see results.Campaign.
	Spec     []byte
	SpecHash string
	// Seed of what is random in the Space, and whether anything is.
	Seed   int64
	Random bool
	// Duration, if not 0, completes a variant after so much time instead of after JobsPerTask jobs.
	Duration time.Duration
	// Priority goes before everything else when campaigns want the same target; Weight (0 counts as 1) is
	// the share of the targets' time among those of the same priority.
	Priority, Weight int32
	// PerVariant opens a session for each variant instead of one for many.
	PerVariant bool
	// Reset is done to the target before each variant.
	Reset Reset
	// Admission is what targets are told about admission control; nil: nothing.
	Admission *taskset.Admission
	// TimeLimit is the time that an attempt at a variant may take.
	TimeLimit func([]taskset.Task) time.Duration
	// Parallelism bounds the variants that run at a time; 0: one for each target.
	Parallelism int
	Suspended   bool
	Stopped     bool // like Suspended, and running variants are ended and go back
	Targets     []session.Target
	// Binaries by pkg, of the campaign itself; a pkg that is not here comes with the target.
	Binaries map[string]session.Binary
}

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

// State of a campaign in the engine.
type State string

// States.
const (
	StateLoading   State = "Loading" // its records are being read from the store
	StateRunning   State = "Running"
	StateSuspended State = "Suspended"
	StateComplete  State = "Complete"
)

// Snapshot is what is known of a campaign at a moment.
type Snapshot struct {
	State    State
	Total    uint64
	Finished uint64
	Running  int
	Tally    Tally
	// Blocked says why no variant can be handed out although there are targets, for example a missing
	// binary; empty when nothing blocks.
	Blocked string
	// StoreError is the newest error of the results store, while it lasts.
	StoreError string
	// Reference of the campaign's records in the store.
	Reference string
}

// Reasons of attempts that did not complete. They are constants of the record.
const (
	ReasonCompleted      = "Completed"
	ReasonSessionLost    = "SessionLost"
	ReasonSessionReset   = "SessionReset"
	ReasonTargetSilent   = "TargetSilent"
	ReasonMalformed      = "MalformedInput"
	ReasonTimedOut       = "TimedOut"
	ReasonUnsupported    = "Unsupported"
	ReasonInvalidVariant = "InvalidVariant"
	ReasonSessionFailed  = "SessionFailed"
)

// reasonOf names an error of a session.
func reasonOf(err error) string {
	for _, r := range []struct {
		err    error
		reason string
	}{
		{session.ErrUnsupported, ReasonUnsupported},
		{session.ErrGarbage, ReasonMalformed},
		{session.ErrReset, ReasonSessionReset},
		{session.ErrLost, ReasonSessionLost},
		{session.ErrTimeout, ReasonTargetSilent},
		{context.DeadlineExceeded, ReasonTimedOut},
	} {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return ReasonSessionFailed
}

// final says whether an attempt is the last one of its variant: it completed, it can never complete,
// or no further one is allowed.
func final(r *results.Record, retries int32) bool {
	return r.Succeeded || r.Reason == ReasonUnsupported || r.Reason == ReasonInvalidVariant || r.Attempt > retries
}

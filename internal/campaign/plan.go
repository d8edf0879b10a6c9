package campaign

import (
	"time"

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

// Constraint is what a Space implements that leaves variants out.
type Constraint interface {
	// Constrained reports whether any variant can be left out.
	Constrained() bool
	// Admits reports whether variant n is run. A variant for which that cannot be said fails as invalid.
	Admits(n uint64) (bool, error)
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
	// Retry, if more than Retried, runs the variants that have failed for good again, once; also those of a
	// complete campaign. Retried is the largest number for which that was done before the engine began.
	Retry, Retried int64
	// Priority goes before everything else when campaigns want the same target; Weight (0 counts as 1) is
	// the share of the targets' time among those of the same priority.
	Priority, Weight int32
	// PerVariant opens a session for each variant instead of one for many.
	PerVariant bool
	// Reset is done to the target before each variant.
	Reset Reset
	// Analysis of each variant before it runs; nil: none. See also Rejection.
	Analysis *Analysis
	// Admission is what targets are told about admission control; nil: nothing.
	Admission *taskset.Admission
	// TimeLimit is the time that an attempt at a variant may take, from its start on the target.
	TimeLimit func([]taskset.Task) time.Duration
	// Parallelism bounds the variants that run at a time; 0: one for each target.
	Parallelism int
	Suspended   bool
	Stopped     bool // like Suspended, and running variants are ended and go back
	Targets     []session.Target
	// Binaries by pkg, of the campaign itself; a pkg that is not here comes with the target.
	Binaries map[string]session.Binary
}

// constraint is the plan's, or nil if nothing is left out.
func (p *Plan) constraint() Constraint {
	if c, ok := p.Space.(Constraint); ok && c.Constrained() {
		return c
	}
	return nil
}

// key of a target: what must not be used twice at a time. Two names of one address are one target.
func key(t session.Target) string {
	if t.Address != "" {
		return t.Address
	}
	return t.Name
}

// State of a campaign in the engine.
type State string

// States.
const (
	StateLoading   State = "Loading" // its records are being read from the store
	StateRunning   State = "Running"
	StateSuspended State = "Suspended"
	StateStopped   State = "Stopped"
	StateRefused   State = "Refused" // the store knows it with another spec; nothing is run
	StateComplete  State = "Complete"
)

// Snapshot is what is known of a campaign at a moment.
type Snapshot struct {
	State    State
	Total    uint64
	Finished uint64 // have a final record, of a run
	Skipped  uint64 // left out by the campaign, or by its analysis
	Running  int    // on a target
	Tally    Tally
	// Blocked says why a target gets no variant although it is ready, and BlockedReason is a constant for
	// it: BlockedBinary or BlockedReset. Of a refused campaign, Blocked says why. Empty when nothing blocks.
	Blocked, BlockedReason string
	// StoreError is the newest error of the results store, while it lasts.
	StoreError string
	// Reference of the campaign's records in the store.
	Reference string
	// Quarantined are targets of the campaign that get no variant for a while; at most MaxQuarantined.
	Quarantined []Quarantined
	// Retried is the largest Plan.Retry that was done.
	Retried int64
}

// Reasons of Snapshot.Blocked.
const (
	BlockedBinary = "BinaryMissing"
	BlockedReset  = "CannotReset"
)

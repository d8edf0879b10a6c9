package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
)

// phase is where the guest is in its life; see the picture of the package.
type phase int

const (
	launching phase = iota
	booting
	gating
	settling
	saving
	proving
	serving
	diagnosing
	recovering
	lost
)

// state is everything that decide knows of the past. It is a value: slices in it are never changed in
// place.
type state struct {
	phase    phase
	deadline time.Time // of the phase; zero: none
	job      int       // number of the job that is under way; 0: none
	jobs     int       // number of the newest job
	command  command   // of the job, when it is a tell
	quick    bool      // additional echoes are being sent

	machine     int // number of the QEMU process
	process     health.Process
	exitMessage string
	kvm         bool
	kvmTrusted  bool // the guest has come up under KVM
	runState    string
	pausedSince time.Time // zero: not paused on purpose

	started   time.Time // newest start from nothing
	resumed   time.Time // newest end of a pause or restore
	lastReply time.Time // since started
	roundTrip time.Duration
	up        bool
	cpuBase   time.Duration // CPU wait at the newest of started, resumed, lastReply
	late      time.Duration // since then
	resets    []time.Time   // by the guest itself

	hasLine     bool // the ready line was logged since started
	hasPort     bool // the port has accepted since started
	portProblem string
	probeAt     time.Time // of the next try
	settles     int       // tries left to find the guest without connections

	snapshot   agentapi.SnapshotState
	jobStarted time.Time // of save and load
	loaded     time.Time // end of the newest load; zero: it is under way

	verdict health.Verdict
	since   time.Time // when the verdict became what it is

	recovery     recovery
	relapses     tally
	lastStep     Step // that brought the guest back
	lastStepAt   time.Time
	lastRecovery *agentapi.Recovery // replaced, never changed
	counts       agentapi.RecoveryCounts

	boots, incarnation int64
}

// recovery is an attempt to bring the guest back.
type recovery struct {
	active bool
	manual bool // somebody asked for a step
	// switched: the accelerator is being changed, which is no step.
	switched bool
	answered bool // since the newest step
	verdict  health.Verdict
	at       time.Time // of the verdict
	tried    []Step
	mute     bool
}

// turn is one call of decide.
type turn struct {
	state
	settings Settings
	in       input
	actions  []action
	refusal  error // of an asked event
}

func (t *turn) do(a action) { t.actions = append(t.actions, a) }

// newJob returns the number of a job that replaces the one under way.
func (t *turn) newJob() int {
	t.jobs++
	t.job, t.command = t.jobs, ""
	return t.job
}

// dropJob forgets the job under way: its end will be ignored.
func (t *turn) dropJob() { t.job, t.command = 0, "" }

func (t *turn) tell(c command, timeout time.Duration) {
	job := t.newJob()
	t.command = c
	t.do(tell{job: job, command: c, timeout: timeout})
}

func (t *turn) setPace(quick bool) {
	if t.quick != quick {
		t.quick = quick
		t.do(pace{quick: quick})
	}
}

// restartClocks begins to count silence anew.
func (t *turn) restartClocks() { t.cpuBase, t.late = t.in.cpuWait, 0 }

func (t *turn) enter(p phase, deadline time.Time) { t.phase, t.deadline = p, deadline }

func (t *turn) due() bool { return !t.deadline.IsZero() && !t.in.now.Before(t.deadline) }

package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/health"
)

// action is something to do: one of the types below. Jobs are actions that end with a done event that has
// their number; there is at most one at a time, and the end of an older one is ignored.
type action interface{ isAction() }

// command is something that QEMU is told to do.
type command string

const (
	commandReset command = "reset"
	commandStop  command = "stop"
	commandCont  command = "cont"
	commandSave  command = "save"
	commandLoad  command = "load"
)

type (
	// launch ends QEMU if it runs and starts it. A job.
	launch struct {
		job, machine int
		kvm          bool
	}
	// tell tells QEMU to do something. A job.
	tell struct {
		job     int
		command command
		timeout time.Duration
	}
	// diagnose gathers the diagnosis bundle. A job.
	diagnose struct {
		job     int
		verdict health.Verdict
		talk    bool // QEMU can be asked
	}
	// probe connects to the guest's port once and closes the connection. A job.
	probe struct{ job int }
	// look asks for QEMU's run state.
	look struct{ machine int }
	// cut resets the forwarded connections.
	cut struct{}
	// pace sends additional echoes in quick succession, or no longer.
	pace struct{ quick bool }
	// note tells of something for the log and the metrics.
	note struct {
		kind    noteKind
		step    Step
		verdict string
		took    time.Duration
		message string
	}
)

type noteKind string

const (
	noteUnhealthy   noteKind = "Guest is unhealthy"
	noteFalseAlarm  noteKind = "Guest answers again before anything was done"
	noteStep        noteKind = "Recovering guest"
	noteStepFailed  noteKind = "Recovery step failed"
	noteRecovered   noteKind = "Guest answers again"
	noteLost        noteKind = "No recovery step is left; the pod needs to be replaced"
	noteUp          noteKind = "Guest is up"
	noteReset       noteKind = "Guest reset itself"
	noteSnapshot    noteKind = "Snapshot is proven"
	noteNoSnapshot  noteKind = "Guest does not survive a restore; that step is dropped"
	noteAccelerator noteKind = "Guest does not come up under KVM; using TCG"
)

func (launch) isAction()   {}
func (tell) isAction()     {}
func (diagnose) isAction() {}
func (probe) isAction()    {}
func (look) isAction()     {}
func (cut) isAction()      {}
func (pace) isAction()     {}
func (note) isAction()     {}

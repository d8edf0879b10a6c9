package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// event is something that happened: one of the types below.
type event interface{ isEvent() }

type (
	// begin starts everything.
	begin struct{}
	// tick: time has passed.
	tick struct{}
	// replied: an echo reply has arrived.
	replied struct{ sent, received time.Time }
	// logged: a line of the serial log has matched the ready pattern.
	logged struct{}
	// reported: QEMU reports something.
	reported struct {
		machine int // number of the QEMU process
		name    string
		guest   bool // the guest did it itself
	}
	// exited: the QEMU process has ended.
	exited struct {
		machine int
		how     string
	}
	// found: QEMU's run state was asked for.
	found struct {
		machine  int
		runState string
	}
	// done: a job has ended.
	done struct {
		job  int
		err  error
		mute bool  // err means that QEMU does not answer commands at all
		size int64 // of the snapshot, in bytes
	}
	// asked: a client of the API wants something.
	asked struct{ action agentapi.Action }
)

func (begin) isEvent()    {}
func (tick) isEvent()     {}
func (replied) isEvent()  {}
func (logged) isEvent()   {}
func (reported) isEvent() {}
func (exited) isEvent()   {}
func (found) isEvent()    {}
func (done) isEvent()     {}
func (asked) isEvent()    {}

// input is what is known when an event is looked at.
type input struct {
	now         time.Time
	cpuWait     time.Duration // that QEMU has waited for a CPU since it was started
	late        time.Duration // by which this turn of the loop is late
	connections int           // that are forwarded to the guest
}

package faketarget

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Options of a Target. The zero value is a well-behaved 1608b whose jobs take no time.
type Options struct {
	Generation string      // as package taskset names them; default 1608b
	Address    string      // host:port to listen on; default 127.0.0.1 and a free port
	Clock      clock.Clock // of the agenda and of all pauses; default: the real clock

	// Job says what becomes of a job when it is released. Default: it takes no time and ends with EXIT.
	Job func(Job) Plan
	// StampBase is the stamp of the first START since the target exists or was rebooted. Stamps wrap at
	// 4,294,967 ms.
	StampBase time.Duration
	// ClearDelay is how long CLEAR blocks; see ClearDelay of this package for what the originals do.
	ClearDelay time.Duration
	// LatePushes keeps what CLEAR has to say about killed jobs back until after START, as the separate
	// thread of the originals sometimes does.
	LatePushes bool

	// Burst collects so many profile frames and sends them in one piece. 0 and 1: each at once.
	Burst int
	// Piece is the number of bytes that are written at a time; 0: all.
	Piece int
	// PiecePause is the time between two pieces.
	PiecePause time.Duration
	// MSS is the largest TCP segment that the target takes; 0: as the system has it.
	MSS int
	// ReceiveBuffer is the size of the socket's buffer in bytes; 0: as the system has it.
	ReceiveBuffer int

	// Quiet targets keep no Log, no Events and no Received bytes, so that their memory does not grow with what
	// they do; Count and Await work all the same.
	Quiet bool

	// RefuseFor keeps the port closed for the beginning; see also Target.Refuse.
	RefuseFor time.Duration
	// Faults strike in the order in which they are listed.
	Faults []Fault
}

func (o Options) withDefaults() Options {
	if o.Generation == "" {
		o.Generation = taskset.G1608b
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Job == nil {
		o.Job = func(Job) Plan { return Plan{} }
	}
	return o
}

// ClearDelay is how long CLEAR blocks on an original of the generation.
func ClearDelay(generation string) time.Duration {
	switch generation {
	case taskset.G2017, taskset.G1608a:
		return 500 * time.Millisecond
	case taskset.G1802:
		return time.Second
	}
	return 0
}

// Job is a job that is about to be released.
type Job struct {
	Task   Task
	Number int      // of the task since its description came, from 1
	Start  int      // number of START messages since the target exists
	Binary [32]byte // SHA-256 of the memory that the target would run
}

// Plan is what becomes of a job.
type Plan struct {
	Milliseconds int64  // until it ends by itself; see Endless
	Outcome      string // event at the end; default EXIT
	Refused      bool   // it is not scheduled at all
	Do           Action // happens as soon as the job runs
}

// Endless as Plan.Milliseconds: the job runs until it is killed.
const Endless = -1

// Takes is a Job function: every job takes so long and ends with EXIT.
func Takes(milliseconds int64) func(Job) Plan {
	return func(Job) Plan { return Plan{Milliseconds: milliseconds} }
}

// EndsWith is a Job function: every job ends at once with the event of that name.
func EndsWith(outcome string) func(Job) Plan {
	return func(Job) Plan { return Plan{Outcome: outcome} }
}

package refguest

import "time"

// Exit values with a meaning of their own, as on a Genode target.
const (
	ExitOutOfQuota = 22 // the child gave up for want of memory
)

// Spec is what a Runner needs to start one job of a task.
type Spec struct {
	TaskID   uint32
	Name     string // "00.hey": two digits of the id and the pkg
	Binary   *Binary
	Config   []byte // XML element config, with its tags
	Quota    uint64 // bytes; 0: no limit
	Priority uint32 // as Genode means it: 0 is the highest; above 127 counts as 0
}

// Binary is an uploaded binary. It is never changed; a new upload makes a new one.
type Binary struct {
	Name    string
	Content []byte
}

// Outcome is how a job ended.
type Outcome struct {
	Code       int  // exit value; meaningless when Killed
	Killed     bool // ended by a signal, ours or its own
	OutOfQuota bool // ended because its memory quota was used up
}

// Usage is what a running job has used so far.
type Usage struct {
	CPU    time.Duration
	Memory uint64 // bytes
}

// Runner starts jobs.
type Runner interface {
	// Start starts one job. An error means that it cannot run at all: NOT_SCHEDULED.
	Start(Spec) (Job, error)
}

// Job is a running job.
type Job interface {
	// Done delivers the outcome once, when the job has ended and nothing of it runs any more.
	Done() <-chan Outcome
	// Kill ends the job soon; Done delivers as usual. Killing twice or too late does nothing.
	Kill()
	// Usage is for the live frame; a job that does not know returns the zero value.
	Usage() Usage
}

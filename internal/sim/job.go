package sim

// Job is a job that was released and has not ended. Schedulers read it; what only they use is in Key.
type Job struct {
	Task     *Task
	Index    int   // of the task in the system
	Number   int64 // within the task, from 1
	Released Time
	Deadline Time // absolute; Never: none
	// Key is for the scheduler.
	Key Key

	state     jobState
	seen      Time // it can be noticed from then on
	processor int  // that it was given to; none: -1
	last      int  // that it ran on; none: -1
	begun     Time
	work      int64 // left, in units of engine.scale
	short     Time  // how much less than the WCET it needs
	step      int   // borders of sections that it has passed
	ahead     int64 // work up to the next one; Never: there is none
	penalty   int64 // in work, for going on here or now, unless it is stopped before it does
	executed  Time  // on processors, wall time
	segments  []Segment
	preempted int32
	migrated  int32
	missed    bool
	savedAt   Time // its context is put away from then on
	owner     *taskState
	serial    uint64 // tells jobs apart that use the same memory
}

// Key is what a scheduler orders jobs by, and where it keeps them.
type Key struct {
	First, Second int64  // smaller is more urgent
	Third         uint64 // then
	At            int    // position in a Queue, from 1; 0: in none
}

type jobState uint8

const (
	queued jobState = iota // behind an earlier job of its task
	active
	ended
)

// Segment is a time in which a job ran on one processor without a pause.
type Segment struct {
	From, To  Time
	Processor int // index
}

// Processor is the index of the processor that the job was given to; -1: none.
func (j *Job) Processor() int { return j.processor }

// Over reports whether the job has ended or was aborted. Schedulers may see that before they are told.
func (j *Job) Over() bool { return j.state == ended }

// Home is the index of the processor that the task's jobs were last given to.
func (j *Job) Home() int { return j.owner.processor }

// Record is what is known of a job at its end, or at the end of the simulation.
type Record struct {
	Task     *Task
	Index    int // of the task in the system
	Number   int64
	Released Time
	Deadline Time // absolute; Never: none
	Begun    Time // first execution; Never: it never ran
	Ended    Time // Never: it had not ended when the simulation did
	Aborted  bool // ended at its deadline or critical time, or never to be run
	Missed   bool // ended after its deadline, or not at all although its deadline has come
	Executed Time // on processors
	// Preemptions counts how often it went on after a pause on the same processor, Migrations how often
	// on another one.
	Preemptions, Migrations int32
	Segments                []Segment // merged
}

// Response is the time from release to end; Never while it has not ended.
func (r *Record) Response() Time {
	if r.Ended == Never {
		return Never
	}
	return r.Ended - r.Released
}

// Observer gets the records of jobs in the order of their ends, and of those that have not ended last. A
// record and its segments are only valid during the call.
type Observer interface {
	Job(*Record)
}

// Beginner is implemented by observers that hear of the first execution of a job when it begins. The job is only
// valid during the call.
type Beginner interface{ Began(j *Job, at Time) }

// ObserverFunc is a function as an Observer.
type ObserverFunc func(*Record)

// Job implements Observer.
func (f ObserverFunc) Job(r *Record) { f(r) }

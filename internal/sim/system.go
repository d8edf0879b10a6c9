package sim

// Time is a point in simulated time or a span of it, in nanoseconds.
type Time = int64

// Units of Time.
const (
	Microsecond Time = 1_000
	Millisecond Time = 1_000_000
	Second      Time = 1_000_000_000
	// Never is later than everything; it also stands for a time that did not come.
	Never Time = 1<<63 - 1
)

// System is what is simulated.
type System struct {
	Tasks      []Task
	Processors []Processor
	Overheads  Overheads
	// Duration of the simulation. Events at its very end still happen.
	Duration Time
	// Window is the time that the Totals are about.
	Window Window
	// Tick is the period of the timer that drives the scheduler: releases, deadlines and critical times are
	// noticed at its multiples. Ends of jobs, and what they release, are noticed at once. 0: everything is.
	Tick Time
	// Seed of everything that is drawn.
	Seed uint64
}

// Window is a span of simulated time with both of its ends. The zero Window is the whole simulation.
type Window struct{ From, To Time }

// Kind says what releases the jobs of a task.
type Kind string

// Kinds of tasks.
const (
	// Periodic: a job at Offset and then one for each Period. Period 0: one job only.
	Periodic Kind = ""
	// Sporadic: a job at each of the Arrivals; or, with Slack, one at the earliest at Offset, and then each at
	// the earliest a Period after the one before.
	Sporadic Kind = "Sporadic"
	// Aperiodic: a job whenever a job of another task ends whose Follower this task is, or one of each that this
	// one comes After.
	Aperiodic Kind = "Aperiodic"
)

// Task is one task. Jobs of a task run one after the other, in the order of their releases.
type Task struct {
	ID     int    // in records; unique
	Name   string // for people
	Kind   Kind
	Offset Time // first release of a periodic task
	Period Time
	// Jitter is drawn uniformly from 0 to Jitter and added to each periodic release; deadlines count from
	// the release without it.
	Jitter   Time
	Arrivals []Time // of a sporadic task, ascending
	// Slack is the mean of what a sporadic task without Arrivals waits longer than it has to, drawn from an
	// exponential distribution. With Period 0 its releases are a Poisson process.
	Slack    Time
	Deadline Time // relative to the release; 0: the period, or none without a period
	WCET     Time
	// Execution draws what a job really needs, at most WCET; nil: the WCET.
	Execution Execution
	// Priority for schedulers with fixed priorities; see them for which one is urgent.
	Priority int64
	// Jobs ends the task after so many releases; 0: never.
	Jobs int64
	// Follower is the index of the task that is released at the end of each job, -1 and 0 of the zero value
	// of Follows: none.
	Follower int
	Follows  bool // Follower is meant
	// After are the indices of tasks that an aperiodic task waits for: its first job is released when each of
	// them has ended a job, its second one when each has ended two, and so on.
	After []int
	// Sections of the work that need a resource, in their order; on one processor only.
	Sections []Section
	OnMiss   MissPolicy
	// CriticalTime kills a job that has not ended so long after its release; 0: never.
	CriticalTime Time
	// Server limits the task under schedulers that serve tasks by budgets.
	Server Server
	// Processor is the index of the only processor that may run the task, if Pinned.
	Processor int
	Pinned    bool
}

// Server is the part of a processor that a task may have: Budget in each Period, due after Deadline. What is 0 is as the
// task has it: the WCET, the period or else the deadline, and the server's period.
type Server struct{ Budget, Period, Deadline Time }

// MissPolicy says what becomes of a job that has not ended at its deadline.
type MissPolicy string

// Policies.
const (
	Continue MissPolicy = ""         // it goes on
	Abort    MissPolicy = "Abort"    // it is aborted at its deadline
	SkipNext MissPolicy = "SkipNext" // it goes on, and releases of its task are left out until it has ended
)

// Processor is one processor.
type Processor struct {
	Name string
	// Speed is SpeedNumerator/SpeedDenominator: how much work is done in a unit of time. 0/0 is 1/1.
	SpeedNumerator, SpeedDenominator int64
	// Save and Load are the costs of putting away and taking up the context of a job.
	Save, Load Time
}

// Overheads are the costs of the scheduler, on the processor that asks it.
type Overheads struct {
	Decide    Time // of each decision
	Activate  Time // of telling it of an activation
	End       Time // of telling it of an end
	Timer     Time // of each of its timers; and of each tick, on every processor
	Preempt   Time // work added to a job that goes on after another one ran on its processor
	Migration Time // work added to a job that goes on on another processor
}

// Execution draws how much work a job is.
type Execution interface {
	// Work is between 0 and wcet; draw gives numbers uniformly distributed over 64 bits, the same ones for
	// the same seed, task and job.
	Work(wcet Time, draw func() uint64) Time
}

// drawn reports whether the releases of a sporadic task are drawn.
func (t *Task) drawn() bool { return t.Kind == Sporadic && t.Slack > 0 }

// relative is the relative deadline.
func (t *Task) relative() Time {
	switch {
	case t.Deadline > 0:
		return t.Deadline
	case t.Period > 0:
		return t.Period
	}
	return Never
}

// speed is the processor's speed as a fraction.
func (p *Processor) speed() (numerator, denominator int64) {
	if p.SpeedNumerator == 0 && p.SpeedDenominator == 0 {
		return 1, 1
	}
	return p.SpeedNumerator, p.SpeedDenominator
}

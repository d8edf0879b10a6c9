package sim

import "math/bits"

// Scheduler says which jobs run where. It is asked once for each message of a processor: an activation, an
// end, or one of its own timers. A Scheduler serves one simulation.
type Scheduler interface {
	// Init is called before anything happens. It may place tasks and arm timers.
	Init(v View) error
	// Activated tells of a job that is the oldest unfinished one of its task.
	Activated(j *Job)
	// Ended tells of a job that has ended or was aborted, wherever it was.
	Ended(j *Job)
	// Decide says what changes, on behalf of a processor that has handled a message. Decisions take
	// effect in their order.
	Decide(processor int) []Decision
}

// Ticker is implemented by schedulers that use timers.
type Ticker interface {
	// Tick tells of a timer of that name; Decide follows.
	Tick(name int)
}

// Canceler is implemented by schedulers that may not need a timer any more when its time has come. A timer that is
// not wanted is as if it had never been armed.
type Canceler interface{ Wants(name int) bool }

// Watcher is implemented by schedulers that look at the tasks themselves instead of waiting for messages:
// they know of a job in the instant in which it becomes the oldest one of its task.
type Watcher interface{ Appeared(j *Job) }

// Parallel is implemented by schedulers whose processors may decide at the same time, because they share
// nothing; others are asked by one processor at a time.
type Parallel interface{ Parallel() }

// Tuner is implemented by schedulers that set speeds; work is counted more finely for them.
type Tuner interface{ Tunes() }

// Decision gives a job to a processor; without a job the processor idles. A job that has it now is set
// aside.
type Decision struct {
	Job       *Job
	Processor int
}

// View is what a Scheduler sees of the simulation.
type View struct{ e *engine }

// Now is the simulated time.
func (v View) Now() Time { return v.e.now }

// Tasks of the system; not to be changed.
func (v View) Tasks() []Task { return v.e.system.Tasks }

// Processors is their number.
func (v View) Processors() int { return len(v.e.processors) }

// Running is the job that a processor was given; nil: none.
func (v View) Running(processor int) *Job { return v.e.processors[processor].job }

// Place makes a processor the one that is told of the activations of a task, until it runs elsewhere.
func (v View) Place(task, processor int) { v.e.tasks[task].processor = processor }

// Timer calls Tick with the name on the processor at that time.
func (v View) Timer(at Time, processor, name int) {
	v.e.calendar.put(event{at: max(at, v.e.now), kind: eventTimer, index: int32(processor), serial: uint64(name)})
}

// SpeedUnit is the speed of a processor in SetSpeed.
const SpeedUnit = 1 << 32

// SetSpeed lets a processor go on at so many SpeedUnits of its own speed: more than 0 and not more than all of it.
func (v View) SetSpeed(processor int, units int64) {
	p := &v.e.processors[processor]
	hi, lo := bits.Mul64(uint64(p.full), uint64(min(max(units, 1), SpeedUnit)))
	q, r := bits.Div64(hi, lo, SpeedUnit)
	if r > 0 {
		q++ // rather too fast than too late
	}
	v.e.account(p)
	p.rate = int64(q)
	if p.running != nil {
		p.serial++
		v.e.begin(p)
	}
}

// Left is the work that a job still needs, in time at speed 1, rounded up.
func (v View) Left(j *Job) Time {
	left := j.work
	if p := v.e.executing(j); p != nil {
		left -= (v.e.now - p.since) * p.rate
	}
	return (max(left, 0) + v.e.scale - 1) / v.e.scale
}

// Executed is how long a job has run so far.
func (v View) Executed(j *Job) Time {
	if p := v.e.executing(j); p != nil {
		return j.executed + v.e.now - p.since
	}
	return j.executed
}

// Reserve is the work that a job still needs if it turns out to be as long as its WCET.
func (v View) Reserve(j *Job) Time { return v.Left(j) + j.short }

// Laxity is how long a job may wait and still meet its deadline.
func (v View) Laxity(j *Job) Time { return j.Deadline - v.e.now - v.Left(j) }

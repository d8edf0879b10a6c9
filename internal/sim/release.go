package sim

import "math"

// taskState is a task in a run.
type taskState struct {
	task      *Task
	index     int
	processor int        // that is told of activations
	jobs      fifo[*Job] // unfinished ones, oldest first
	released  int64      // jobs
	arrivals  int        // of a sporadic task, that are over
	next      []edge     // tasks that ends of jobs release, or help to
	reached   []int64    // ends of each task that this one is after, less its own releases
	due       Time       // of the next periodic release, without jitter
}

func (e *engine) firstRelease(t *taskState) {
	switch {
	case t.task.Kind == Aperiodic:
	case t.task.drawn():
		e.planSporadic(t, t.task.Offset)
	case t.task.Kind == Sporadic:
		e.planArrival(t)
	default:
		t.due = t.task.Offset
		e.planRelease(t)
	}
}

func (e *engine) planArrival(t *taskState) {
	if t.arrivals < len(t.task.Arrivals) {
		e.calendar.put(event{at: t.task.Arrivals[t.arrivals], kind: eventRelease, index: int32(t.index)})
		t.arrivals++
	}
}

// planSporadic plans a release that comes at that time or, as it is drawn, later.
func (e *engine) planSporadic(t *taskState, soonest Time) {
	draw := e.drawRelease(t)
	at := soonest + Time(math.Round(-math.Log(1-unit(draw.next()))*float64(t.task.Slack)))
	e.calendar.put(event{at: at, kind: eventRelease, index: int32(t.index)})
}

func (e *engine) planRelease(t *taskState) {
	at := t.due
	if t.task.Jitter > 0 {
		draw := e.drawRelease(t)
		at += Time(draw.next() % uint64(t.task.Jitter+1))
	}
	e.calendar.put(event{at: max(at, e.now), kind: eventRelease, index: int32(t.index)})
}

// drawRelease draws what concerns the next release; what concerns the job itself is drawn apart from it.
func (e *engine) drawRelease(t *taskState) source {
	return source{e.system.Seed, uint64(t.index), uint64(t.released) | 1<<63}
}

// release makes a job and plans the next one. The next release is in the calendar before the deadline of
// this job, so that at the same instant it comes first.
func (e *engine) release(t *taskState) {
	if t.task.Jobs > 0 && t.released >= t.task.Jobs {
		return
	}
	arrived := e.now
	if t.task.Kind == Periodic {
		arrived = t.due
	}
	t.released++
	if t.task.Jobs == 0 || t.released < t.task.Jobs {
		e.planNext(t)
	}
	if t.task.OnMiss == SkipNext && e.late(t) {
		e.count(&e.totals.Skipped)
		return
	}
	j := e.newJob(t, arrived)
	if t.task.Kind != Aperiodic {
		j.seen = e.noticed(e.now)
	}
	t.jobs.put(j)
	e.trace(Activate, j)
	if t.jobs.len() == 1 {
		e.activate(j)
	}
}

func (e *engine) planNext(t *taskState) {
	switch {
	case t.task.Kind == Aperiodic:
	case t.task.drawn():
		e.planSporadic(t, e.now+t.task.Period)
	case t.task.Kind == Sporadic:
		e.planArrival(t)
	case t.task.Period > 0:
		t.due += t.task.Period
		e.planRelease(t)
	}
}

// late reports whether a job of the task is past its deadline and not done.
func (e *engine) late(t *taskState) bool {
	if t.jobs.len() == 0 {
		return false
	}
	j := t.jobs.first()
	return j.Deadline <= e.now && !e.done(j)
}

func (e *engine) newJob(t *taskState, arrived Time) *Job {
	var j *Job
	if n := len(e.spare); n > 0 {
		j, e.spare = e.spare[n-1], e.spare[:n-1]
	} else {
		j = &Job{}
	}
	work := t.task.WCET
	if t.task.Execution != nil {
		draw := source{e.system.Seed, uint64(t.index), uint64(t.released)}
		work = min(work, max(0, t.task.Execution.Work(work, draw.next)))
	}
	e.serial++
	*j = Job{
		Task: t.task, Index: t.index, Number: t.released, Released: e.now, Deadline: Never,
		processor: -1, last: -1, begun: Never, work: work * e.scale, short: t.task.WCET - work, owner: t, serial: e.serial,
		segments: j.segments[:0],
	}
	if j.ahead = j.border(); j.ahead != Never {
		j.ahead *= e.scale
	}
	if d := t.task.relative(); d != Never {
		j.Deadline = arrived + d
	}
	return j
}

// activate makes a job the one of its task that may run; processors hear of it when everything else of the
// instant has happened.
func (e *engine) activate(j *Job) {
	if j.seen > e.now {
		e.calendar.put(event{at: j.seen, kind: eventSeen, job: j})
		return
	}
	j.state = active
	if e.watcher != nil {
		e.watcher.Appeared(j)
	}
	e.calendar.putNow(e.now, eventActivate, 0, 0, j)
}

func (e *engine) activated(j *Job) {
	e.post(&e.processors[j.owner.processor], message{kind: messageActivated, job: j})
	e.calendarOf(j)
}

// calendarOf puts the deadline and the critical time of a job into the calendar, if they change anything.
func (e *engine) calendarOf(j *Job) {
	if j.Deadline != Never && j.Task.OnMiss == Abort {
		e.calendar.put(event{at: e.noticed(max(j.Deadline, e.now)), kind: eventDeadline, job: j, serial: j.serial})
	}
	if j.Task.CriticalTime > 0 {
		e.calendar.put(event{at: e.noticed(max(j.Released+j.Task.CriticalTime, e.now)), kind: eventKill, job: j, serial: j.serial})
	}
}

// noticed is the first tick not before that time, or the time itself without ticks.
func (e *engine) noticed(at Time) Time {
	if e.system.Tick == 0 {
		return at
	}
	return (at + e.system.Tick - 1) / e.system.Tick * e.system.Tick
}

// source draws numbers that depend on the seed, a task and a job only: SplitMix64 (Steele, Lea and Flood,
// Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
type source struct{ seed, task, job uint64 }

func (s *source) next() uint64 {
	s.seed += 0x9e3779b97f4a7c15
	return mix(s.seed ^ mix(s.task+0x632be59bd9b4e019) ^ mix(s.job+0x85157af5))
}

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

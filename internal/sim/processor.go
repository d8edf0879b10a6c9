package sim

// processor is a processor in a run.
type processor struct {
	spec  *Processor
	index int
	rate  int64 // work in a nanosecond
	full  int64 // the same at its own speed

	job     *Job   // that it was given
	running *Job   // that it executes
	since   Time   // it does, or waits for the scheduler
	serial  uint64 // of the end that is in the calendar
	latest  uint64 // serial of the job that ran last
	loaded  bool   // some job's context is in it

	box     fifo[message] // to be handled, oldest first
	decides int           // decisions that are due
	queued  bool          // will be woken in this instant
	holding bool          // does an overhead
	again   bool          // the overhead costs nothing, and is over at once
	then    step          // what follows it
	found   []Decision
}

type step uint8

const (
	stepWork  step = iota // handle what is in the box
	stepApply             // let decisions take effect
	stepStart             // start the job
)

type message struct {
	kind messageKind
	job  *Job
	name int
}

type messageKind uint8

const (
	messageActivated messageKind = iota
	messageEnded
	messageTimer
	messageTick
	messageSwitch // its job was changed by another processor
)

// post puts a message into the box of a processor and wakes it behind everything else of this instant.
func (e *engine) post(p *processor, m message) {
	if m.kind != messageSwitch {
		p.box.put(m)
	}
	if !p.queued {
		p.queued = true
		e.calendar.putNow(e.now, eventWake, int32(p.index), 0, nil)
	}
}

// wake lets a processor look into its box, after the context of its job is saved.
func (e *engine) wake(p *processor) {
	p.queued = false
	if p.holding {
		return // it looks again afterwards
	}
	e.work(p)
}

// held is called when an overhead is over.
func (e *engine) held(p *processor) {
	p.holding = false
	switch p.then {
	case stepApply:
		e.apply(p)
		if e.deciding == p {
			e.deciding = nil
			defer e.grant() // unless p asks again at once
		}
	case stepStart:
		p.loaded = true
		e.count(&e.totals.Processors[p.index].Loads)
		if p.box.len() == 0 && p.decides == 0 && !p.queued {
			e.start(p)
			return
		}
	}
	e.work(p)
}

// hold keeps a processor busy with an overhead. Even one that costs nothing lets everything else of the
// present instant go first.
func (e *engine) hold(p *processor, cost Time, then step) {
	p.holding, p.then = true, then
	if cost == 0 {
		if p.again = e.calendar.quiet(e.now); !p.again {
			e.calendar.putNow(e.now, eventHeld, int32(p.index), 0, nil)
		}
		return
	}
	e.totals.Processors[p.index].Overhead += e.window.part(e.now, e.now+cost)
	e.calendar.put(event{at: e.now + cost, kind: eventHeld, index: int32(p.index)})
}

// goOn takes steps that cost nothing while nothing else is to happen in this instant: what would otherwise be one event
// after the other. Now and then it lets the calendar have a look, so that a run can be stopped.
func (e *engine) goOn(p *processor) {
	const most = 64
	for steps := 0; p.again; steps++ {
		p.again = false
		if steps == most {
			e.calendar.putNow(e.now, eventHeld, int32(p.index), 0, nil)
			return
		}
		e.held(p)
	}
}

// work takes one step: it saves the context of a job that ran, handles a message, decides when there are
// no more of them, or loads the job that was given.
func (e *engine) work(p *processor) {
	switch {
	case p.loaded:
		e.putAway(p)
	case p.box.len() > 0:
		e.hold(p, e.handle(p), stepWork)
	case p.decides > 0:
		e.decide(p)
	case p.job != nil:
		e.hold(p, max(0, p.job.savedAt-e.now)+p.spec.Load, stepStart)
	}
}

// decide asks the scheduler, once no other processor does.
func (e *engine) decide(p *processor) {
	if e.deciding != nil && e.deciding != p {
		e.waiting = append(e.waiting, p)
		p.holding, p.then, p.since = true, stepWork, e.now
		return
	}
	if !e.parallel {
		e.deciding = p
	}
	p.decides--
	e.count(&e.totals.Decisions)
	p.found = append(p.found[:0], e.scheduler.Decide(p.index)...)
	e.hold(p, e.system.Overheads.Decide, stepApply)
}

// grant lets the processor decide that has waited longest.
func (e *engine) grant() {
	if e.deciding != nil || len(e.waiting) == 0 {
		return
	}
	e.deciding = e.waiting[0]
	copy(e.waiting, e.waiting[1:])
	e.waiting = e.waiting[:len(e.waiting)-1]
	e.waited(e.deciding)
	e.calendar.putNow(e.now, eventHeld, int32(e.deciding.index), 0, nil)
}

// waited counts the time for which a processor could not ask the scheduler.
func (e *engine) waited(p *processor) {
	e.totals.Processors[p.index].Overhead += e.window.part(p.since, e.now)
}

// putAway saves the context of the job that runs, or ran last.
func (e *engine) putAway(p *processor) {
	if p.running != nil {
		p.running.savedAt = e.now + p.spec.Save
	}
	e.stop(p)
	p.loaded = false
	e.count(&e.totals.Processors[p.index].Saves)
	e.hold(p, p.spec.Save, stepWork)
}

// handle tells the scheduler of the oldest message and returns what that costs. The decision that follows is
// up to the processor that the task belongs to by now.
func (e *engine) handle(p *processor) Time {
	m := p.box.take()
	switch m.kind {
	case messageActivated:
		e.count(&e.totals.Activations)
		e.scheduler.Activated(m.job)
		e.askFor(p, &e.processors[m.job.owner.processor])
		return e.system.Overheads.Activate
	case messageEnded:
		e.count(&e.totals.Ends)
		e.scheduler.Ended(m.job)
		e.askFor(p, &e.processors[m.job.owner.processor])
		e.spare = append(e.spare, m.job)
		return e.system.Overheads.End
	case messageTimer:
		e.count(&e.totals.Timers)
		e.ticker.Tick(m.name)
		e.askFor(p, p)
		return e.system.Overheads.Timer
	case messageTick:
		return e.system.Overheads.Timer
	}
	return 0
}

// askFor makes a decision due on a processor.
func (e *engine) askFor(by, on *processor) {
	on.decides++
	if on != by {
		e.post(on, message{kind: messageSwitch})
	}
}

// apply lets the decisions of p take effect.
func (e *engine) apply(p *processor) {
	for _, d := range p.found {
		to := &e.processors[d.Processor]
		if to.job == d.Job || d.Job != nil && d.Job.state == ended {
			continue
		}
		if to.job != nil {
			to.job.processor = -1
		}
		if j := d.Job; j != nil {
			if from := e.executing(j); from != nil && from != to {
				j.savedAt = e.now + from.spec.Save
				e.stop(from)
			}
			if j.processor >= 0 {
				from := &e.processors[j.processor]
				from.job = nil
				e.post(from, message{kind: messageSwitch})
			}
			j.processor, j.owner.processor = to.index, to.index
		}
		to.job = d.Job
		if to != p {
			e.post(to, message{kind: messageSwitch})
		}
	}
	p.found = p.found[:0]
}

// start begins or continues the job that the processor was given.
func (e *engine) start(p *processor) {
	if p.job == nil {
		return
	}
	j := e.instead(p.job)
	e.delay(j, -j.penalty)
	j.penalty = min(e.penalty(p, j), mostWork-j.work)
	e.delay(j, j.penalty)
	if j.begun == Never {
		e.fresh = append(e.fresh, p)
	}
	j.last = p.index
	e.trace(Execute, j)
	p.running, p.since = j, e.now
	p.serial++
	if e.calendar.quiet(e.now) {
		e.begin(p)
		return
	}
	e.calendar.putNow(e.now, eventBegin, int32(p.index), p.serial, nil)
}

// delay adds work to a job, in front of everything else that it has to do.
func (e *engine) delay(j *Job, work int64) {
	j.work += work
	if j.ahead != Never {
		j.ahead += work
	}
}

// penalty is the work that a job has more of because it goes on on another processor, or after another job.
func (e *engine) penalty(p *processor, j *Job) int64 {
	n := len(j.segments)
	switch {
	case n == 0:
		return 0
	case j.segments[n-1].Processor != p.index:
		return e.system.Overheads.Migration * e.scale
	case p.latest != j.serial:
		return e.system.Overheads.Preempt * e.scale
	}
	return 0
}

// begin puts the end of the job that runs into the calendar.
func (e *engine) begin(p *processor) {
	left := min(p.running.work-e.crumb(p), p.running.ahead) + p.rate - 1
	if p.rate != 1 {
		left /= p.rate // dividing takes longer than all the rest
	}
	e.calendar.put(event{at: e.now + left, kind: eventDone, index: int32(p.index), serial: p.serial})
}

// crumb is the work that may be left of a job that ends. Where speeds are set so that jobs end exactly at their deadlines,
// less than a nanosecond of it is not worth missing one.
func (e *engine) crumb(p *processor) int64 {
	if e.tunes {
		return p.rate - 1
	}
	return 0
}

// stop interrupts the job that runs.
func (e *engine) stop(p *processor) {
	if p.running == nil {
		return
	}
	e.account(p)
	if p.running.state != ended {
		e.trace(Preempt, p.running)
	}
	p.running = nil
	p.serial++
}

// account adds what the processor has done since it was last looked at to its job.
func (e *engine) account(p *processor) {
	j := p.running
	if j == nil || e.now == p.since {
		return
	}
	span := e.now - p.since
	e.delay(j, -span*p.rate)
	j.executed += span
	j.penalty, p.latest = 0, j.serial
	e.totals.Processors[p.index].Busy += e.window.part(p.since, e.now)
	if n := len(j.segments); n > 0 && j.segments[n-1].Processor == p.index && j.segments[n-1].To == p.since {
		j.segments[n-1].To = e.now
	} else {
		if n > 0 && j.segments[n-1].Processor == p.index {
			j.preempted++
		} else if n > 0 {
			j.migrated++
		}
		j.segments = append(j.segments, Segment{p.since, e.now, p.index})
	}
	p.since = e.now
}

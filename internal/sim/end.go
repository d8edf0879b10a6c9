package sim

import "slices"

// complete ends the job whose work is done.
func (e *engine) complete(p *processor) {
	j := p.running
	e.account(p)
	e.begun(j) // in this very instant, if it is no work
	p.running, j.work = nil, 0
	if p.job == j {
		p.job = nil
	}
	j.missed = e.now > j.Deadline
	e.trace(Terminate, j)
	e.finish(j, false)
}

// overdue is called when the deadline or the critical time of a job has come. A job whose work is done in
// this very instant is spared.
func (e *engine) overdue(ev *event) {
	j := ev.job
	if j.serial == ev.serial && j.state != ended && !e.done(j) {
		e.abort(j)
	}
}

// done reports whether the work of a job is done now; its end is still in the calendar.
func (e *engine) done(j *Job) bool {
	p := e.executing(j)
	return p != nil && j.work <= (e.now-p.since)*p.rate+e.crumb(p)
}

// executing is the processor that executes a job; nil: none. It may have been given another one in this instant, and
// not have looked yet.
func (e *engine) executing(j *Job) *processor {
	if j.last < 0 || e.processors[j.last].running != j {
		return nil
	}
	return &e.processors[j.last]
}

// abort ends a job that is not done.
func (e *engine) abort(j *Job) {
	p := e.executing(j)
	j.state = ended
	if p != nil {
		e.stop(p)
	}
	e.trace(Aborted, j)
	if j.processor >= 0 {
		e.processors[j.processor].job = nil
	}
	j.missed = true
	e.finish(j, true)
}

// finish records the end of a job and lets follow what follows: the follower's job first, then the next job
// of the task, and the scheduler hears of the end.
func (e *engine) finish(j *Job, aborted bool) {
	j.state, j.processor = ended, -1
	e.giveBack(j)
	e.tell(j, e.now, aborted)
	t := j.owner
	for _, next := range t.next {
		e.reach(next)
	}
	t.jobs.take()
	if t.jobs.len() > 0 {
		e.activate(t.jobs.first())
	}
	e.post(&e.processors[t.processor], message{kind: messageEnded, job: j})
}

// reach releases a task that has waited for nothing but this end.
func (e *engine) reach(next edge) {
	t := &e.tasks[next.to]
	if next.join >= 0 {
		t.reached[next.join]++
		if slices.Contains(t.reached, 0) {
			return
		}
		for i := range t.reached {
			t.reached[i]--
		}
	}
	e.release(t)
}

// tell hands the record of a job to the observer.
func (e *engine) tell(j *Job, at Time, aborted bool) {
	r := &e.record
	*r = Record{
		Task: j.Task, Index: j.Index, Number: j.Number, Released: j.Released, Deadline: j.Deadline, Begun: j.begun,
		Ended: at, Aborted: aborted, Missed: j.missed, Executed: j.executed,
		Preemptions: j.preempted, Migrations: j.migrated, Segments: j.segments,
	}
	if e.window.Has(j.Released) {
		e.totals.sum(r)
	}
	e.observer.Job(r)
}

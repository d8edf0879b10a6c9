package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// claim is what a task may count on: its WCET within the window of each job, which lasts from the release to
// the deadline or the next release, whichever comes first.
type claim struct {
	task    *sim.Task
	index   int
	window  sim.Time // shortest length
	rate    rate     // work in the window, or a little more
	granted bool
	known   bool // its releases are known beforehand

	job         *sim.Job // that is in its window; nil: none
	from, until sim.Time // window of the job

	// Work that is to be done follows a line from (from, base) over the knees to (until, WCET).
	base   sim.Time
	knees  []knee
	target sim.Time // work that is to be done at the end of the slice
	fair   sim.Time // the same, without what was given away
	left   sim.Time // until then
	stays  bool     // it runs since an event within the slice
	idle   sim.Time // of a share that was rounded up: to be waited for when the job is over
	idles  bool     // it is
}

// knee is a point of the line: the work that is to be done at that time.
type knee struct{ at, work sim.Time }

// claims are those of all tasks.
type claims struct {
	view sim.View
	all  []claim
}

// admit grants claims in the order of the tasks as far as the processors go; tasks without a deadline get none.
func (c *claims) admit(v sim.View) { c.grant(v, false, 0) }

// admitKnown grants claims to tasks whose releases are known, for algorithms that serve a task at a steady rate
// from the beginning on. Where windows do not begin and end with whole multiples of the work at that rate, there
// is a little more of it if there is room: what is cut off at the ends.
func (c *claims) admitKnown(v sim.View) {
	const cutOff = 2
	if !c.grant(v, true, cutOff) {
		c.grant(v, true, 0)
	}
}

// grant reports whether all tasks that could have a claim got one.
func (c *claims) grant(v sim.View, onlyKnown bool, more sim.Time) (all bool) {
	c.view, c.all, all = v, make([]claim, len(v.Tasks())), true
	limit := rate{whole: int64(v.Processors())}
	var sum rate
	for i := range c.all {
		t := &v.Tasks()[i]
		c.all[i] = claim{task: t, index: i, window: window(t), known: t.Kind == sim.Periodic && t.Jitter == 0}
		k := &c.all[i]
		if k.window == sim.Never || k.window < t.WCET || k.window <= 0 || onlyKnown && !k.known {
			continue
		}
		work := t.WCET
		if k.window != t.Period || t.Offset%t.Period != 0 {
			work += more
		}
		k.rate = rateOf(work, k.window)
		if next := sum.add(k.rate); next.compare(limit) <= 0 {
			sum, k.granted = next, true
		} else {
			all = false
		}
	}
	return all
}

// window is the shortest time that a job has; sim.Never: it has no deadline.
func window(t *sim.Task) sim.Time {
	w := sim.Never
	if t.Deadline > 0 {
		w = t.Deadline
	}
	if t.Period > 0 {
		w = min(w, t.Period)
	}
	if w == sim.Never {
		return w
	}
	return w - t.Jitter
}

// limit is the absolute time at which the window of a job ends.
func limit(j *sim.Job) sim.Time {
	t := j.Task
	if j.Deadline == sim.Never || t.Period == 0 || t.Deadline <= t.Period {
		return j.Deadline
	}
	return j.Deadline - t.Deadline + t.Period
}

// appeared opens the window of a job. A job that comes too late for it, because the one before took
// so long, has no claim.
func (c *claims) appeared(j *sim.Job) {
	k := &c.all[j.Index]
	now, until := c.view.Now(), limit(j)
	k.job, k.base, k.knees = nil, 0, k.knees[:0]
	if k.granted && until != sim.Never && until-now >= k.window {
		k.job, k.from, k.until = j, now, until
	}
}

// ended closes the window of a job.
func (c *claims) ended(j *sim.Job) {
	if k := &c.all[j.Index]; k.job == j {
		k.job = nil
	}
}

// claimed reports whether the job is one in its window.
func (c *claims) claimed(j *sim.Job) bool { return c.all[j.Index].job == j }

// close forgets jobs that are over, and those whose windows are.
func (c *claims) close(now sim.Time) {
	for i := range c.all {
		if k := &c.all[i]; k.job != nil && (k.job.Over() || k.until <= now) {
			k.job = nil
		}
	}
}

// open is the job that is in its window; nil: none.
func (k *claim) open() *sim.Job {
	if k.job == nil || k.job.Over() {
		return nil
	}
	return k.job
}

// earliest is the job in its window whose window ends first; nil: none.
func earliest(of []*claim) *sim.Job {
	var first *claim
	for _, k := range of {
		if k.open() != nil && (first == nil || k.until < first.until) {
			first = k
		}
	}
	if first == nil {
		return nil
	}
	return first.job
}

// done is the work that the job has had.
func (c *claims) done(k *claim) sim.Time { return max(0, k.task.WCET-c.view.Reserve(k.job)) }

// next is the first known time after t at which a window opens or closes.
func (c *claims) next(t sim.Time) sim.Time {
	first := sim.Never
	for i := range c.all {
		k := &c.all[i]
		if k.job != nil && k.until > t {
			first = min(first, k.until)
		}
		if k.known && k.granted {
			first = min(first, k.nextKnown(t))
		}
	}
	return first
}

// nextKnown is the first time after t at which a window of a task with known releases opens or closes.
func (k *claim) nextKnown(t sim.Time) sim.Time {
	o, period := k.task.Offset, k.task.Period
	if t < o {
		return o
	}
	number := sim.Time(0)
	if period > 0 {
		number = (t - o) / period
	}
	if k.task.Jobs > 0 {
		number = min(number, k.task.Jobs-1)
	}
	release := o + number*period
	switch {
	case release+k.window > t:
		return release + k.window
	case period > 0 && (k.task.Jobs == 0 || number+1 < k.task.Jobs):
		return release + period
	}
	return sim.Never
}

// piece is the piece of the line that leads to t: from where to where, in time and work.
func (k *claim) piece(t sim.Time) (from, to knee) {
	from = knee{k.from, k.base}
	for _, to := range k.knees {
		if t <= to.at {
			return from, to
		}
		from = to
	}
	return from, knee{k.until, k.task.WCET}
}

// fluid is the work that is to be done at t on the line: a whole number and remainder/length.
func (k *claim) fluid(t sim.Time) (whole, remainder, length sim.Time) {
	from, to := k.piece(t)
	length = to.at - from.at
	q, r := part(max(0, to.work-from.work), min(t, to.at)-from.at, length)
	return from.work + q, r, length
}

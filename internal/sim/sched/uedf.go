package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// unfair is U-EDF: with each release the work of all jobs is spread over the processors, by earliest deadlines and
// the first processor first, so that what later jobs may need stays free. Each processor then runs its part by
// EDF; a job that runs on one processor does not run on a later one. (Nelissen, Berten, Nélis, Goossens and
// Milojevic, U-EDF: An Unfair but Optimal Multiprocessor Scheduling Algorithm for Sporadic Tasks, ECRTS 2012.)
//
// Ties and rounding are SimSo's. Equal deadlines are in the order of the tasks; a task without a window counts as
// one that may be released at once. A job whose part is used up goes on where the processor would idle. Where
// the tasks leave room for it, parts are rounded up, and a nanosecond too much of a job that is over is waited for.
type unfair struct {
	claims
	p       *planned
	spreads []spread
	order   []*claim     // by the ends of their windows
	parts   [][]sim.Time // by task, of its work, by processor
	ran     []ranOn
	run     []*sim.Job
	next    sim.Time // they are to be made anew
	fresh   bool
	since   sim.Time // the jobs have been chosen
	rounds  bool     // parts are rounded as SimSo does
}

// ranOn is what a processor was given: a job, and which processor's part it uses up.
type ranOn struct {
	claim *claim
	had   sim.Time // work of the job when it was
	part  int
	idles bool // the job is over, and what was rounded up is left
}

func (a *unfair) start(p *planned) error {
	a.p = p
	a.admit(p.view)
	a.spreads = make([]spread, len(a.all))
	for i := range a.all {
		k := &a.all[i]
		a.parts = append(a.parts, make([]sim.Time, p.view.Processors()))
		if k.granted {
			a.order = append(a.order, k)
		}
	}
	a.rounds = a.hasRoom()
	return nil
}

// claimed implements algorithm: a job that runs goes on, beyond its part, where the processor would idle.
func (a *unfair) claimed(j *sim.Job) bool {
	at := j.Processor()
	return a.claims.claimed(j) && (at < 0 || a.p.want[at] != nil)
}

func (a *unfair) appeared(j *sim.Job) {
	a.claims.appeared(j)
	a.fresh = a.fresh || a.claims.claimed(j)
}

func (a *unfair) choose(now sim.Time) sim.Time {
	a.use(now)
	if a.fresh || now >= a.next {
		a.close(now)
		a.spread(now)
	}
	next := a.next
	a.ran = a.ran[:0]
	for processor := range a.p.want {
		for _, k := range a.order {
			part := a.parts[k.index][processor]
			idles := a.rounds && part == 1 && k.open() == nil
			if part == 0 || k.open() == nil && !idles || a.p.chosen[k.index] {
				continue
			}
			a.p.chosen[k.index] = true
			r := ranOn{claim: k, part: processor, idles: idles}
			if !idles {
				r.had = a.done(k)
			}
			a.ran = append(a.ran, r)
			next = min(next, now+part)
			break
		}
	}
	a.place()
	return next
}

// place says where the chosen jobs run: it does not matter, as long as they do.
func (a *unfair) place() {
	a.run = a.run[:0]
	for _, r := range a.ran {
		a.p.chosen[r.claim.index] = false
		if !r.idles {
			a.run = append(a.run, r.claim.job)
		}
	}
	a.p.anywhere(a.run)
}

// use takes what jobs have done off their parts.
func (a *unfair) use(now sim.Time) {
	for _, r := range a.ran {
		parts, spent := a.parts[r.claim.index], now-a.since
		if j := r.claim.job; j != nil && !r.idles {
			spent = a.done(r.claim) - r.had
		}
		parts[r.part] = max(0, parts[r.part]-spent)
	}
	a.since = now
}

// end is when the window ends that a task is in; now if it is in none, for it may be released.
func (a *unfair) end(k *claim, now sim.Time) sim.Time {
	if k.until > now {
		return k.until
	}
	return now
}

// spread makes the parts.
func (a *unfair) spread(now sim.Time) {
	a.fresh, a.next = false, a.claims.next(now)
	slices.SortStableFunc(a.order, func(x, y *claim) int {
		return cmp.Or(cmp.Compare(a.end(x, now), a.end(y, now)), cmp.Compare(x.index, y.index))
	})
	for _, k := range a.order {
		a.spreads[k.index] = spread{}
		if k.open() != nil {
			left := a.p.view.Reserve(k.job)
			a.spreads[k.index] = spread{left: left, loose: loose(k.task.WCET, left)}
		}
	}
	if a.rounds {
		if a.spreadRounded(now) {
			return
		}
		for i := range a.spreads {
			a.spreads[i].given = 0
		}
	}
	for processor := range a.p.want {
		a.spreadOn(processor, now)
	}
}

// spread is how far the work of a task has been spread over the processors.
type spread struct {
	left, given sim.Time
	loose       float64 // left, as SimSo has it
	reserved    rate    // time of the processors so far that is kept free before the end of its window
}

// spreadOn gives a processor as much work as it can do before each deadline, beside what it must keep free for
// the tasks with earlier deadlines, from these on. What is kept free is rounded up over all processors, and
// not on each, or a job could be short of a nanosecond in the end.
func (a *unfair) spreadOn(processor int, now sim.Time) {
	var before, kept, reserved rate // rates of the tasks so far; that on this processor; what it comes to
	var given sim.Time
	last := now
	for _, k := range a.order {
		s, end := &a.spreads[k.index], a.end(k, now)
		reserved = reserved.add(kept.times(end - last))
		last = end
		sum := s.reserved.add(reserved)
		room := end - now - given - s.given - (sum.floor() - s.reserved.floor())
		part := max(0, min(room, s.left))
		a.parts[k.index][processor] = part
		s.reserved, s.left, s.given = sum, s.left-part, s.given+part
		given += part
		after := before.add(k.rate)
		kept = kept.add(after.on(processor).minus(before.on(processor)))
		before = after
	}
}

// on is the part of a rate that falls on a processor when the first ones are filled first.
func (r rate) on(processor int) rate {
	switch {
	case r.whole < int64(processor):
		return rate{}
	case r.whole > int64(processor):
		return rate{whole: 1}
	}
	return rate{fraction: r.fraction}
}

// NewUEDF is U-EDF. It is optimal, for sporadic tasks too if their densities fit.
func NewUEDF() sim.Scheduler { return &planned{algorithm: &unfair{}} }

// NewWCUEDF is U-EDF in which no processor idles while a job waits.
func NewWCUEDF() sim.Scheduler { return &planned{conserving: true, algorithm: &unfair{}} }

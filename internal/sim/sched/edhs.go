package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// split is EDF on each processor, with tasks that fit on none cut into portions for several. A portion comes before all
// other jobs of its processor; a job runs through its portions one after the other, without a pause. There is one
// split task at most on a processor.
type split struct {
	claims
	p        *planned
	whole    [][]*claim // by processor
	portions []*portion // by processor; nil: none
}

// portion is what a processor does of a split task.
type portion struct {
	claim     *claim
	processor int
	from, to  sim.Time // work of the job that is done before and with it
}

func (a *split) start(p *planned) error {
	a.p = p
	a.admit(p.view)
	a.whole, a.portions = make([][]*claim, p.view.Processors()), make([]*portion, p.view.Processors())

	var rest []*claim
	loads := make([]rate, p.view.Processors())
	for i := range a.all {
		if k := &a.all[i]; k.granted && !a.fit(k, loads) {
			rest = append(rest, k)
		}
	}
	for _, k := range rest {
		a.cut(k)
	}
	return nil
}

// fit gives a task the first processor on which it fits.
func (a *split) fit(k *claim, loads []rate) bool {
	for i, load := range loads {
		if sum := load.add(k.rate); sum.compare(rate{whole: 1}) <= 0 {
			loads[i] = sum
			a.whole[i] = append(a.whole[i], k)
			return true
		}
	}
	return false
}

// cut gives as much as possible of a task to each processor in turn; without enough of them it loses its claim.
func (a *split) cut(k *claim) {
	var done sim.Time
	var portions []*portion
	for i := range a.whole {
		if a.portions[i] != nil || done == k.task.WCET {
			continue
		}
		if most := a.most(k, i, k.task.WCET-done); most > 0 {
			portions = append(portions, &portion{claim: k, processor: i, from: done, to: done + most})
			done += most
		}
	}
	if done < k.task.WCET {
		k.granted = false
		return
	}
	for _, part := range portions {
		a.portions[part.processor] = part
	}

}

// most is the longest portion, up to a limit, that the tasks of a processor can bear.
func (a *split) most(k *claim, processor int, limit sim.Time) sim.Time {
	low, high := sim.Time(0), limit+1
	for high-low > 1 {
		middle := low + (high-low)/2
		if bearable(a.whole[processor], middle, k.window) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// bearable reports whether tasks meet their deadlines under EDF while something else takes up to so much
// of any span of the given length, at once. (Processor demand as far as the busy period, from the last deadline
// downwards: Zhang and Burns, Schedulability Analysis for Real-Time Systems with EDF Scheduling, IEEE Transactions
// on Computers 58(9), 2009.) What would take too long to find out is not bearable.
func bearable(tasks []*claim, portion, span sim.Time) bool {
	const patience = 20_000
	end, steps := busyPeriod(tasks, portion, span, patience)
	t := deadlineBefore(tasks, end+1)
	for ; t > 0 && steps > 0; steps-- {
		demand := t/span*portion + min(portion, t%span)
		for _, k := range tasks {
			demand += t / k.window * k.task.WCET
		}
		switch {
		case demand > t:
			return false
		case demand < t:
			t = min(deadlineBefore(tasks, demand+1), deadlineBefore(tasks, t))
		default:
			t = deadlineBefore(tasks, t)
		}
	}
	return steps > 0
}

// busyPeriod is how long the processor is busy when everything is released at once, and the steps that are left.
func busyPeriod(tasks []*claim, portion, span sim.Time, steps int) (end sim.Time, left int) {
	end = portion
	for _, k := range tasks {
		end += k.task.WCET
	}
	for ; steps > 0; steps-- {
		next := (end + span - 1) / span * portion
		for _, k := range tasks {
			next += (end + k.window - 1) / k.window * k.task.WCET
		}
		if next == end {
			return end, steps
		}
		end = next
	}
	return end, 0
}

// deadlineBefore is the last deadline before t; 0: none.
func deadlineBefore(tasks []*claim, t sim.Time) (last sim.Time) {
	for _, k := range tasks {
		last = max(last, (t-1)/k.window*k.window)
	}
	return last
}

func (a *split) choose(now sim.Time) sim.Time {
	a.close(now)
	next := sim.Never
	for i, part := range a.portions {
		if part == nil || part.claim.open() == nil {
			continue
		}
		if done := a.done(part.claim); part.from <= done && done < part.to {
			a.p.give(i, part.claim.job)
			next = min(next, now+part.to-done)
		}
	}
	for i, tasks := range a.whole {
		if a.p.want[i] == nil {
			if j := earliest(tasks); j != nil {
				a.p.give(i, j)
			}
		}
	}
	return next
}

// NewEDHS is earliest deadline, and highest priority for split tasks. It is not optimal: it misses nothing of what it
// has found a place for, and what finds none runs on processors that would idle. (Kato and Yamasaki,
// Semi-Partitioning Technique for Multiprocessor Real-Time Scheduling, RTSS work in progress, 2008.)
func NewEDHS() sim.Scheduler { return &planned{algorithm: &split{}} }

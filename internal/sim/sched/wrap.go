package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// wrapped lays the shares of a slice one after the other, and cuts the line into as many pieces as there are
// processors: whoever is cut runs at the end of the slice on one processor and at its beginning on the next
// one. (McNaughton, Scheduling with Deadlines and Loss Functions, Management Science 6(1), 1959.)
type wrapped struct {
	fluidSlices
	p        *planned
	exact    bool       // the unit is what all times have in common, instead of a nanosecond
	mirrored bool       // every other slice runs backwards, so that who is cut need not move at its end
	ends     []sim.Time // of the shares on the line, by active
}

func (a *wrapped) start(p *planned) error {
	a.p = p
	unit := sim.Time(1)
	if a.exact {
		unit = commonUnit(p.view.Tasks())
	}
	a.begin(p.view, unit)
	for i := range a.all {
		// Backwards, a slice idles first: a job that comes in its middle could find too little left.
		a.mirrored = a.mirrored && (a.all[i].known || !a.all[i].granted)
	}
	return nil
}

// commonUnit is the greatest time of which all times of the tasks are multiples; a nanosecond if there are
// some that are not known.
func commonUnit(tasks []sim.Task) sim.Time {
	var unit sim.Time
	for i := range tasks {
		t := &tasks[i]
		if t.Kind != sim.Periodic || t.Jitter > 0 || t.Execution != nil {
			return 1
		}
		for _, x := range []sim.Time{t.Offset, t.Period, t.Deadline, t.WCET} {
			unit = gcd(unit, x)
		}
	}
	return max(1, unit)
}

func gcd(a, b sim.Time) sim.Time {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (a *wrapped) choose(now sim.Time) sim.Time {
	if a.renew(now) {
		a.lay()
	}
	next, length := a.to, a.to-a.from
	at := 0
	for processor := range a.p.want {
		// place is where the processor is on the line; it moves on, or back, until a share ends.
		place := sim.Time(processor)*length + now - a.from
		backwards := a.mirrored && a.odd
		if backwards {
			place = sim.Time(processor+1)*length - (now - a.from) - 1
		}
		for at < len(a.ends) && a.ends[at] <= place {
			at++
		}
		if at == len(a.ends) {
			if backwards {
				next = min(next, now+place-a.total()+1)
			}
			break
		}
		next = min(next, now+a.span(at, place, backwards))
		if k := a.active[at]; k.left > 0 && !a.p.chosen[k.index] {
			a.p.give(processor, k.job)
		}
	}
	return next
}

// lay lays out the shares on the line.
func (a *wrapped) lay() {
	a.ends = a.ends[:0]
	var end sim.Time
	for _, k := range a.active {
		end += k.left
		a.ends = append(a.ends, end)
	}
}

// total is the length of the line.
func (a *wrapped) total() sim.Time {
	if len(a.ends) == 0 {
		return 0
	}
	return a.ends[len(a.ends)-1]
}

// span is how long a processor at that place stays within the share.
func (a *wrapped) span(at int, place sim.Time, backwards bool) sim.Time {
	if !backwards {
		return a.ends[at] - place
	}
	if at == 0 {
		return place + 1
	}
	return place + 1 - a.ends[at-1]
}

// NewDPWrap is DP-WRAP: McNaughton's wrap around rule in each slice, mirrored in every other one. It is
// optimal. (Levin, Funk, Sadowski, Pye and Brandt, ECRTS 2010.)
func NewDPWrap() sim.Scheduler { return &planned{algorithm: &wrapped{mirrored: true}} }

// NewBF is boundary fair scheduling, in units of the greatest common divisor of all times. It is optimal for periodic
// tasks. (Zhu, Mossé and Melhem, RTSS 2003; Zhu, Qi, Mossé and Melhem, An Optimal Boundary Fair Scheduling
// Algorithm for Multiprocessor Real-Time Systems, JPDC 71(10), 2011.)
func NewBF() sim.Scheduler { return &planned{algorithm: &wrapped{exact: true}} }

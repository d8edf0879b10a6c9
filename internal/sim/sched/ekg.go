package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// ekg fills one processor after the other with tasks; who does not fit is split between a processor and the next.
// In each slice, from one release to the next one, the parts of a split task run at opposite ends of
// the slice, and whole tasks by EDF between them.
type ekg struct {
	claims
	p        *planned
	group    int // processors between which tasks are split; 0: all
	shares   []sharing
	from, to sim.Time
	odd      bool // every other slice is mirrored, so that who runs at its end goes on
}

// sharing is what a processor runs.
type sharing struct {
	whole []*claim
	// last is split between this processor and the next one. It is served here at a rate of 1 less fill.
	last *claim
	fill rate // of what is before it
	// first is split between the processor before and this one. It is served here at this rate.
	first *claim
	rate  rate
	// head and tail are the parts of the present slice that are for last and first.
	head, tail sim.Time
	owed       sim.Time // to last
}

func (a *ekg) start(p *planned) error {
	a.p, a.from, a.to, a.odd = p, -1, -1, true
	a.admitKnown(p.view)
	a.shares = make([]sharing, p.view.Processors())
	a.assign()
	return nil
}

// assign fills the processors: first tasks that would not leave enough for others, each on its own, if groups
// are not the whole; then all others in their order.
func (a *ekg) assign() {
	processors, group := len(a.shares), a.group
	heavy := rate{whole: 1}
	if group <= 0 || group >= processors {
		group = processors
	} else {
		heavy = rateOf(int64(group), int64(group)+1)
	}
	at := 0
	for i := range a.all {
		if k := &a.all[i]; k.granted && k.rate.compare(heavy) > 0 && at < processors {
			a.shares[at].whole = append(a.shares[at].whole, k)
			at++
		}
	}
	f := filling{shares: a.shares, begin: at, at: at, group: group}
	for i := range a.all {
		if k := &a.all[i]; k.granted && k.task.WCET > 0 && k.rate.compare(heavy) <= 0 {
			k.granted = f.add(k)
		}
	}
}

// filling is how far processors are filled.
type filling struct {
	shares    []sharing
	begin, at int
	group     int
	fill      rate
}

// add gives a task to the processor that is being filled, and what does not fit to the next one; false when no
// processor is left. Between groups nothing is split.
func (f *filling) add(k *claim) bool {
	full := rate{whole: 1}
	const rounding = 1 << 14 // so little room is none
	if f.at < len(f.shares) && f.fill.add(rate{fraction: rounding}).compare(full) >= 0 {
		f.at, f.fill = f.at+1, rate{}
	}
	if f.at >= len(f.shares) {
		return k.rate == rate{}
	}
	sum := f.fill.add(k.rate)
	switch {
	case sum.compare(full) <= 0:
		f.shares[f.at].whole = append(f.shares[f.at].whole, k)
		f.fill = sum
		return true
	case (f.at-f.begin)%f.group == f.group-1 || f.at+1 == len(f.shares):
		f.at, f.fill = f.at+1, rate{}
		return f.add(k)
	}
	f.shares[f.at].last, f.shares[f.at].fill = k, f.fill
	f.at, f.fill = f.at+1, sum.minus(full)
	f.shares[f.at].first, f.shares[f.at].rate = k, f.fill
	return true
}

// cut begins a slice. Parts are what has to be done from the beginning of time to its end, less what had
// to be done before it, in whole nanoseconds: so both parts of a task together are exact at its deadlines.
func (a *ekg) cut(now sim.Time) {
	a.close(now)
	if now > a.from {
		a.odd = !a.odd
	}
	a.from, a.to = now, a.next(now)
	if a.to == sim.Never {
		return
	}
	for i := range a.shares {
		a.shares[i].cut(now, a.to)
	}
}

// cut makes the parts of a slice. Where whole tasks need less than a nanosecond of it, both parts could be longer than
// the slice by one: the next slice gives it back.
func (s *sharing) cut(from, to sim.Time) {
	s.head, s.tail = 0, 0
	if s.first != nil {
		s.tail = s.rate.times(to).floor() - s.rate.times(from).floor()
	}
	if s.last != nil {
		due := s.owed + to - from - (s.fill.times(to).floor() - s.fill.times(from).floor())
		s.head = min(due, to-from-s.tail)
		s.owed = due - s.head
	}
}

func (a *ekg) choose(now sim.Time) sim.Time {
	if now >= a.to {
		a.cut(now)
	}
	next := a.to
	for i := range a.shares {
		s := &a.shares[i]
		split, until := s.split(now-a.from, a.to-a.from, a.odd)
		next = min(next, a.from+until)
		if split != nil && split.open() != nil && !a.p.chosen[split.index] {
			a.p.give(i, split.job)
		} else if j := earliest(s.whole); j != nil {
			a.p.give(i, j)
		}
	}
	return next
}

// split is the split task whose part it is at that place in the slice, if any, and where that changes.
func (s *sharing) split(place, length sim.Time, mirrored bool) (k *claim, until sim.Time) {
	begin, end, front, back := s.last, s.first, s.head, s.tail
	if mirrored {
		begin, end, front, back = end, begin, back, front
	}
	switch {
	case place < front:
		return begin, front
	case place < length-back:
		return nil, length - back
	}
	return end, length
}

// NewEKG is EKG with groups of so many processors; 0: all are one group. Then it is optimal for periodic tasks. The
// smaller the groups, the fewer preemptions, and the less can be used: k/(k+1) of each processor. (Andersson
// and Tovar, Multiprocessor Scheduling with Few Preemptions, RTCSA 2006.)
func NewEKG(group int) sim.Scheduler { return &planned{algorithm: &ekg{group: group}} }

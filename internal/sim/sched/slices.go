package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// fluidSlices cuts time at all releases and deadlines, and gives each job in its window a share of each slice so
// that at the end of the slice it has had what a fluid schedule would have given it, rounded to whole units.
// (Levin, Funk, Sadowski, Pye and Brandt, DP-FAIR: A Simple Model for Understanding Optimal Multiprocessor
// Scheduling, ECRTS 2010.) Which jobs get a unit more is up to the rule of boundary fairness, so that no deadline
// is ever missed by a unit. (Zhu, Mossé and Melhem, Multiple-Resource Periodic Scheduling Problem: how much
// fairness is necessary?, RTSS 2003.)
//
// Where a job is released at a time that was not known, the rest of the slice is cut anew; every other
// job keeps on a line to what it would have had at the end of the slice.
type fluidSlices struct {
	claims
	unit     sim.Time
	generous bool // what is left of a slice is given away too
	roundsUp bool // shares are rounded up in slices that have room for it

	from, to sim.Time
	fresh    bool     // a window has opened since
	odd      bool     // every other slice
	active   []*claim // with a job in its window
	room     sim.Time // of the slice that is left to give
	eligible []*claim
	ahead    []sim.Time // boundaries from to on
}

func (s *fluidSlices) begin(v sim.View, unit sim.Time) {
	s.admit(v)
	s.unit, s.from, s.to, s.odd = unit, -1, -1, true
}

func (s *fluidSlices) appeared(j *sim.Job) {
	s.claims.appeared(j)
	if s.all[j.Index].job != nil {
		s.fresh = true
	}
}

// renew begins a slice if the last one is over or has changed, and then says what is left of all shares.
func (s *fluidSlices) renew(now sim.Time) (begun bool) {
	if now >= s.to || s.fresh {
		s.bend(now)
		s.close(now)
		s.cut(now)
		begun = true
	}
	for _, k := range s.active {
		if k.left = k.idle; k.open() != nil {
			k.left = max(0, k.target+k.idle-s.done(k))
		}
	}
	return begun
}

// bend makes the end of a slice that is not over yet a knee in the lines of its jobs. Those that have done more or
// less than on the line go on from where they are.
func (s *fluidSlices) bend(now sim.Time) {
	inside := s.from < now && now < s.to
	for _, k := range s.active {
		if k.open() == nil {
			continue
		}
		for len(k.knees) > 0 && k.knees[0].at <= now {
			k.from, k.base = k.knees[0].at, k.knees[0].work
			k.knees = slices.Delete(k.knees, 0, 1)
		}
		if !inside || k.from == now {
			continue
		}
		if k.until > s.to && (len(k.knees) == 0 || k.knees[0].at > s.to) {
			k.knees = slices.Insert(k.knees, 0, knee{s.to, k.fair})
		}
		k.from, k.base = now, s.done(k)
	}
}

// cut makes a slice from now to the next boundary and shares it out.
func (s *fluidSlices) cut(now sim.Time) {
	if now > s.from {
		s.odd = !s.odd
	}
	s.from, s.to, s.fresh = now, s.next(now), false
	s.active, s.ahead = s.active[:0], s.ahead[:0]
	for i := range s.all {
		if k := &s.all[i]; k.job != nil {
			s.active = append(s.active, k)
			if len(k.knees) > 0 {
				s.to = min(s.to, k.knees[0].at)
			}
		}
	}
	if len(s.active) == 0 {
		return
	}
	s.ahead = append(s.ahead, s.to)
	s.share()
}

// share gives every job the whole units of its fluid share, and one more to the most urgent ones.
func (s *fluidSlices) share() {
	length := s.to - s.from
	if s.roundsUp && s.shareUp(length) {
		return
	}
	s.room = length * sim.Time(s.view.Processors())
	s.eligible = s.eligible[:0]
	for _, k := range s.active {
		done := s.done(k)
		whole, broken := s.units(k, s.to)
		share := min(max(0, whole-done), length, s.room)
		k.target, k.idle, k.idles = done+share, 0, false
		s.room -= share
		if broken && done <= whole && share+s.unit <= length {
			s.eligible = append(s.eligible, k)
		}
	}
	if sim.Time(len(s.eligible))*s.unit > s.room {
		slices.SortFunc(s.eligible, s.compare)
	}
	for _, k := range s.eligible {
		if s.room < s.unit {
			break
		}
		k.target += s.unit
		s.room -= s.unit
	}
	for _, k := range s.active {
		k.fair = k.target
	}
	if s.generous {
		s.giveAway(length)
	}
}

// shareUp gives every job its share of a slice, rounded up by itself, and reports whether the slice has room for
// that. No job falls behind the fluid schedule. What a job has no work for is left idle.
func (s *fluidSlices) shareUp(length sim.Time) bool {
	room := length * sim.Time(s.view.Processors())
	for _, k := range s.active {
		done := s.done(k)
		target, broken, _ := k.fluid(s.to)
		if broken > 0 {
			target++
		}
		steady := k.rate.times(length)
		if steady.fraction >= hair {
			steady.whole++
		}
		target = max(target, done+steady.whole)
		k.target = min(target, k.task.WCET)
		k.idle, k.idles = target-k.target, false
		share := target - done
		room -= share
		if share > length || room < 0 {
			return false
		}
	}
	for _, k := range s.active {
		k.fair = k.target
	}
	return true
}

// giveAway gives what is left of the slice to those with the earliest deadlines.
func (s *fluidSlices) giveAway(length sim.Time) {
	slices.SortStableFunc(s.active, func(a, b *claim) int { return cmp.Compare(a.until, b.until) })
	for _, k := range s.active {
		done := s.done(k)
		more := min(s.room, length-(k.target-done), k.task.WCET-k.target)
		k.target += max(0, more)
		s.room -= max(0, more)
	}
}

// units is the work that is to be done at t, cut to whole units, and whether something was cut off.
func (s *fluidSlices) units(k *claim, t sim.Time) (whole sim.Time, broken bool) {
	q, r, _ := k.fluid(t)
	rest := q % s.unit
	return q - rest, rest > 0 || r > 0
}

// boundary is the n-th boundary from the end of the slice on.
func (s *fluidSlices) boundary(n int) sim.Time {
	for len(s.ahead) <= n {
		s.ahead = append(s.ahead, s.next(s.ahead[len(s.ahead)-1]))
	}
	return s.ahead[n]
}

// compare orders jobs by the need for a unit now: first those that will need all of the slices to come and
// more, then those that can wait shorter.
func (s *fluidSlices) compare(a, b *claim) int {
	const far = 1 << 10 // slices; a window has few that are needed wholly
	for n := range far {
		x, y := s.need(a, n), s.need(b, n)
		switch {
		case x != y:
			return y - x
		case x < 0:
			return cmp.Or(s.patience(a, b, s.boundary(n)), a.index-b.index)
		case x == 0:
			return a.index - b.index
		}
	}
	return a.index - b.index
}

// need is 1, 0 or -1 when a job that gets no unit more before the n-th boundary needs more than the whole slice
// after it, just that, or less.
func (s *fluidSlices) need(k *claim, n int) int {
	from := s.boundary(n)
	if from >= k.until {
		return -1
	}
	to := min(s.boundary(n+1), k.until)
	had, _ := s.units(k, from)
	q, r, _ := k.fluid(to)
	over := q - had - (to - from)
	switch {
	case over > 0 || over == 0 && r > 0:
		return 1
	case over == 0:
		return 0
	}
	return -1
}

// patience compares the times that jobs take after t to collect a claim to a whole unit.
func (s *fluidSlices) patience(a, b *claim, t sim.Time) int {
	x, y := s.collect(a, t), s.collect(b, t)
	return x.compare(y)
}

// collect is the time after t at which the fluid schedule has done a whole unit.
func (s *fluidSlices) collect(k *claim, t sim.Time) rate {
	if t >= k.until {
		return rate{whole: sim.Never}
	}
	from, to := k.piece(t + 1)
	length, work := to.at-from.at, max(0, to.work-from.work)
	q, r := part(work, t-from.at, length)
	return quotient(s.unit-(from.work+q)%s.unit, length, r, max(1, work))
}

package analysis

import "math/big"

// EDF reports whether preemptive earliest-deadline-first scheduling on one processor meets all deadlines.
// The verdict is exact for sporadic tasks; with jitter or blocking it is sufficient. What is not decided
// within ten million steps is not accepted.
//
// It is the processor demand criterion of Baruah, Rosier and Howell (RTS 2(4), 1990), checked by Zhang's
// and Burns' QPA (Schedulability Analysis for Real-Time Systems with EDF Scheduling, IEEE TC 58(9), 2009).
func EDF(s Set) bool {
	u := s.Utilization()
	one := big.NewRat(1, 1)
	if u.Cmp(one) > 0 {
		return false
	}
	end, bounded := s.demandHorizon(u)
	if !bounded {
		return false
	}
	shortest := s[0].D - s[0].J
	for _, t := range s {
		shortest = min(shortest, t.D-t.J)
	}
	if shortest <= 0 {
		return false
	}
	// QPA: from the last deadline before the horizon downwards, as long as the demand fits.
	t := s.deadlineBefore(end)
	for step := 0; t >= shortest; step++ {
		if step > rounds {
			return false
		}
		demand := s.Demand(t)
		switch {
		case demand > t:
			return false
		case demand < t && demand >= shortest:
			t = demand
		case demand < shortest:
			return true
		default:
			t = s.deadlineBefore(t)
		}
	}
	return true
}

// Demand is the work of all jobs that arrive and have their deadlines within t, and the longest blocking
// by a task whose deadline is later.
func (s Set) Demand(t int64) int64 {
	sum, blocked := int64(0), int64(0)
	for _, task := range s {
		d := task.D - task.J
		if t >= d {
			sum += ((t-d)/task.T + 1) * task.C
			blocked = max(blocked, task.B)
		}
	}
	return sum + blocked
}

// demandHorizon is a time such that, if the demand fits up to it, it fits always: the smaller one of the
// synchronous busy period and, below full utilization, the bound max(D, sum((T-D)u)/(1-U)).
func (s Set) demandHorizon(u *big.Rat) (int64, bool) {
	busy, settled := s.busyPeriod()
	one := big.NewRat(1, 1)
	if u.Cmp(one) == 0 {
		return busy, settled
	}
	slack, longest, blocked := new(big.Rat), int64(0), int64(0)
	for _, t := range s {
		d := t.D - t.J
		longest, blocked = max(longest, d), max(blocked, t.B)
		slack.Add(slack, new(big.Rat).Mul(big.NewRat(t.T-d, 1), big.NewRat(t.C, t.T)))
	}
	slack.Add(slack, big.NewRat(blocked, 1))
	slack.Quo(slack, new(big.Rat).Sub(one, u))
	bound := new(big.Int).Quo(slack.Num(), slack.Denom())
	la := longest
	if bound.IsInt64() {
		la = max(longest, bound.Int64()+1)
	} else if !settled {
		return 0, false
	}
	if settled {
		la = min(la, max(busy, longest))
	}
	return la, true
}

// busyPeriod is the length of the synchronous busy period.
func (s Set) busyPeriod() (int64, bool) {
	w, blocked := int64(0), int64(0)
	for _, t := range s {
		w += t.C
		blocked = max(blocked, t.B)
	}
	for range rounds {
		next := blocked
		for _, t := range s {
			next += ceil(w+t.J, t.T) * t.C
		}
		if next == w {
			return w, true
		}
		if next > largest {
			return 0, false
		}
		w = next
	}
	return 0, false
}

// deadlineBefore is the last deadline before t in the synchronous schedule; less than every deadline if
// there is none.
func (s Set) deadlineBefore(t int64) int64 {
	last := int64(-1)
	for _, task := range s {
		d := task.D - task.J
		if t <= d {
			continue
		}
		last = max(last, (t-d-1)/task.T*task.T+d)
	}
	return last
}

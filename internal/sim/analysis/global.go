package analysis

import "math/big"

// GFB reports whether global EDF on so many processors is safe because the density is at most
// m - (m-1) times the largest density. (Goossens, Funk and Baruah, Priority-Driven Scheduling of Periodic
// Task Systems on Multiprocessors, RTS 25, 2003; in densities for constrained deadlines.)
func GFB(s Set, processors int) bool {
	largest := new(big.Rat)
	for _, t := range s {
		if d := t.density(); d.Cmp(largest) > 0 {
			largest = d
		}
	}
	bound := big.NewRat(int64(processors), 1)
	bound.Sub(bound, largest.Mul(largest, big.NewRat(int64(processors-1), 1)))
	return s.Density().Cmp(bound) <= 0
}

// BAK reports whether Baker's test accepts the set for global EDF. It needs deadlines of at most a period.
// (Baker, Multiprocessor EDF and Deadline Monotonic Schedulability Analysis, RTSS 2003.)
func BAK(s Set, processors int) bool {
	if s.overloaded(processors) || !s.constrained() {
		return false
	}
	one := big.NewRat(1, 1)
	for _, k := range s {
		lambda := k.density()
		bound := new(big.Rat).Sub(one, lambda)
		bound.Mul(bound, big.NewRat(int64(processors), 1)).Add(bound, lambda)
		sum := new(big.Rat)
		for _, i := range s {
			beta := bakerLoad(i, k, lambda)
			if beta.Cmp(one) > 0 {
				beta = one
			}
			sum.Add(sum, beta)
		}
		if sum.Cmp(bound) > 0 {
			return false
		}
	}
	return true
}

// bakerLoad bounds the load of task i in the window of a problem job of task k.
func bakerLoad(i, k Task, lambda *big.Rat) *big.Rat {
	u := big.NewRat(i.C, i.T)
	beta := big.NewRat(i.T-i.D+k.D, k.D)
	beta.Mul(beta, u)
	if u.Cmp(lambda) > 0 {
		carried := new(big.Rat).Mul(lambda, big.NewRat(i.T, 1))
		carried.Sub(big.NewRat(i.C, 1), carried).Quo(carried, big.NewRat(k.D, 1))
		beta.Add(beta, carried)
	}
	return beta
}

// BCL reports whether the test of Bertogna, Cirinei and Lipari accepts the set for global EDF. It needs
// deadlines of at most a period. (Improved Schedulability Analysis of EDF on Multiprocessor Platforms,
// ECRTS 2005, theorem 5.)
func BCL(s Set, processors int) bool {
	if s.overloaded(processors) || !s.constrained() {
		return false
	}
	for k := range s {
		if !s.bclTask(k, processors) {
			return false
		}
	}
	return true
}

// bclTask compares in units of work: both sides of the inequation are multiplied by D of task k.
func (s Set) bclTask(k, processors int) bool {
	room, sum, small := s[k].D-s[k].C, int64(0), false
	for i, t := range s {
		if i == k {
			continue
		}
		work := edfInterference(t, s[k].D, 0)
		small = small || 0 < work && work <= room
		sum += min(work, room)
	}
	bound := int64(processors) * room
	return sum < bound || small && sum == bound
}

// edfInterference bounds how long jobs of task t run, in a window as long as deadline, with priority over a
// job that is released at its start and has its deadline at its end, when every job of t ends at least
// slack before its own deadline.
func edfInterference(t Task, deadline, slack int64) int64 {
	n := max(0, floorDiv(deadline-t.D, t.T)+1)
	return n*t.C + min(t.C, max(0, deadline-n*t.T-slack))
}

// floorDiv is a/b, rounded down; b is positive.
func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -ceil(-a, b)
	}
	return a / b
}

// BCLIterative reports whether the slack-based refinement of BCL accepts the set: the slack that one task is
// known to have makes less of it interfere with the others. (The same paper, section 5.)
func BCLIterative(s Set, processors int) bool {
	if s.overloaded(processors) || !s.constrained() {
		return false
	}
	slack := make([]int64, len(s))
	for range rounds {
		changed, all := false, true
		for k, task := range s {
			work := int64(0)
			for i, t := range s {
				if i != k {
					work += min(edfInterference(t, task.D, slack[i]), task.D-task.C+1)
				}
			}
			found := task.D - task.C - work/int64(processors)
			all = all && found >= 0
			if found > slack[k] {
				slack[k], changed = found, true
			}
		}
		if all || !changed {
			return all
		}
	}
	return false
}

package analysis

import (
	"cmp"
	"slices"
)

// RateMonotonic is the order of the tasks, highest priority first, by shorter period; equal ones stay in
// order. The numbers are indices of the set. (Liu and Layland 1973: optimal for implicit deadlines.)
func RateMonotonic(s Set) []int { return s.order(func(t Task) int64 { return t.T }) }

// DeadlineMonotonic is the order by shorter deadline. (Leung and Whitehead, On the Complexity of Fixed-Priority
// Scheduling of Periodic, Real-Time Tasks, Performance Evaluation 2(4), 1982: optimal for deadlines of at
// most a period, without jitter.)
func DeadlineMonotonic(s Set) []int { return s.order(func(t Task) int64 { return t.D }) }

func (s Set) order(key func(Task) int64) []int {
	order := make([]int, len(s))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key(s[a]), key(s[b])) })
	return order
}

// Audsley finds an order of priorities, highest first, in which every task meets its deadline on one
// processor; false when there is none. It is optimal also for deadlines beyond the period, and with jitter
// and blocking that do not depend on the order. (Audsley, On Priority Assignment in Fixed Priority
// Scheduling, Information Processing Letters 79(1), 2001.)
func Audsley(s Set) ([]int, bool) {
	left := DeadlineMonotonic(s)
	order := make([]int, 0, len(s))
	for len(left) > 0 {
		lowest := -1
		for at := len(left) - 1; at >= 0 && lowest < 0; at-- {
			if s.lowestFits(left, at) {
				lowest = at
			}
		}
		if lowest < 0 {
			return nil, false
		}
		order = append(order, left[lowest])
		left = slices.Delete(left, lowest, lowest+1)
	}
	slices.Reverse(order)
	return order, true
}

// lowestFits reports whether the task at that place meets its deadline below all others that are left.
func (s Set) lowestFits(left []int, at int) bool {
	others := append(slices.Clone(left[:at]), left[at+1:]...)
	below := s.Pick(append(others, left[at]))
	r, err := ResponseTime(below, len(below)-1)
	return err == nil && r <= s[left[at]].D
}

// Pick is the set in another order, or a part of it.
func (s Set) Pick(order []int) Set {
	out := make(Set, len(order))
	for i, at := range order {
		out[i] = s[at]
	}
	return out
}

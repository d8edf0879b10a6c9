package analysis

import "slices"

// GlobalEDF bounds the response times under global EDF on so many processors, and says whether all tasks
// are safe. A bound is -1 where there is none. It needs deadlines of at most a period. (Bertogna and
// Cirinei, Response-Time Analysis for Globally Scheduled Symmetric Multiprocessor Platforms, RTSS 2007.)
func GlobalEDF(s Set, processors int) (bounds []int64, schedulable bool) {
	bounds = make([]int64, len(s))
	for i := range bounds {
		bounds[i] = -1
	}
	if s.overloaded(processors) || !s.constrained() {
		return bounds, false
	}
	slack := make([]int64, len(s))
	for range rounds {
		changed := false
		for k, task := range s {
			r, ok := s.edfResponse(k, processors, slack)
			if !ok {
				continue
			}
			bounds[k] = r
			if found := task.D - r; found > slack[k] {
				slack[k], changed = found, true
			}
		}
		if !changed || !slices.Contains(bounds, -1) {
			break
		}
	}
	return bounds, !slices.Contains(bounds, -1)
}

func (s Set) edfResponse(k, processors int, slack []int64) (int64, bool) {
	return fixedPoint(s[k].C, s[k].D, func(r int64) int64 {
		work := int64(0)
		for i, t := range s {
			if i != k {
				carried := workload(t, r, t.D-slack[i])
				work += min(carried, edfInterference(t, s[k].D, slack[i]), r-s[k].C+1)
			}
		}
		return s[k].C + work/int64(processors)
	})
}

// workload bounds how long jobs of t run in a window of the length, when none takes longer than response.
func workload(t Task, length, response int64) int64 {
	span := length + response - t.C
	n := span / t.T
	return n*t.C + min(t.C, span-n*t.T)
}

// fixedPoint is the smallest r >= from with next(r) = r; false when it is beyond limit.
func fixedPoint(from, limit int64, next func(int64) int64) (int64, bool) {
	r := from
	for range rounds {
		n := next(r)
		if n == r {
			return r, true
		}
		if n > limit {
			return 0, false
		}
		r = n
	}
	return 0, false
}

// GlobalFixedPriority bounds the response times under global fixed priorities, the order of the set, and
// says whether all tasks are safe. A task behind one without a bound has none either: -1. It needs
// deadlines of at most a period. (Bertogna and Cirinei, RTSS 2007, as above.)
func GlobalFixedPriority(s Set, processors int) (bounds []int64, schedulable bool) {
	return s.byPriority(processors, func(k int, bounds []int64, r int64) int64 {
		work := int64(0)
		for i, t := range s[:k] {
			work += workload(t, r, bounds[i])
		}
		return work
	})
}

// GlobalFixedPriorityGuan is a tighter one: at most processors-1 tasks have a job that was released before
// the window and reaches into it. (Guan, Stigge, Yi and Yu, New Response Time Bounds for Fixed Priority
// Multiprocessor Scheduling, RTSS 2009.)
func GlobalFixedPriorityGuan(s Set, processors int) (bounds []int64, schedulable bool) {
	return s.byPriority(processors, func(k int, bounds []int64, r int64) int64 {
		work := int64(0)
		var extra []int64
		for i, t := range s[:k] {
			room := r - s[k].C + 1
			fresh := min(r/t.T*t.C+min(t.C, r%t.T), room)
			work += fresh
			if more := min(carriedIn(t, r, bounds[i]), room) - fresh; more > 0 {
				extra = append(extra, more)
			}
		}
		slices.SortFunc(extra, func(a, b int64) int { return int(min(1, max(-1, b-a))) })
		for _, e := range extra[:min(len(extra), processors-1)] {
			work += e
		}
		return work
	})
}

// carriedIn bounds the work of t in a window of the length, when one of its jobs reaches into it.
func carriedIn(t Task, length, response int64) int64 {
	rest := max(0, length-t.C)
	before := max(0, rest%t.T-(t.T-response))
	return rest/t.T*t.C + t.C + min(max(0, min(t.C-1, before)), t.C)
}

func (s Set) byPriority(processors int, interference func(k int, bounds []int64, r int64) int64) ([]int64, bool) {
	bounds := make([]int64, len(s))
	for i := range bounds {
		bounds[i] = -1
	}
	if s.overloaded(processors) || !s.constrained() {
		return bounds, false
	}
	for k, task := range s {
		if k < processors { // there is always a processor for it
			bounds[k] = task.C
			continue
		}
		r, ok := fixedPoint(task.C, task.D, func(r int64) int64 {
			return task.C + interference(k, bounds, r)/int64(processors)
		})
		if !ok {
			return bounds, false
		}
		bounds[k] = r
	}
	return bounds, true
}

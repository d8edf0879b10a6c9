package analysis

import (
	"errors"
	"math/big"
)

// ErrUnbounded is returned when a response time grows without end.
var ErrUnbounded = errors.New("the response time is not bounded: the utilization is above 1")

// ErrUndecided is returned when an answer takes more than ten million steps, as with periods that have
// billions of jobs in one busy period.
var ErrUndecided = errors.New("not decided within ten million steps: use a coarser unit of time")

// rounds bounds the steps of every test; what is not decided by then is not accepted.
const rounds = 10_000_000

// ResponseTimes are the worst-case response times under preemptive fixed priorities on one processor, from
// arrival to end, and whether each task meets its deadline. Priorities are the order of the set. The
// response time of a task that may miss its deadline is -1. It is exact for sporadic tasks that can be
// released together.
//
// Without deadlines beyond the period it is Joseph's and Pandya's (Finding Response Times in a Real-Time
// System, Computer Journal 29(5), 1986) with the jitter and blocking of Audsley and others (Applying New
// Scheduling Theory to Static Priority Pre-emptive Scheduling, SEJ 8(5), 1993); otherwise all jobs of the
// busy period are looked at as in Lehoczky (Fixed Priority Scheduling of Periodic Task Sets with Arbitrary
// Deadlines, RTSS 1990).
func ResponseTimes(s Set) (worst []int64, schedulable bool) {
	worst, schedulable = make([]int64, len(s)), true
	for i := range s {
		r, err := ResponseTime(s, i)
		if err != nil || r > s[i].D {
			r, schedulable = -1, false
		}
		worst[i] = r
	}
	return worst, schedulable
}

// ResponseTime is the worst-case response time of task i, also beyond its deadline.
func ResponseTime(s Set, i int) (int64, error) {
	all, err := BusyPeriod(s, i)
	if err != nil {
		return 0, err
	}
	worst := int64(0)
	for _, r := range all {
		worst = max(worst, r)
	}
	return worst, nil
}

// BusyPeriod is the response times of the jobs of task i in the longest time in which the processor works
// for it and for tasks of higher priority without a pause; the worst one is among them.
func BusyPeriod(s Set, i int) ([]int64, error) {
	if s[:i+1].Utilization().Cmp(big.NewRat(1, 1)) > 0 {
		return nil, ErrUnbounded
	}
	t, steps := s[i], 0
	var responses []int64
	w := t.C + t.B
	for q := int64(0); ; q++ {
		w = max(w, (q+1)*t.C+t.B)
		for next := s.pushed(i, q, w); next != w; next = s.pushed(i, q, w) {
			w, steps = next, steps+1
			if w > largest || steps > rounds {
				return nil, ErrUndecided
			}
		}
		responses = append(responses, w+t.J-q*t.T)
		if w+t.J <= (q+1)*t.T {
			return responses, nil
		}
		if steps++; steps > rounds {
			return nil, ErrUndecided
		}
	}
}

// pushed is the end of job q of task i, counted from the start of the busy period, if it were at least w.
func (s Set) pushed(i int, q, w int64) int64 {
	end := (q+1)*s[i].C + s[i].B
	for _, h := range s[:i] {
		end += ceil(w+h.J, h.T) * h.C
	}
	return end
}

// ceil is a/b, rounded up; a is not negative.
func ceil(a, b int64) int64 { return (a + b - 1) / b }

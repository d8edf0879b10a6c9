package sim_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// tasks are periodic ones of (WCET, period) or (WCET, period, deadline) in milliseconds, numbered from 1.
func tasks(times ...[]sim.Time) []sim.Task {
	all := make([]sim.Task, len(times))
	for i, c := range times {
		all[i] = sim.Task{ID: i + 1, WCET: c[0] * ms, Period: c[1] * ms}
		if len(c) > 2 {
			all[i].Deadline = c[2] * ms
		}
	}
	return all
}

// worst are the longest response times of the tasks.
func worst(jobs []sim.Record, n int) []sim.Time {
	longest := make([]sim.Time, n)
	for _, j := range jobs {
		if j.Ended != sim.Never {
			longest[j.Index] = max(longest[j.Index], j.Response())
		}
	}
	return longest
}

// TestF1RateMonotonicOnOneProcessor reaches the response times that the analysis gives.
func TestF1RateMonotonicOnOneProcessor(t *testing.T) {
	for _, c := range []struct {
		tasks    []sim.Task
		duration sim.Time
		want     []sim.Time
	}{
		{tasks([]sim.Time{3, 7}, []sim.Time{3, 12}, []sim.Time{5, 20}), 420, []sim.Time{3, 6, 20}},
		{tasks([]sim.Time{4, 16}, []sim.Time{5, 40}, []sim.Time{32, 80}), 80, []sim.Time{4, 9, 58}},
		{tasks([]sim.Time{5, 20}, []sim.Time{10, 40}, []sim.Time{40, 80}), 80, []sim.Time{5, 15, 80}},
		{tasks([]sim.Time{40, 100}, []sim.Time{40, 150}, []sim.Time{100, 350}), 2100, []sim.Time{40, 80, 300}},
		{tasks([]sim.Time{1, 3}, []sim.Time{1, 5}, []sim.Time{1, 6}, []sim.Time{2, 10}), 30, []sim.Time{1, 2, 3, 9}},
	} {
		jobs, totals := run(t, &sim.System{Duration: c.duration * ms, Processors: processors(1), Tasks: c.tasks}, "RM")
		got := worst(jobs, len(c.tasks))
		for i := range got {
			got[i] /= ms
		}
		if !slices.Equal(got, c.want) || totals.Missed != 0 {
			t.Errorf("worst response times %v ms, %d missed; want %v and none", got, totals.Missed, c.want)
		}
	}
}

// TestF2EarliestDeadlineFirstUsesAllOfAProcessor: no miss at utilization 1, where RM has one.
func TestF2EarliestDeadlineFirstUsesAllOfAProcessor(t *testing.T) {
	full := &sim.System{Duration: 120 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{2, 4}, []sim.Time{3, 6})}
	if _, totals := run(t, full, "EDF"); totals.Missed != 0 || totals.Processors[0].Busy != 120*ms {
		t.Errorf("EDF: %d missed, busy %d; want none in 120 ms without a pause", totals.Missed, totals.Processors[0].Busy)
	}
	high := &sim.System{Duration: 35 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{2, 5}, []sim.Time{4, 7})}
	if _, totals := run(t, high, "EDF"); totals.Missed != 0 {
		t.Errorf("EDF at .971: %d missed, want 0", totals.Missed)
	}
	if jobs, totals := run(t, high, "RM"); totals.Missed == 0 || of(jobs, 1)[0].Ended != 8*ms {
		t.Errorf("RM at .971: %d missed, task 2 ends at %d; want its first job late at 8 ms", totals.Missed, of(jobs, 1)[0].Ended)
	}
}

// TestF3FixedPrioritiesAndTheirDirection: large is urgent, for Genode 0 is.
func TestF3FixedPrioritiesAndTheirDirection(t *testing.T) {
	for _, c := range []struct {
		scheduler string
		a, b      int64
		first     int
	}{{"FP", 5, 1, 1}, {"FP", 1, 5, 2}, {"FP", -1 << 63, 1<<63 - 1, 2}, {"Genode-FP", 5, 1, 2}, {"Genode-FP", 0, 5, 1}} {
		s := &sim.System{Duration: 10 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{2, 10}, []sim.Time{3, 10})}
		s.Tasks[0].Priority, s.Tasks[1].Priority = c.a, c.b
		jobs, _ := run(t, s, c.scheduler)
		if got := jobs[0].Task.ID; got != c.first {
			t.Errorf("%s with priorities %d and %d: task %d ends first, want %d", c.scheduler, c.a, c.b, got, c.first)
		}
	}
}

// TestF4EqualPrioritiesAreServedInOrder without preemption.
func TestF4EqualPrioritiesAreServedInOrder(t *testing.T) {
	s := &sim.System{Duration: 20 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{2, 20}, []sim.Time{3, 20}, []sim.Time{4, 20})}
	s.Tasks[0].Offset, s.Tasks[1].Offset = 2*ms, ms
	jobs, totals := run(t, s, "FP")
	for i, want := range []int{3, 2, 1} {
		if jobs[i].Task.ID != want {
			t.Errorf("task %d ends as number %d, want task %d", jobs[i].Task.ID, i+1, want)
		}
	}
	if totals.Preemptions != 0 {
		t.Errorf("%d preemptions, want 0", totals.Preemptions)
	}
}

// TestF5OffsetsAndConstrainedDeadlines, by hand: at 3 ms the later deadline waits, and starts again at 5.
func TestF5OffsetsAndConstrainedDeadlines(t *testing.T) {
	s := &sim.System{Duration: 20 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{2, 10, 4}, []sim.Time{4, 20, 15})}
	s.Tasks[0].Offset = 3 * ms
	jobs, totals := run(t, s, "EDF")
	a, b := of(jobs, 0)[0], of(jobs, 1)[0]
	if a.Released != 3*ms || a.Deadline != 7*ms || a.Ended != 5*ms || b.Ended != 6*ms || b.Preemptions != 1 || totals.Missed != 0 {
		t.Errorf("task 1: released %d, deadline %d, ends %d; task 2 ends %d after %d preemptions", a.Released, a.Deadline, a.Ended, b.Ended, b.Preemptions)
	}
}

// TestF6TimesBelowAMillisecondAreExact: nothing drifts.
func TestF6TimesBelowAMillisecondAreExact(t *testing.T) {
	const wcet, period = 1_001_000, 8_200_000
	s := &sim.System{Duration: sim.Second, Processors: processors(1), Tasks: []sim.Task{{ID: 1, WCET: wcet, Period: period}}}
	jobs, _ := run(t, s, "EDF")
	for i, j := range jobs {
		if at := sim.Time(i) * period; j.Released != at || j.Ended != at+wcet {
			t.Fatalf("job %d: released %d, ends %d, want %d and %d", j.Number, j.Released, j.Ended, at, at+wcet)
		}
	}
	if len(jobs) != 122 {
		t.Errorf("%d jobs, want 122", len(jobs))
	}
}

// TestF9ReleasedByTheEndOfAnother, aborted or not; circles and strangers are refused.
func TestF9ReleasedByTheEndOfAnother(t *testing.T) {
	s := &sim.System{Duration: 30 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{6, 10, 4}, []sim.Time{2, 10, 6}, []sim.Time{1, 10})}
	s.Tasks[0].OnMiss, s.Tasks[0].Follows, s.Tasks[0].Follower = sim.Abort, true, 1
	s.Tasks[1].Kind, s.Tasks[1].Follows, s.Tasks[1].Follower = sim.Aperiodic, true, 2
	s.Tasks[2].Kind = sim.Aperiodic
	jobs, _ := run(t, s, "EDF")
	for i := range sim.Time(3) {
		second, third := of(jobs, 1)[i], of(jobs, 2)[i]
		if at := 10*i*ms + 4*ms; second.Released != at || second.Ended != at+2*ms || third.Released != at+2*ms || third.Ended != at+3*ms {
			t.Errorf("chain %d: %d to %d, %d to %d; want them one after the other from %d", i, second.Released, second.Ended, third.Released, third.Ended, at)
		}
	}
	s.Tasks[2].Follows, s.Tasks[2].Follower = true, 1
	if err := s.Check(); !errors.Is(err, sim.ErrInvalid) || !strings.Contains(err.Error(), "follower: 1: leads into a circle") {
		t.Errorf("a circle gives %v", err)
	}
	s.Tasks[2].Follower = 3
	if err := s.Check(); !errors.Is(err, sim.ErrInvalid) || !strings.Contains(err.Error(), "tasks[2].follower: 3: there is no such task") {
		t.Errorf("a stranger gives %v", err)
	}
}

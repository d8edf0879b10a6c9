package sim_test

import (
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestF34TimerTicks: a release is noticed at the next tick, an end at once.
func TestF34TimerTicks(t *testing.T) {
	s := &sim.System{Duration: 30 * ms, Tick: ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, Offset: 300 * us, WCET: 500 * us, Period: 10 * ms},
		{ID: 2, Offset: 2 * ms, WCET: 500 * us, Period: 10 * ms},
		{ID: 3, Offset: 2100 * us, WCET: 2 * ms, Deadline: 2500 * us, Period: 10 * ms, OnMiss: sim.Abort},
		{ID: 4, Offset: 2100 * us, WCET: 9 * ms, CriticalTime: 5500 * us, Jobs: 1},
	}}
	jobs, _ := run(t, s, "EDF")
	for _, want := range []struct {
		task                   int
		released, begun, ended sim.Time
		aborted                bool
	}{
		{1, 300 * us, ms, 1500 * us, false},
		{2, 2 * ms, 2 * ms, 2500 * us, false},
		{3, 2100 * us, 3 * ms, 5 * ms, false}, // late, but noticed at 5 ms, where it ends
		{4, 2100 * us, 5 * ms, 8 * ms, true},  // killed at 7.6 ms, noticed at 8 ms
	} {
		j := of(jobs, want.task-1)[0]
		if j.Released != want.released || j.Begun != want.begun || j.Ended != want.ended || j.Aborted != want.aborted {
			t.Errorf("task %d: released %d, begins %d, ends %d, aborted %v; want %+v", want.task, j.Released, j.Begun, j.Ended, j.Aborted, want)
		}
	}
	if j := of(jobs, 2)[0]; !j.Missed {
		t.Error("task 3 ends 0.4 ms after its deadline and is no miss")
	}
}

// TestF34TicksCostTime on every processor, whether it has something to do or not.
func TestF34TicksCostTime(t *testing.T) {
	s := &sim.System{Duration: 10 * ms, Tick: ms, Overheads: sim.Overheads{Timer: 10 * us}, Processors: processors(2), Tasks: []sim.Task{
		{ID: 1, WCET: 3500 * us, Period: 10 * ms, Jobs: 1},
	}}
	jobs, totals := run(t, s, "EDF")
	if want := 3530 * us; jobs[0].Ended != want || jobs[0].Executed != 3500*us {
		t.Errorf("3.5 ms of work end at %d after %d, want %d with 3 ticks of 10 us", jobs[0].Ended, jobs[0].Executed, want)
	}
	for p, l := range totals.Processors {
		if l.Overhead != 90*us { // the tenth begins at the end of the simulation
			t.Errorf("processor %d: overhead %d, want 90 us", p, l.Overhead)
		}
	}
}

// TestF34TimersOfASchedulerCostTime, too.
func TestF34TimersOfASchedulerCostTime(t *testing.T) {
	s := &sim.System{Duration: 100 * ms, Overheads: sim.Overheads{Timer: us}, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: 2 * ms, Period: 6 * ms}, {ID: 2, WCET: 2 * ms, Period: 8 * ms}, {ID: 3, WCET: 3 * ms, Period: 12 * ms},
	}}
	_, totals := run(t, s, "LLF")
	cost := totals.Processors[0].Overhead
	if open := totals.Timers*us - cost; totals.Timers < 50 || open < 0 || open > us { // the last one may begin at the end
		t.Errorf("%d ticks cost %d ns, want 1 us each", totals.Timers, cost)
	}
}

// TestF41ObservationWindow sums up part of a run.
func TestF41ObservationWindow(t *testing.T) {
	s := &sim.System{Duration: 40 * ms, Window: sim.Window{From: 10 * ms, To: 20 * ms}, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: ms, Period: 4 * ms}, {ID: 2, WCET: 3 * ms, Period: 12 * ms},
	}}
	_, totals := run(t, s, "RM")
	l := totals.Processors[0]
	if totals.Released != 4 || l.Busy*2 != s.Span() || l.Idle != 5*ms || l.Overhead != 0 {
		t.Errorf("%d jobs, busy %d, idle %d of %d; want 4 jobs and load .5", totals.Released, l.Busy, l.Idle, s.Span())
	}
	if totals.Activations != 4 || totals.Ends != 3 {
		t.Errorf("%d activations, %d ends, want 4 and 3", totals.Activations, totals.Ends)
	}
	var whole [2]sim.Totals
	for i, w := range []sim.Window{{}, {From: 0, To: 40 * ms}} {
		s.Window = w
		_, whole[i] = run(t, s, "RM")
	}
	if a, b := whole[0], whole[1]; a.Released != b.Released || !slices.Equal(a.Processors, b.Processors) {
		t.Errorf("without a window %+v, with all of the run %+v", a, b)
	}
}

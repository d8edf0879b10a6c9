package sim_test

import (
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

const us = sim.Microsecond

// TestF30ProcessorSpeed: work takes as much longer as the processor is slower, to the nanosecond.
func TestF30ProcessorSpeed(t *testing.T) {
	for _, c := range []struct {
		numerator, denominator int64
		want                   sim.Time
	}{{1, 2, 6 * ms}, {3, 10, 10 * ms}, {1, 1, 3 * ms}, {2, 1, 1500 * us}, {3, 1, ms}, {7, 1, 428_572}, {0, 0, 3 * ms}} {
		s := &sim.System{
			Duration: 20 * ms, Processors: []sim.Processor{{SpeedNumerator: c.numerator, SpeedDenominator: c.denominator}},
			Tasks: []sim.Task{{ID: 1, WCET: 3 * ms, Period: 20 * ms, Jobs: 1}},
		}
		if jobs, _ := run(t, s, "EDF"); jobs[0].Ended != c.want {
			t.Errorf("speed %d/%d: 3 ms end at %d, want %d", c.numerator, c.denominator, jobs[0].Ended, c.want)
		}
	}
}

// TestQ3SpeedAboveOneHelpsInterruptedJobsToo and does not end them at once.
func TestQ3SpeedAboveOneHelpsInterruptedJobsToo(t *testing.T) {
	s := &sim.System{Duration: 20 * ms, Processors: []sim.Processor{{SpeedNumerator: 2, SpeedDenominator: 1}}, Tasks: []sim.Task{
		{ID: 1, WCET: 2 * ms, Offset: ms, Jobs: 1, Period: 5 * ms}, {ID: 2, WCET: 6 * ms, Jobs: 1, Period: 20 * ms},
	}}
	jobs, _ := run(t, s, "EDF")
	if a, b := of(jobs, 0)[0], of(jobs, 1)[0]; a.Ended != 2*ms || b.Ended != 4*ms || b.Executed != 3*ms {
		t.Errorf("ends %d and %d, the long one after %d; want 2, 4 and 3 ms", a.Ended, b.Ended, b.Executed)
	}
}

// TestQ5SlowProcessorsDoNotKeepLateJobsFromBeingAborted.
func TestQ5SlowProcessorsDoNotKeepLateJobsFromBeingAborted(t *testing.T) {
	s := &sim.System{Duration: 20 * ms, Processors: []sim.Processor{{SpeedNumerator: 1, SpeedDenominator: 2}}, Tasks: []sim.Task{
		{ID: 1, WCET: 3 * ms, Deadline: 4 * ms, OnMiss: sim.Abort},
	}}
	if jobs, _ := run(t, s, "EDF"); jobs[0].Ended != 4*ms || !jobs[0].Aborted {
		t.Errorf("ends at %d, aborted %v; want aborted at 4 ms", jobs[0].Ended, jobs[0].Aborted)
	}
}

// costly is (1,4)(3,12) on a processor with costs of every kind.
func costly() *sim.System {
	return &sim.System{
		Duration: 12 * ms, Processors: []sim.Processor{{Save: 100 * us, Load: 100 * us}},
		Overheads: sim.Overheads{Decide: 50 * us, Activate: 20 * us, End: 30 * us},
		Tasks:     []sim.Task{{ID: 1, WCET: ms, Period: 4 * ms}, {ID: 2, WCET: 3 * ms, Period: 12 * ms}},
	}
}

// TestF31ContextSwitchesTakeTime, and so does the scheduler, by hand.
func TestF31ContextSwitchesTakeTime(t *testing.T) {
	jobs, _ := run(t, costly(), "RM-mono")
	check := func(j sim.Record, want ...sim.Segment) {
		t.Helper()
		if !slices.Equal(j.Segments, want) {
			t.Errorf("task %d, job %d runs %v, want %v", j.Task.ID, j.Number, j.Segments, want)
		}
	}
	first := of(jobs, 0)
	check(first[0], sim.Segment{From: 240 * us, To: 1240 * us})
	check(first[1], sim.Segment{From: 4270 * us, To: 5270 * us})
	check(of(jobs, 1)[0], sim.Segment{From: 1520 * us, To: 4 * ms}, sim.Segment{From: 5550 * us, To: 6070 * us})
}

// TestF32TheSchedulerTakesTime only while it is asked, and nobody else asks it then.
func TestF32TheSchedulerTakesTime(t *testing.T) {
	s := costly()
	s.Processors = []sim.Processor{{}, {}}
	s.Duration = 11 * ms
	s.Overheads = sim.Overheads{Decide: 500 * us}
	jobs, totals := run(t, s, "EDF")
	if a, b := of(jobs, 0)[0], of(jobs, 1)[0]; a.Begun != ms || b.Begun != ms {
		t.Errorf("begin at %d and %d, want 1 ms: the first processor is told of both, and decides twice", a.Begun, b.Begun)
	}
	const waits = 1 // at 4 ms, when both have a message
	if want := (totals.Decisions + waits) * 500 * us; totals.Processors[0].Overhead+totals.Processors[1].Overhead != want {
		t.Errorf("overheads %+v, want %d together for %d decisions", totals.Processors, want, totals.Decisions)
	}
}

// TestF40LoadsOverheadsAndCalls of one processor, known by hand, in the whole run of 60 ms.
func TestF40LoadsOverheadsAndCalls(t *testing.T) {
	s := costly()
	s.Duration = 60 * ms
	_, totals := run(t, s, "RM-mono")
	l := totals.Processors[0]
	if l.Busy != 30*ms || l.Busy+l.Overhead+l.Idle != 60*ms || l.Overhead != 8*ms {
		t.Errorf("busy %d, overhead %d, idle %d; want 30 ms, 8 ms, and 60 ms together", l.Busy, l.Overhead, l.Idle)
	}
	if totals.Activations != 21 || totals.Ends != 20 || totals.Decisions != 40 {
		t.Errorf("%d activations, %d ends, %d decisions, want 21 (one at the end of the run), 20 and 40", totals.Activations, totals.Ends, totals.Decisions)
	}
}

// TestF33MigrationsTakeTime: each makes a job longer by its cost.
func TestF33MigrationsTakeTime(t *testing.T) {
	s := &sim.System{Duration: 20 * ms, Processors: processors(2), Tasks: []sim.Task{
		{ID: 1, WCET: 6 * ms, Priority: 1}, {ID: 2, WCET: 3 * ms, Priority: 2, Offset: ms}, {ID: 3, WCET: 4 * ms, Priority: 3, Offset: 2 * ms},
	}}
	free, _ := run(t, s, "FP")
	s.Overheads.Migration = 500 * us
	paid, totals := run(t, s, "FP")
	for i := range s.Tasks {
		a, b := of(free, i)[0], of(paid, i)[0]
		if want := a.Ended + sim.Time(b.Migrations)*500*us; b.Ended != want || b.Executed != a.Executed+sim.Time(b.Migrations)*500*us {
			t.Errorf("task %d: ends at %d with %d migrations, at %d without costs", i+1, b.Ended, b.Migrations, a.Ended)
		}
	}
	if totals.Migrations == 0 {
		t.Error("no job moves: the example shows nothing")
	}
}

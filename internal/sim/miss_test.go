package sim_test

import (
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestF13KillAtCriticalTime: a job may be late, but not later than its critical time.
func TestF13KillAtCriticalTime(t *testing.T) {
	for _, c := range []struct {
		wcet, end       sim.Time
		missed, aborted bool
	}{
		{4 * ms, 4 * ms, false, false}, {5 * ms, 5 * ms, true, false}, {6 * ms, 6 * ms, true, false}, {8 * ms, 6 * ms, true, true},
	} {
		s := &sim.System{Duration: 20 * ms, Processors: processors(1), Tasks: []sim.Task{
			{ID: 1, WCET: c.wcet, Deadline: 4 * ms, CriticalTime: 6 * ms},
		}}
		jobs, _ := run(t, s, "EDF")
		if j := jobs[0]; len(jobs) != 1 || j.Ended != c.end || j.Missed != c.missed || j.Aborted != c.aborted {
			t.Errorf("WCET %d ms: ends at %d, missed %v, killed %v; want %d, %v, %v", c.wcet/ms, j.Ended, j.Missed, j.Aborted, c.end, c.missed, c.aborted)
		}
	}
}

// TestF13SkipNext: releases are left out while a job is late, the one at its deadline included.
func TestF13SkipNext(t *testing.T) {
	s := &sim.System{Duration: 59 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, Period: 10 * ms, WCET: 15 * ms, OnMiss: sim.SkipNext},
	}}
	jobs, totals := run(t, s, "EDF")
	if len(jobs) != 3 || totals.Skipped != 3 || totals.Missed != 3 {
		t.Fatalf("%d jobs, %d left out, %d missed; want 3 of each", len(jobs), totals.Skipped, totals.Missed)
	}
	for i, j := range jobs {
		at := sim.Time(i) * 20 * ms
		if j.Released != at || j.Ended != at+15*ms || j.Aborted || j.Number != int64(2*i+1) {
			t.Errorf("job %d: released %d, ends %d, aborted %v", j.Number, j.Released, j.Ended, j.Aborted)
		}
	}
	s.Tasks[0].WCET = 10 * ms
	if jobs, totals = run(t, s, "EDF"); totals.Skipped != 0 || len(jobs) != 6 {
		t.Errorf("jobs that end at their deadlines: %d left out, %d jobs, want 0 and 6", totals.Skipped, len(jobs))
	}
	s.Tasks[0].WCET, s.Tasks[0].Deadline = 15*ms, 30*ms
	if _, totals = run(t, s, "EDF"); totals.Skipped != 0 {
		t.Errorf("deadlines behind the period: %d left out before any job is late, want 0", totals.Skipped)
	}
}

// TestF14UnfinishedLateJobsAreMisses, also in the last instant.
func TestF14UnfinishedLateJobsAreMisses(t *testing.T) {
	s := &sim.System{Duration: 10 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: 8 * ms, Period: 10 * ms, Deadline: 4 * ms}, {ID: 2, WCET: 5 * ms, Period: 20 * ms, Deadline: 6 * ms},
	}}
	jobs, totals := run(t, s, "EDF")
	if totals.Missed != 2 || totals.Aborted != 0 {
		t.Errorf("%d missed, %d aborted, want 2 and 0", totals.Missed, totals.Aborted)
	}
	if j := of(jobs, 0)[0]; j.Ended != 8*ms || !j.Missed {
		t.Errorf("task 1 ends at %d, missed %v; want late at 8 ms", j.Ended, j.Missed)
	}
	if j := of(jobs, 1)[0]; j.Ended != sim.Never || !j.Missed {
		t.Errorf("task 2 ends at %d, missed %v; want unfinished and missed", j.Ended, j.Missed)
	}
	if j := of(jobs, 0)[1]; j.Missed {
		t.Error("the job released at the end is missed although its deadline is to come")
	}
}

// TestF12LateJobsContinue and delay what comes behind them.
func TestF12LateJobsContinue(t *testing.T) {
	s := overload(sim.Continue)
	jobs, totals := run(t, s, "EDF")
	late := 0
	for _, j := range jobs {
		if j.Ended != sim.Never && j.Ended > j.Deadline {
			late++
		}
		if j.Ended != sim.Never && j.Executed != j.Task.WCET {
			t.Errorf("task %d, job %d ends after %d of %d", j.Task.ID, j.Number, j.Executed, j.Task.WCET)
		}
	}
	if late != 18 || totals.Aborted != 0 {
		t.Errorf("EDF: %d late, %d aborted, want 18 and 0", late, totals.Aborted)
	}
}

// TestF11AbortAtTheDeadline stops the late, and nobody else.
func TestF11AbortAtTheDeadline(t *testing.T) {
	if _, totals := run(t, overload(sim.Abort), "EDF"); totals.Aborted != 14 {
		t.Errorf("EDF: %d aborted, want 14", totals.Aborted)
	}
	if _, totals := run(t, overload(sim.Abort), "RM-mono"); totals.Aborted != 12 {
		t.Errorf("RM: %d aborted, want 12", totals.Aborted)
	}
	s := &sim.System{Duration: 60 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: 8 * ms, Period: 10 * ms, OnMiss: sim.Abort}, {ID: 2, WCET: 3 * ms, Period: 20 * ms, Deadline: 5 * ms, OnMiss: sim.Abort},
	}}
	jobs, totals := run(t, s, "RM")
	for i, j := range of(jobs, 0)[:6] {
		if want := sim.Time(i)*10*ms + 8*ms; j.Ended != want || j.Aborted {
			t.Errorf("RM: job %d of task 1 ends at %d, aborted %v; want %d, not aborted", j.Number, j.Ended, j.Aborted, want)
		}
	}
	if totals.Aborted != 3 {
		t.Errorf("RM: %d aborted, want those at 5, 25 and 45 ms", totals.Aborted)
	}
}

// overload is 1.3 processors of work for one.
func overload(policy sim.MissPolicy) *sim.System {
	return &sim.System{Duration: 60 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: 3 * ms, Period: 5 * ms, OnMiss: policy}, {ID: 2, WCET: 3 * ms, Period: 6 * ms, OnMiss: policy},
		{ID: 3, WCET: 2 * ms, Period: 10 * ms, OnMiss: policy},
	}}
}

// TestQ1AbortingAWaitingJobDoesNotStopTheOneThatRuns under any scheduler with a list of ready jobs.
func TestQ1AbortingAWaitingJobDoesNotStopTheOneThatRuns(t *testing.T) {
	for _, scheduler := range []string{"RM", "FP", "EDF", "EDF2", "EDF-US", "PriD", "G-FL", "RM-mono"} {
		s := &sim.System{Duration: 60 * ms, Processors: processors(1), Tasks: []sim.Task{
			{ID: 1, WCET: 8 * ms, Period: 10 * ms, Priority: 2}, {ID: 2, WCET: 3 * ms, Period: 20 * ms, CriticalTime: 5 * ms, Priority: 1},
		}}
		jobs, _ := run(t, s, scheduler)
		for i, j := range of(jobs, 0)[:6] {
			if want := sim.Time(i)*10*ms + 8*ms; j.Ended != want || j.Executed != 8*ms {
				t.Errorf("%s: job %d of task 1 ends at %d after %d, want %d after 8 ms", scheduler, j.Number, j.Ended, j.Executed, want)
			}
		}
		for i, j := range of(jobs, 1)[:3] {
			if want := sim.Time(i)*20*ms + 5*ms; j.Ended != want || !j.Aborted {
				t.Errorf("%s: job %d of task 2 ends at %d, aborted %v; want it aborted at %d", scheduler, j.Number, j.Ended, j.Aborted, want)
			}
		}
	}
}

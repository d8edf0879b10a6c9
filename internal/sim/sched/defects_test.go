package sched_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestQ1AbortingAWaitingJobStopsNobody: recorded runs 15 and 16, in which SimSo lets the processor idle.
func TestQ1AbortingAWaitingJobStopsNobody(t *testing.T) {
	for _, number := range []string{"15", "16"} {
		for _, name := range []string{"", "EDF2", "EDF_US", "PriD", "G_FL", "G_FL_ZL", "EDF", "EDZL", "EDCL", "LLF"} {
			g := recorded(t, number)
			s := g.system()
			if name == "" {
				name = g.Input.Scheduler.Name
			} else {
				s.Tasks[0].Deadline = 4 * ms // most urgent, and late
				s.Tasks[0].OnMiss = sim.Continue
			}
			var full, aborted []sim.Time
			jobs, _ := run(t, name, s)
			for _, j := range jobs {
				switch {
				case j.Ended == sim.Never:
				case j.Index == 0:
					full = append(full, j.Ended/ms)
				case j.Aborted:
					aborted = append(aborted, j.Ended/ms)
				}
			}
			if diff := cmp.Diff([]sim.Time{8, 18, 28, 38, 48, 58}, full); diff != "" {
				t.Errorf("run %s under %s: ends of the first task (-want +got):\n%s", number, name, diff)
			}
			if diff := cmp.Diff([]sim.Time{5, 25, 45}, aborted); diff != "" {
				t.Errorf("run %s under %s: aborts of the second task (-want +got):\n%s", number, name, diff)
			}
		}
	}
}

// TestQ2AbortedJobsAreForgotten by every scheduler: nothing of them runs afterwards, and others go on.
func TestQ2AbortedJobsAreForgotten(t *testing.T) {
	for _, name := range classes {
		s := &sim.System{Duration: 100 * ms, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
			{ID: 1, Period: 10 * ms, WCET: 6 * ms, OnMiss: sim.Abort, Priority: 1, Pinned: true},
			{ID: 2, Period: 20 * ms, WCET: 15 * ms, OnMiss: sim.Abort, Pinned: true},
		}}
		jobs, totals := run(t, name, s)
		if busy := totals.Processors[0].Busy; totals.Aborted == 0 || busy < s.Duration*8/10 {
			t.Errorf("%s: %d of %d jobs aborted, %d of %d ns busy: want some, and most", name, totals.Aborted, totals.Ended, busy, s.Duration)
		}
		for _, j := range jobs {
			if n := len(j.segments); n > 0 && j.segments[n-1].To > j.Ended {
				t.Errorf("%s: task %d job %d runs after its end at %d: %v", name, j.Task.ID, j.Number, j.Ended, j.segments)
			}
		}
	}
}

// TestQ8LooksAtLaxitiesCostNothing: recorded run 64 has a microsecond for each on the first processor. The set needs
// what there is, and no time is lost.
func TestQ8LooksAtLaxitiesCostNothing(t *testing.T) {
	s := recorded(t, "64").system()
	s.Tasks[2].WCET = 5 * ms // 1/3 + 1/4 + 5/12 = 1
	jobs, totals := run(t, "LLF", s)
	checkSchedule(t, s, jobs, totals)
	if totals.Missed > 0 || totals.Processors[0].Overhead > 0 || totals.Processors[0].Busy != s.Duration {
		t.Errorf("%d jobs missed, %d ns of overhead, %d of %d ns busy", totals.Missed, totals.Processors[0].Overhead, totals.Processors[0].Busy, s.Duration)
	}
}

// TestQ12RunsShareNothing: schedulers at work at the same time do what they do alone.
func TestQ12RunsShareNothing(t *testing.T) {
	for _, name := range []string{"EDHS", "EKG", "RUN", "EDF"} {
		s := recorded(t, "86").system()
		alone, _ := run(t, name, s)
		runs := make([][]ran, 4)
		var all sync.WaitGroup
		for i := range runs {
			all.Go(func() { runs[i], _ = run(t, name, s) })
		}
		all.Wait()
		for i := range runs {
			same := slices.EqualFunc(alone, runs[i], func(a, b ran) bool {
				return a.Index == b.Index && a.Number == b.Number && a.Ended == b.Ended && slices.Equal(a.segments, b.segments)
			})
			if !same {
				t.Errorf("%s: run %d of %d at a time is another one than alone", name, i, len(runs))
			}
		}
	}
}

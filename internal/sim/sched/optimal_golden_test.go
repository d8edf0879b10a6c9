package sched_test

import (
	"path/filepath"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

func recorded(t *testing.T, number string) *goldenCase {
	t.Helper()
	files, err := filepath.Glob("../testdata/simso/" + number + "_*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("recorded run %s: %v %v", number, files, err)
	}
	return readCase(t, files[0])
}

// TestF23RecordedSetsAreScheduledWithoutAMiss has runs that differ by ties or by a nanosecond here and there.
func TestF23RecordedSetsAreScheduledWithoutAMiss(t *testing.T) {
	for _, number := range []string{"30", "86", "88", "90", "92", "94"} {
		s := recorded(t, number).system()
		for _, name := range optimal {
			jobs, totals := run(t, name, s)
			checkSchedule(t, s, jobs, totals)
			if totals.Missed > 0 {
				t.Errorf("run %s under %s: %d of %d jobs missed", number, name, totals.Missed, totals.Released)
			}
		}
	}
}

// tenfold simulates a set for ten times as long.
func tenfold(t *testing.T, number string, names ...string) {
	t.Helper()
	s := recorded(t, number).system()
	s.Duration *= 10
	for _, name := range names {
		if _, totals := run(t, name, s); totals.Missed > 0 {
			t.Errorf("%s: %d of %d jobs missed", name, totals.Missed, totals.Released)
		}
	}
}

func TestQ7RUNDoesNotTruncateBudgets(t *testing.T) { tenfold(t, "94", "RUN", "WC_RUN") }

func TestQ7EKGMeetsAllDeadlinesAtHighUtilization(t *testing.T) { tenfold(t, "92", "EKG") }

func TestQ7MicrosecondsDoNotUpsetPlanesAndWraps(t *testing.T) {
	tenfold(t, "94", "DP_WRAP", "LRE_TL", "BF", "NVNLF")
}

// TestQ11OverloadStopsNobody: two jobs cannot both meet their deadlines; all that matters is to get on.
func TestQ11OverloadStopsNobody(t *testing.T) {
	for _, name := range append([]string{"EPDF", "EDHS"}, optimal...) {
		s := &sim.System{Duration: 200 * sim.Millisecond, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
			{ID: 1, Period: 20 * sim.Millisecond, Deadline: 4 * sim.Millisecond, WCET: 8 * sim.Millisecond},
			{ID: 2, Period: 20 * sim.Millisecond, Deadline: 5 * sim.Millisecond, WCET: 3 * sim.Millisecond, OnMiss: sim.Abort},
		}}
		jobs, totals := run(t, name, s)
		checkSchedule(t, s, jobs, totals)
		if totals.Ended < 20 {
			t.Errorf("%s: %d of %d jobs ended", name, totals.Ended, totals.Released)
		}
	}
}

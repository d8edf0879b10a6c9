package sim_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// TestF7JobsOfATaskWaitForEachOther when deadlines are beyond the period. (Lehoczky 1990.)
func TestF7JobsOfATaskWaitForEachOther(t *testing.T) {
	s := &sim.System{Duration: 700 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{26, 70}, []sim.Time{62, 100, 118})}
	jobs, totals := run(t, s, "RM")
	var got []sim.Time
	for _, j := range of(jobs, 1)[:7] {
		got = append(got, j.Response()/ms)
	}
	if want := []sim.Time{114, 102, 116, 104, 118, 106, 94}; !slices.Equal(got, want) || totals.Missed != 0 {
		t.Errorf("response times %v ms, %d missed; want %v and none", got, totals.Missed, want)
	}
}

// TestF8SporadicByList, two at one time included.
func TestF8SporadicByList(t *testing.T) {
	s := &sim.System{Duration: 40 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, Kind: sim.Sporadic, WCET: 2 * ms, Deadline: 5 * ms, Arrivals: []sim.Time{ms, ms, 12_500_001, 60 * ms}},
	}}
	jobs, _ := run(t, s, "EDF")
	var got [][2]sim.Time
	for _, j := range jobs {
		got = append(got, [2]sim.Time{j.Released, j.Ended})
	}
	if want := [][2]sim.Time{{ms, 3 * ms}, {ms, 5 * ms}, {12_500_001, 14_500_001}}; !slices.Equal(got, want) {
		t.Errorf("released and ended %v, want %v", got, want)
	}
}

// TestF15TheEndOfTheSimulationIsIncluded: a job that ends there has ended, one that is released there exists.
func TestF15TheEndOfTheSimulationIsIncluded(t *testing.T) {
	s := &sim.System{Duration: 8 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{4, 4})}
	jobs, totals := run(t, s, "EDF")
	if len(jobs) != 3 || jobs[1].Ended != 8*ms || jobs[2].Released != 8*ms || jobs[2].Ended != sim.Never || totals.Missed != 0 {
		t.Errorf("jobs %+v, want the second to end, and a third to be released, at 8 ms", jobs)
	}
}

// TestF16NoExecutionTime: such jobs end when they could begin.
func TestF16NoExecutionTime(t *testing.T) {
	s := &sim.System{Duration: 20 * ms, Processors: processors(1), Tasks: tasks([]sim.Time{0, 5}, []sim.Time{2, 10})}
	jobs, totals := run(t, s, "EDF")
	for _, j := range of(jobs, 0) {
		if j.Ended != j.Released || j.Begun != j.Released || j.Missed || len(j.Segments) != 0 {
			t.Errorf("job %d: released %d, begins %d, ends %d, runs %v", j.Number, j.Released, j.Begun, j.Ended, j.Segments)
		}
	}
	if len(jobs) != 8 || totals.Ended != 7 {
		t.Errorf("%d jobs, %d ended; want 8 and 7", len(jobs), totals.Ended)
	}
}

// TestF37TheSameSeedGivesTheSameRun, byte for byte, and another one another run.
func TestF37TheSameSeedGivesTheSameRun(t *testing.T) {
	s := well()
	s.Duration = 10 * sim.Second
	text := func(seed uint64) string {
		s.Seed = seed
		jobs, totals := run(t, s, "EDF")
		b, err := json.Marshal([]any{jobs, totals})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s.Tasks[0].Execution, s.Tasks[3].Execution = nil, nil // functions cannot be written
	a, b, other := text(1), text(1), text(2)
	if a != b {
		t.Error("two runs with the same seed differ")
	}
	if a == other {
		t.Error("runs with different seeds are the same")
	}
}

// TestF51AScheduleRepeatsAfterTheHyperperiod, which is exact.
func TestF51AScheduleRepeatsAfterTheHyperperiod(t *testing.T) {
	set := analysis.Set{{C: 3, D: 7, T: 7}, {C: 3, D: 12, T: 12}, {C: 5, D: 20, T: 20}}
	h := analysis.Hyperperiod(set).Int64()
	if h != 420 {
		t.Fatalf("hyperperiod %d, want 420", h)
	}
	s := &sim.System{Duration: 2*h*ms - 1, Processors: processors(1), Tasks: tasks([]sim.Time{3, 7}, []sim.Time{3, 12}, []sim.Time{5, 20})}
	jobs, totals := run(t, s, "RM")
	for i := range s.Tasks {
		all := of(jobs, i)
		n := len(all) / 2
		for k := range n {
			if a, b := all[k], all[n+k]; b.Released != a.Released+h*ms || b.Ended != a.Ended+h*ms {
				t.Fatalf("task %d: job %d ends %d, job %d ends %d; want the same 420 ms later", i+1, a.Number, a.Ended, b.Number, b.Ended)
			}
		}
	}
	if totals.Released != 2*116 {
		t.Errorf("%d jobs in two hyperperiods, want %d", totals.Released, 2*116)
	}
}

// TestQ4EndingAtTheDeadlineIsInTime, whatever the execution time is.
func TestQ4EndingAtTheDeadlineIsInTime(t *testing.T) {
	for _, wcet := range []sim.Time{1, 1_000_999, 1_001_000, 8_199_999, 8_200_000} {
		s := &sim.System{Duration: 20 * ms, Processors: processors(1), Tasks: []sim.Task{{ID: 1, WCET: wcet, Deadline: wcet, OnMiss: sim.Abort}}}
		if jobs, _ := run(t, s, "EDF"); jobs[0].Missed || jobs[0].Aborted || jobs[0].Ended != wcet {
			t.Errorf("%d ns of work due after as many: ends %d, missed %v", wcet, jobs[0].Ended, jobs[0].Missed)
		}
	}
}

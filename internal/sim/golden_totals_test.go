package sim_test

import (
	"math"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestF40LoadsAndCallsAreThoseOfSimSo, switches of contexts that cost nothing included.
func TestF40LoadsAndCallsAreThoseOfSimSo(t *testing.T) {
	for _, prefix := range []string{"01", "08", "12", "58", "62", "84"} {
		r := golden(t, prefix)
		totals := r.replay(t, sim.Tracing{})
		if totals.Decisions != r.Totals.Decisions || totals.Activations != r.Totals.Activations || totals.Ends != r.Totals.Ends {
			t.Errorf("%s: %d decisions, %d activations, %d ends, recorded %+v", prefix, totals.Decisions, totals.Activations, totals.Ends, r.Totals)
		}
		for i, want := range r.Totals.CPUs {
			got := totals.Processors[i]
			load, overhead := float64(got.Busy)/float64(r.file.System.Span()), float64(got.Overhead)/float64(r.file.System.Span())
			const digits = 1e-9
			if math.Abs(load-want.Load) > digits || math.Abs(overhead-want.Overhead) > digits || got.Saves != want.Saves || got.Loads != want.Loads {
				t.Errorf("%s, processor %d: load %.9f, overhead %.9f, %d saves, %d loads; recorded %+v", prefix, i, load, overhead, got.Saves, got.Loads, want)
			}
		}
	}
}

// TestF39OnlyRealPreemptionsCount: a job whose processor only looked for messages was not preempted.
func TestF39OnlyRealPreemptionsCount(t *testing.T) {
	s := &sim.System{Duration: 12 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: 2 * ms, Period: 4 * ms}, {ID: 2, WCET: 3 * ms, Period: 6 * ms},
	}}
	jobs, _ := run(t, s, "EDF")
	for _, j := range of(jobs, 1)[:2] {
		if j.Preemptions != 0 || len(j.Segments) != 1 {
			t.Errorf("job %d: %d preemptions, runs %v; want one stretch", j.Number, j.Preemptions, j.Segments)
		}
	}
	for _, prefix := range []string{"04", "12", "24", "98"} {
		r := golden(t, prefix)
		want, got := int64(0), r.replay(t, sim.Tracing{})
		for _, j := range r.Jobs {
			want += int64(j.Preempted)
		}
		if got.Preemptions != want {
			t.Errorf("%s: %d preemptions, want %d", prefix, got.Preemptions, want)
		}
	}
}

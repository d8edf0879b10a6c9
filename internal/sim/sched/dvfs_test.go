package sched_test

import (
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestF28SpeedIsTheUtilization repeats recorded run 72 up to three nanoseconds.
func TestF28SpeedIsTheUtilization(t *testing.T) {
	g := recorded(t, "72")
	got := simulate(t, g.Input.Scheduler.Name, g.system())
	sortJobs(g.Jobs)
	if len(got) != len(g.Jobs) {
		t.Fatalf("%d jobs, want %d", len(got), len(g.Jobs))
	}
	for i, want := range g.Jobs {
		j := got[i]
		if (j.Ended == nil) != (want.Ended == nil) || j.Aborted || j.Released != want.Released {
			t.Errorf("task %d job %d: %+v, want %+v", want.Task, want.Number, j, want)
			continue
		}
		const off = 3
		if j.Ended != nil && (*j.Ended < *want.Ended || *j.Ended > *want.Ended+off) {
			t.Errorf("task %d job %d ends at %d, want %d or little more", want.Task, want.Number, *j.Ended, *want.Ended)
		}
	}
}

// TestF28SlowProcessorsMissNothing: whatever fits at full speed fits at the speed that is chosen, which is lower on the
// whole.
func TestF28SlowProcessorsMissNothing(t *testing.T) {
	busy := map[string]sim.Time{}
	for number := range 300 {
		s := feasibleSet(rand.New(rand.NewPCG(22, uint64(number))), number)
		if len(s.Processors) > 1 {
			continue
		}
		for i := range s.Tasks {
			s.Tasks[i].Execution = sim.Uniform{Least: s.Tasks[i].WCET / 2, Most: s.Tasks[i].WCET}
		}
		for _, name := range []string{"EDF-mono", "Static-EDF", "CC-EDF"} {
			_, totals := run(t, name, s)
			if totals.Missed > 0 {
				t.Fatalf("%s: set %d: %d of %d jobs missed: %v", name, number, totals.Missed, totals.Released, s.Tasks)
			}
			busy[name] += totals.Processors[0].Busy
		}
	}
	if busy["EDF-mono"]*21/20 > busy["Static-EDF"] || busy["Static-EDF"]*21/20 > busy["CC-EDF"] {
		t.Errorf("processors were busy for %v ns: the slower, the longer", busy)
	}
}

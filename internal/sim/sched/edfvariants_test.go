package sched_test

import (
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// threeOfTwoThirds is 3 tasks (2,3) on 2 processors for 12 ms: only just feasible.
func threeOfTwoThirds() *sim.System {
	s := &sim.System{Duration: 12 * sim.Millisecond, Processors: make([]sim.Processor, 2)}
	for id := range 3 {
		s.Tasks = append(s.Tasks, sim.Task{ID: id + 1, Period: 3 * sim.Millisecond, WCET: 2 * sim.Millisecond})
	}
	return s
}

func TestF22PromotionAtZeroLaxitySavesWhatEDFMisses(t *testing.T) {
	if _, totals := run(t, "EDF", threeOfTwoThirds()); totals.Missed == 0 {
		t.Error("EDF misses no deadline of three tasks of 2/3 on two processors")
	}
	if _, totals := run(t, "EDZL", threeOfTwoThirds()); totals.Missed != 0 {
		t.Errorf("EDZL misses %d deadlines", totals.Missed)
	}
}

// dhall is two light tasks and one that needs a whole processor.
func dhall() *sim.System {
	return &sim.System{Duration: 110 * sim.Millisecond, Processors: make([]sim.Processor, 2), Tasks: []sim.Task{
		{ID: 1, Period: 10 * sim.Millisecond, WCET: sim.Millisecond}, {ID: 2, Period: 10 * sim.Millisecond, WCET: sim.Millisecond},
		{ID: 3, Period: 11 * sim.Millisecond, WCET: 11 * sim.Millisecond},
	}}
}

func TestF22HeavyTasksFirstEscapeDhallsEffect(t *testing.T) {
	if _, totals := run(t, "EDF", dhall()); totals.Missed == 0 {
		t.Error("EDF misses no deadline in Dhall's example")
	}
	for _, name := range []string{"EDF-US", "PriD", "EDZL"} {
		if _, totals := run(t, name, dhall()); totals.Missed != 0 {
			t.Errorf("%s misses %d deadlines", name, totals.Missed)
		}
	}
}

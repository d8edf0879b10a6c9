package sched_test

import (
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// TestF21LeastLaxityMeetsWhatOneProcessorCan: (2,6), (2,8) and (3,12), recorded run 64 without the cost of a tick.
func TestF21LeastLaxityMeetsWhatOneProcessorCan(t *testing.T) {
	for _, name := range []string{"LLF", "LSTR"} {
		s := &sim.System{Duration: 24 * sim.Millisecond, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
			{ID: 1, Period: 6 * sim.Millisecond, WCET: 2 * sim.Millisecond}, {ID: 2, Period: 8 * sim.Millisecond, WCET: 2 * sim.Millisecond},
			{ID: 3, Period: 12 * sim.Millisecond, WCET: 3 * sim.Millisecond},
		}}
		jobs, totals := run(t, name, s)
		if totals.Missed != 0 {
			t.Errorf("%s misses %d deadlines", name, totals.Missed)
		}
		for _, j := range jobs {
			if j.Ended != sim.Never && j.Ended%sim.Millisecond != 0 {
				t.Errorf("%s: task %d job %d ends at %d ns, not at a whole millisecond", name, j.Task.ID, j.Number, j.Ended)
			}
		}
	}
}

// TestF21MLLFIsOptimalOnOneProcessorAndSwitchesLess than LLF with a look every microsecond.
func TestF21MLLFIsOptimalOnOneProcessorAndSwitchesLess(t *testing.T) {
	var often, seldom int64
	tried := 0
	for number := range 400 {
		s := feasibleSet(rand.New(rand.NewPCG(21, uint64(number))), number)
		if len(s.Processors) > 1 {
			continue
		}
		tried++
		_, totals := run(t, "MLLF", s)
		if totals.Missed > 0 {
			t.Fatalf("set %d: %d of %d jobs missed: %v", number, totals.Missed, totals.Released, s.Tasks)
		}
		seldom += totals.Preemptions
		scheduler, err := sched.NewWith("LLF", map[string]string{"quantum": "1us"})
		if err != nil {
			t.Fatal(err)
		}
		totals, err = sim.Run(t.Context(), s, scheduler, sim.ObserverFunc(func(*sim.Record) {}))
		if err != nil || totals.Missed > 0 {
			t.Fatalf("LLF: set %d: %d of %d jobs missed: %v %v", number, totals.Missed, totals.Released, s.Tasks, err)
		}
		often += totals.Preemptions
	}
	if tried < 50 || seldom*2 > often {
		t.Errorf("%d sets: %d preemptions, %d of LLF", tried, seldom, often)
	}
}

func TestF21LaxityOnSeveralProcessors(t *testing.T) {
	for _, name := range []string{"LLF", "LSTR"} {
		if _, totals := run(t, name, threeOfTwoThirds()); totals.Missed != 0 {
			t.Errorf("%s misses %d deadlines of three tasks of 2/3 on two processors", name, totals.Missed)
		}
	}
}

// TestF22EveryPromotionMeetsTheRecordedSet: (2,4), (3,6), (6,12) and (6,20) on two processors, recorded runs 50 to 54.
func TestF22EveryPromotionMeetsTheRecordedSet(t *testing.T) {
	for _, name := range []string{"EDCL", "EDZL", "LLF", "LSTR", "G-FL-ZL", "EDF-US", "PriD"} {
		s := &sim.System{Duration: 60 * sim.Millisecond, Processors: make([]sim.Processor, 2)}
		for i, ct := range [][2]sim.Time{{2, 4}, {3, 6}, {6, 12}, {6, 20}} {
			s.Tasks = append(s.Tasks, sim.Task{ID: i + 1, WCET: ct[0] * sim.Millisecond, Period: ct[1] * sim.Millisecond})
		}
		if _, totals := run(t, name, s); totals.Missed != 0 {
			t.Errorf("%s misses %d deadlines", name, totals.Missed)
		}
	}
}

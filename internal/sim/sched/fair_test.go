package sched_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestF23EverySubtaskRunsInItsWindow: the lag of a task never reaches a quantum.
func TestF23EverySubtaskRunsInItsWindow(t *testing.T) {
	const quantum = 100 * sim.Microsecond
	for _, name := range []string{"PD2", "ER-PD2"} {
		for number := range 40 {
			s := feasibleSet(rand.New(rand.NewPCG(15, uint64(number))), 1)
			inQuanta(s, quantum)
			jobs, _ := run(t, name, s)
			for _, j := range jobs {
				checkWindows(t, name, j, quantum)
			}
		}
	}
}

// inQuanta makes quanta of microseconds.
func inQuanta(s *sim.System, quantum sim.Time) {
	s.Duration *= quantum / sim.Microsecond
	for i := range s.Tasks {
		s.Tasks[i].Period *= quantum / sim.Microsecond
		s.Tasks[i].WCET *= quantum / sim.Microsecond
	}
}

func checkWindows(t *testing.T, name string, j ran, quantum sim.Time) {
	t.Helper()
	number := sim.Time(0)
	for _, segment := range j.segments {
		for at := segment.From; at < segment.To; at += quantum {
			number++
			slot := (at - j.Released) / quantum
			first := (number - 1) * j.Task.Period / j.Task.WCET
			end := (number*j.Task.Period + j.Task.WCET - 1) / j.Task.WCET
			if slot < first && name == "PD2" || slot >= end || (at-j.Released)%quantum != 0 {
				t.Fatalf("%s: quantum %d of task %d (%d/%d) job %d runs %d ns after the release, its window is %d to %d quanta",
					name, number, j.Task.ID, j.Task.WCET, j.Task.Period, j.Number, at-j.Released, first, end)
			}
		}
	}
}

func TestF23EPDFIsOptimalOnTwoProcessors(t *testing.T) {
	tried := 0
	for number := range 300 {
		s := feasibleSet(rand.New(rand.NewPCG(16, uint64(number))), number)
		if len(s.Processors) > 2 {
			continue
		}
		tried++
		if _, totals := run(t, "EPDF", s); totals.Missed > 0 {
			t.Fatalf("set %d: %d of %d jobs missed: %v", number, totals.Missed, totals.Released, s.Tasks)
		}
	}
	if tried < 50 {
		t.Errorf("only %d sets for one or two processors", tried)
	}
}

// visited is on which processors each task ran.
func visited(jobs []ran) map[int][]int {
	on := map[int]map[int]bool{}
	for _, j := range jobs {
		for _, segment := range j.segments {
			if on[j.Index] == nil {
				on[j.Index] = map[int]bool{}
			}
			on[j.Index][segment.Processor] = true
		}
	}
	sorted := map[int][]int{}
	for task, processors := range on {
		sorted[task] = slices.Sorted(maps.Keys(processors))
	}
	return sorted
}

// TestF26TasksAreSplitBetweenNeighboursOnly: at most one task between two processors.
func TestF26TasksAreSplitBetweenNeighboursOnly(t *testing.T) {
	splits := 0
	for number := range 200 {
		s := feasibleSet(rand.New(rand.NewPCG(17, uint64(number))), number)
		jobs, _ := run(t, "EKG", s)
		between := map[int]int{}
		for task, processors := range visited(jobs) {
			if len(processors) == 1 {
				continue
			}
			splits++
			between[processors[0]]++
			if len(processors) > 2 || processors[1] != processors[0]+1 || between[processors[0]] > 1 {
				t.Fatalf("set %d: task %d ran on %v, where %d tasks are split", number, task, processors, between[processors[0]])
			}
		}
	}
	if splits == 0 {
		t.Error("no task was ever split")
	}
}

// TestF26EDHSMissesNothingItHasAPlaceFor: with this little load there is one for every task, but for some only in
// portions.
func TestF26EDHSMissesNothingItHasAPlaceFor(t *testing.T) {
	splits := 0
	for number := range 400 {
		s := feasibleSet(rand.New(rand.NewPCG(18, uint64(number))), 0)
		for i := range s.Tasks {
			s.Tasks[i].WCET = s.Tasks[i].WCET * 17 / 20
		}
		jobs, totals := run(t, "EDHS", s)
		if totals.Missed > 0 {
			t.Fatalf("set %d: %d of %d jobs missed: %d processors, %v", number, totals.Missed, totals.Released, len(s.Processors), s.Tasks)
		}
		on := make([]int, len(s.Processors))
		for task, processors := range visited(jobs) {
			if len(processors) == 1 {
				continue
			}
			splits++
			for _, p := range processors {
				if on[p]++; on[p] > 1 {
					t.Fatalf("set %d: task %d is not the only split one on processor %d", number, task, p)
				}
			}
		}
	}
	if splits == 0 {
		t.Error("no task was ever split")
	}
}

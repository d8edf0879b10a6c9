package sched_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// refused is what a scheduler says of a system that it cannot schedule.
func refused(t *testing.T, name string, s *sim.System) string {
	t.Helper()
	scheduler, err := sched.New(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sim.Run(context.Background(), s, scheduler, sim.ObserverFunc(func(*sim.Record) {}))
	if !errors.Is(err, sim.ErrInvalid) {
		t.Fatalf("%s: %v, want %v", name, err, sim.ErrInvalid)
	}
	return err.Error()
}

func TestF19WorstFitSpreadsEqualTasks(t *testing.T) {
	s := &sim.System{Duration: 12 * ms, Processors: make([]sim.Processor, 3)}
	for id := range 3 {
		s.Tasks = append(s.Tasks, sim.Task{ID: id + 1, Period: 4 * ms, WCET: ms})
	}
	for name, want := range map[string]map[int][]int{
		"P_EDF_WF":  {0: {0}, 1: {1}, 2: {2}},
		"P-RM-WFD":  {0: {0}, 1: {1}, 2: {2}},
		"P-FP-FF":   {0: {0}, 1: {0}, 2: {0}},
		"P-EDF-BFD": {0: {0}, 1: {0}, 2: {0}},
	} {
		jobs, _ := run(t, name, s)
		if diff := cmp.Diff(want, visited(jobs)); diff != "" {
			t.Errorf("%s: processors of the tasks (-want +got):\n%s", name, diff)
		}
	}
}

// TestQ9DecreasingFitsAreWhatTheySay has utilizations of .6, .5, .3 and .4: decreasing best and
// worst fit are not next fit.
func TestQ9DecreasingFitsAreWhatTheySay(t *testing.T) {
	s := &sim.System{Duration: 10 * ms, Processors: make([]sim.Processor, 3)}
	for id, wcet := range []sim.Time{6, 5, 3, 4} {
		s.Tasks = append(s.Tasks, sim.Task{ID: id + 1, Period: 10 * ms, WCET: wcet * ms})
	}
	for packing, want := range map[string]map[int][]int{
		"FF":  {0: {0}, 1: {1}, 2: {0}, 3: {1}},
		"NF":  {0: {0}, 1: {1}, 2: {1}, 3: {2}},
		"BF":  {0: {0}, 1: {1}, 2: {0}, 3: {1}},
		"WF":  {0: {0}, 1: {1}, 2: {2}, 3: {2}},
		"FFD": {0: {0}, 1: {1}, 2: {1}, 3: {0}},
		"NFD": {0: {0}, 1: {1}, 2: {2}, 3: {1}},
		"BFD": {0: {0}, 1: {1}, 2: {1}, 3: {0}},
		"WFD": {0: {0}, 1: {1}, 2: {2}, 3: {2}},
	} {
		jobs, _ := run(t, "P-EDF-"+packing, s)
		if diff := cmp.Diff(want, visited(jobs)); diff != "" {
			t.Errorf("%s: processors of the tasks (-want +got):\n%s", packing, diff)
		}
	}
}

func TestF19ATaskThatFitsNowhereIsNamed(t *testing.T) {
	s := threeOfTwoThirds()
	s.Tasks[2].Name = "third"
	for _, name := range []string{"P_EDF", "P_EDF2", "P_EDF_WF", "P-RM-NF", "P-FP-BFD"} {
		if says := refused(t, name, s); !strings.Contains(says, "third") || !strings.Contains(says, "0.667") {
			t.Errorf("%s: %q names neither the task nor its utilization", name, says)
		}
	}
	if _, totals := run(t, "LB_P_EDF", s); totals.Missed == 0 {
		t.Error("without a limit 4/3 of a processor miss nothing")
	}
}

func TestF20TasksRunWhereTheyArePinnedTo(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for _, name := range []string{"Fixed_PEDF", "P-RM-fixed", "P-FP-fixed", "P-DM-fixed", "P-EDF-LL"} {
		for range 40 {
			s := randomSystem(r, 3)
			for i := range s.Tasks {
				s.Tasks[i].Pinned, s.Tasks[i].Processor = true, r.IntN(3)
			}
			jobs, totals := run(t, name, s)
			checkSchedule(t, s, jobs, totals)
			for task, processors := range visited(jobs) {
				if len(processors) != 1 || processors[0] != s.Tasks[task].Processor {
					t.Fatalf("%s: task %d is pinned to %d and ran on %v", name, task, s.Tasks[task].Processor, processors)
				}
			}
		}
	}
	s := threeOfTwoThirds()
	if says := refused(t, "Fixed_PEDF", s); !strings.Contains(says, "tasks[0].processor") {
		t.Errorf("a task without a processor: %q", says)
	}
}

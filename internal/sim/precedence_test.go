package sim_test

import (
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// fork is a task that lets two others begin, and one that waits for both of them.
func fork() *sim.System {
	return &sim.System{Duration: 40 * ms, Processors: processors(2), Tasks: []sim.Task{
		{ID: 1, WCET: 2 * ms, Period: 20 * ms},
		{ID: 2, Kind: sim.Aperiodic, WCET: 3 * ms, Deadline: 10 * ms, After: []int{0}},
		{ID: 3, Kind: sim.Aperiodic, WCET: 5 * ms, Deadline: 10 * ms, After: []int{0}},
		{ID: 4, Kind: sim.Aperiodic, WCET: ms, Deadline: 10 * ms, After: []int{1, 2}},
	}}
}

// TestF55AJoinWaitsForAll of the tasks before it, every time.
func TestF55AJoinWaitsForAll(t *testing.T) {
	jobs, totals := run(t, fork(), "EDF")
	for i := range sim.Time(2) {
		at := i * 20 * ms
		for task, want := range map[int][2]sim.Time{1: {2 * ms, 5 * ms}, 2: {2 * ms, 7 * ms}, 3: {7 * ms, 8 * ms}} {
			if j := of(jobs, task)[i]; j.Released != at+want[0] || j.Ended != at+want[1] {
				t.Errorf("task %d, job %d: %d to %d, want %d to %d", task+1, j.Number, j.Released, j.Ended, at+want[0], at+want[1])
			}
		}
	}
	if n := len(of(jobs, 3)); n != 2 || totals.Missed != 0 {
		t.Errorf("the join ran %d times, %d missed; want 2 and none", n, totals.Missed)
	}
}

// TestAJoinKeepsCountOfTheFaster: its n-th job comes after the n-th of the slowest.
func TestAJoinKeepsCountOfTheFaster(t *testing.T) {
	s := &sim.System{Duration: 29 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: ms, Period: 5 * ms}, {ID: 2, WCET: ms, Period: 10 * ms},
		{ID: 3, Kind: sim.Aperiodic, WCET: ms, Deadline: 5 * ms, After: []int{0, 1}},
	}}
	jobs, _ := run(t, s, "RM")
	for i, j := range of(jobs, 2) {
		if want := sim.Time(i)*10*ms + 2*ms; j.Released != want {
			t.Errorf("job %d is released at %d, want %d", j.Number, j.Released, want)
		}
	}
	if n := len(of(jobs, 2)); n != 3 {
		t.Errorf("%d jobs of the join, want 3", n)
	}
}

func TestMistakesOfJoinsAreNamed(t *testing.T) {
	for path, spoil := range map[string]func(*sim.System){
		"tasks[0].after: [1]: only aperiodic":              func(s *sim.System) { s.Tasks[0].After = []int{1} },
		"tasks[3].after[1]: 9: there is no such task":      func(s *sim.System) { s.Tasks[3].After[1] = 9 },
		"tasks[3].after[0]: -1: there is no such task":     func(s *sim.System) { s.Tasks[3].After[0] = -1 },
		"tasks[3].after[1]: 1: is named twice":             func(s *sim.System) { s.Tasks[3].After[1] = 1 },
		"tasks[1].after[1]: 3: leads into a circle":        func(s *sim.System) { s.Tasks[1].After = []int{0, 3} },
		"tasks[3].follower: 0: leads into a circle":        func(s *sim.System) { s.Tasks[3].Follows = true },
		"tasks[2].after[0]: 2: leads into a circle; remov": func(s *sim.System) { s.Tasks[2].After[0] = 2 },
	} {
		s := fork()
		spoil(s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), "invalid system: "+path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

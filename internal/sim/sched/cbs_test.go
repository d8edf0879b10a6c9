package sched_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// overrun is a task that keeps to its word, and one that takes three times its budget of 2 in 5 ms.
func overrun() *sim.System {
	return &sim.System{Duration: 40 * ms, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		{ID: 1, Period: 4 * ms, WCET: 2 * ms},
		{ID: 2, Period: 20 * ms, WCET: 6 * ms, Server: sim.Server{Budget: 2 * ms, Period: 5 * ms}},
	}}
}

func TestF27AnOverrunHarmsNobodyElse(t *testing.T) {
	for _, name := range []string{"CBS", "SCHED_DEADLINE"} {
		s := overrun()
		jobs, totals := run(t, name, s)
		checkSchedule(t, s, jobs, totals)
		for _, j := range jobs {
			if j.Task.ID == 1 && j.Ended != sim.Never && j.Response() > 4*ms {
				t.Errorf("%s: job %d of the task that keeps to its word takes %d ns", name, j.Number, j.Response())
			}
		}
		if totals.Missed > 0 {
			t.Errorf("%s: %d jobs missed", name, totals.Missed)
		}
	}
	s := overrun()
	s.Tasks[1].Deadline = 3 * ms // it claims to be urgent
	if _, totals := run(t, "EDF", s); totals.Missed < 2 {
		t.Error("without servers the overrun harms nobody: the test says nothing")
	}
	jobs, _ := run(t, "CBS", s)
	for _, j := range jobs {
		if j.Task.ID == 1 && j.Missed {
			t.Errorf("job %d of the task that keeps to its word is late because another one claims to be urgent", j.Number)
		}
	}
}

// TestF27ABudgetIsWaitedForOrPostponed: a lone job of 6 ms with a budget of 2 in 5 ms.
func TestF27ABudgetIsWaitedForOrPostponed(t *testing.T) {
	lone := once(1, sim.Task{WCET: 6 * ms, Server: sim.Server{Budget: 2 * ms, Period: 5 * ms}})
	for name, want := range map[string][][][3]sim.Time{
		"CBS": {{{0, 6, 1}}}, "SCHED_DEADLINE": {{{0, 2, 1}, {5, 7, 1}, {10, 12, 1}}},
	} {
		if diff := cmp.Diff(want, timeline(t, name, nil, lone)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestF27ServersThatFitAreServed: whoever keeps to a budget within the period of the server meets every deadline, whatever
// all the others do.
func TestF27ServersThatFitAreServed(t *testing.T) {
	for number := range 300 {
		r := rand.New(rand.NewPCG(23, uint64(number)))
		s := feasibleSet(r, number)
		if len(s.Processors) > 1 {
			continue
		}
		var liars []bool
		for i := range s.Tasks {
			task := &s.Tasks[i]
			liars = append(liars, r.IntN(2) == 0)
			task.Server = sim.Server{Budget: max(1, task.WCET)}
			if liars[i] {
				task.WCET *= 3
			}
		}
		for _, name := range []string{"CBS", "SCHED-DEADLINE"} {
			jobs, _ := run(t, name, s)
			for _, j := range jobs {
				if j.Missed && !liars[j.Index] && j.Task.WCET > 0 {
					t.Fatalf("%s: set %d: task %d job %d is late by %d ns", name, number, j.Task.ID, j.Number, j.Ended-j.Deadline)
				}
			}
		}
	}
}

func TestF27ServersAreChecked(t *testing.T) {
	for says, server := range map[string]sim.Server{
		"budget 3000000": {Budget: 3 * ms, Period: 2 * ms}, "deadline 6000000": {Budget: ms, Deadline: 6 * ms, Period: 5 * ms},
	} {
		s := once(1, sim.Task{WCET: ms, Server: server})
		if got := refused(t, "CBS", s); !strings.Contains(got, "tasks[0].server") || !strings.Contains(got, says) {
			t.Errorf("%v: %q does not say %q", server, got, says)
		}
	}
	if got := refused(t, "CBS", once(1, sim.Task{WCET: ms})); !strings.Contains(got, "period 0") {
		t.Errorf("no period: %q", got)
	}
}

package sched_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

const ms = sim.Millisecond

// timeline is who runs when, in milliseconds, on each processor.
func timeline(t *testing.T, name string, options map[string]string, s *sim.System) [][][3]sim.Time {
	t.Helper()
	scheduler, err := sched.NewWith(name, options)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([][][3]sim.Time, len(s.Processors))
	_, err = sim.Run(t.Context(), s, scheduler, sim.ObserverFunc(func(r *sim.Record) {
		for _, g := range r.Segments {
			lines[g.Processor] = append(lines[g.Processor], [3]sim.Time{g.From / ms, g.To / ms, sim.Time(r.Task.ID)})
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		slices.SortFunc(line, func(a, b [3]sim.Time) int { return int(a[0] - b[0]) })
	}
	return lines
}

// once is jobs of which each is released once.
func once(processors int, tasks ...sim.Task) *sim.System {
	for i := range tasks {
		tasks[i].ID = i + 1
	}
	return &sim.System{Duration: 100 * ms, Processors: make([]sim.Processor, processors), Tasks: tasks}
}

func TestEqualPrioritiesTakeTurns(t *testing.T) {
	s := once(1, sim.Task{WCET: 5 * ms}, sim.Task{WCET: 2 * ms}, sim.Task{WCET: 3 * ms})
	got := timeline(t, "RR", map[string]string{"quantum": "2ms"}, s)
	want := [][][3]sim.Time{{{0, 2, 1}, {2, 4, 2}, {4, 6, 3}, {6, 8, 1}, {8, 9, 3}, {9, 10, 1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

// TestAPreemptedJobKeepsItsTurn: task 3 comes in the middle of the turn of task 1, whose other half follows it.
func TestAPreemptedJobKeepsItsTurn(t *testing.T) {
	want := [][][3]sim.Time{{{0, 1, 1}, {1, 4, 3}, {4, 5, 1}, {5, 7, 2}, {7, 9, 1}}}
	for name, urgent := range map[string]int64{"RR": 1, "Genode-RR": -1} {
		s := once(1, sim.Task{WCET: 4 * ms}, sim.Task{WCET: 2 * ms}, sim.Task{WCET: 3 * ms, Priority: urgent, Offset: ms})
		got := timeline(t, name, map[string]string{"quantum": "2ms"}, s)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: turns (-want +got):\n%s", name, diff)
		}
	}
}

// TestBandsDoNotShareTheirTurns: the least urgent task runs only when the others are done, on two processors.
func TestBandsDoNotShareTheirTurns(t *testing.T) {
	s := once(2, sim.Task{WCET: 4 * ms, Priority: 2}, sim.Task{WCET: 3 * ms, Priority: 1}, sim.Task{WCET: 2 * ms, Priority: 1}, sim.Task{WCET: ms})
	got := timeline(t, "RR", map[string]string{"quantum": "1ms"}, s)
	want := [][][3]sim.Time{{{0, 4, 1}, {4, 5, 2}}, {{0, 1, 2}, {1, 2, 3}, {2, 3, 2}, {3, 4, 3}, {4, 5, 4}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

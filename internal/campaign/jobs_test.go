package campaign

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestTracker(t *testing.T) {
	ev := func(kind string, task int, stamp int64) session.Event {
		return session.Event{Type: kind, TaskID: task, Stamp: stamp}
	}
	ms := func(n int64) *int64 { return ptr.To(n) }
	cases := map[string]struct {
		tasks    int
		period   uint32
		wanted   int32
		events   []session.Event
		complete bool
		jobs     []results.Job
	}{
		"nothing happened": {tasks: 1, wanted: 1},
		"a job that runs is no result": {tasks: 1, wanted: 1,
			events: []session.Event{ev("START", 0, 5)}},
		"start and exit make a job": {tasks: 1, wanted: 1, complete: true,
			events: []session.Event{ev("START", 0, 5), ev("EXIT", 0, 9)},
			jobs:   []results.Job{{Task: "t0", Number: 1, Start: ms(5), End: ms(9), Outcome: "EXIT"}}},
		"every other kind of exit ends a job too": {tasks: 1, period: 1, wanted: 3, complete: true,
			events: []session.Event{ev("START", 0, 1), ev("EXIT_CRITICAL", 0, 2), ev("START", 0, 3), ev("EXIT_PERIOD", 0, 4), ev("START", 0, 5), ev("OUT_OF_QUOTA", 0, 6)},
			jobs: []results.Job{
				{Task: "t0", Number: 1, Start: ms(1), End: ms(2), Outcome: "EXIT_CRITICAL"},
				{Task: "t0", Number: 2, Start: ms(3), End: ms(4), Outcome: "EXIT_PERIOD"},
				{Task: "t0", Number: 3, Start: ms(5), End: ms(6), Outcome: "OUT_OF_QUOTA"}}},
		"an exit without a start has no start": {tasks: 1, wanted: 1, complete: true,
			events: []session.Event{ev("EXIT", 0, 9)},
			jobs:   []results.Job{{Task: "t0", Number: 1, End: ms(9), Outcome: "EXIT"}}},
		"one task is not all tasks": {tasks: 2, wanted: 1,
			events: []session.Event{ev("START", 0, 1), ev("EXIT", 0, 2)},
			jobs:   []results.Job{{Task: "t0", Number: 1, Start: ms(1), End: ms(2), Outcome: "EXIT"}}},
		"a task without a period has one job": {tasks: 1, wanted: 3, complete: true,
			events: []session.Event{ev("START", 0, 1), ev("EXIT", 0, 2)},
			jobs:   []results.Job{{Task: "t0", Number: 1, Start: ms(1), End: ms(2), Outcome: "EXIT"}}},
		"a task that announces its end is not waited for": {tasks: 1, period: 1, wanted: 3, complete: true,
			events: []session.Event{ev("START", 0, 1), ev("EXIT", 0, 2), ev("JOBS_DONE", 0, 2)},
			jobs:   []results.Job{{Task: "t0", Number: 1, Start: ms(1), End: ms(2), Outcome: "EXIT"}}},
		"a refused task is recorded as such": {tasks: 1, wanted: 2, complete: true,
			events: []session.Event{ev("NOT_SCHEDULED", 0, 7)},
			jobs:   []results.Job{{Task: "t0", Number: 1, Outcome: "NOT_SCHEDULED"}}},
		"jobs beyond the wanted ones are left out": {tasks: 1, wanted: 1, complete: true,
			events: []session.Event{ev("START", 0, 1), ev("EXIT", 0, 2), ev("START", 0, 3), ev("EXIT", 0, 4)},
			jobs:   []results.Job{{Task: "t0", Number: 1, Start: ms(1), End: ms(2), Outcome: "EXIT"}}},
		"unknown tasks and types do no harm": {tasks: 1, wanted: 1,
			events: []session.Event{ev("EXIT", 9, 1), ev("EXIT", -1, 1), ev("SNEEZE", 0, 1), ev("UNKNOWN", 0, 2)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var tasks []taskset.Task
			for i := range tc.tasks {
				tasks = append(tasks, taskset.Task{ID: i, Name: "t" + string(rune('0'+i)), Period: tc.period, NumberOfJobs: uint32(tc.wanted)})
			}
			tr := newTracker(tasks, tc.wanted, false)
			for _, e := range tc.events {
				tr.observe(e)
			}
			if tr.complete() != tc.complete {
				t.Errorf("complete() = %v", tr.complete())
			}
			if diff := cmp.Diff(tc.jobs, tr.jobs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

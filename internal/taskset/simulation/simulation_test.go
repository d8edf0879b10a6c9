package simulation_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/simulation"
)

func TestTasks(t *testing.T) {
	got, err := simulation.Tasks([]taskset.Task{
		{ID: 0, Name: "a", Period: 10, ExecutionTime: 2, Deadline: 8, Offset: 1, CriticalTime: 12, NumberOfJobs: 3, Priority: 7},
		{ID: 1, Name: "b", ExecutionTime: 5},
	})
	if err != nil {
		t.Fatal(err)
	}
	const ms = sim.Millisecond
	want := []sim.Task{
		{ID: 0, Name: "a", Period: 10 * ms, WCET: 2 * ms, Deadline: 8 * ms, Offset: ms, CriticalTime: 12 * ms, Jobs: 3, Priority: 7},
		{ID: 1, Name: "b", WCET: 5 * ms},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTasksWithoutExecutionTimeAreNamed(t *testing.T) {
	_, err := simulation.Tasks([]taskset.Task{{Name: "a", ExecutionTime: 1}, {Name: "load"}})
	if !errors.Is(err, sim.ErrInvalid) || !strings.Contains(err.Error(), "tasks[1] (load).executionTimeMilliseconds") {
		t.Error(err)
	}
}

func TestSchedulerFitsTheTasks(t *testing.T) {
	for want, tasks := range map[string][]taskset.Task{
		"EDF":       {{Priority: 3}, {Priority: 3}},
		"Genode-FP": {{Priority: 3}, {Priority: 4}},
	} {
		if got := simulation.Scheduler(tasks); got != want {
			t.Errorf("%v: %s", tasks, got)
		}
	}
}

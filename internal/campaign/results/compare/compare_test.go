package compare_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/compare"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

const ms = sim.Millisecond

// record is one of a variant whose jobs took so many milliseconds; a negative time is not known.
func record(variant uint64, succeeded bool, responses map[string][]int64) *results.Record {
	r := &results.Record{Variant: variant, Succeeded: succeeded, Final: succeeded}
	for task, times := range responses {
		for n, t := range times {
			start, end := int64(100*n), int64(100*n)+t
			j := results.Job{Task: task, Number: int32(n) + 1, Start: &start, End: &end}
			if t < 0 {
				j.End = nil
			}
			r.Jobs = append(r.Jobs, j)
		}
	}
	return r
}

func TestRowsJoinByVariantAndTask(t *testing.T) {
	simulated, measured := compare.Longest{}, compare.Longest{}
	simulated.Add(record(1, true, map[string][]int64{"a": {3, 3}, "b": {6, 5}}))
	simulated.Add(record(0, true, map[string][]int64{"a": {3}}))
	measured.Add(record(1, false, map[string][]int64{"a": {50}}))
	measured.Add(record(1, true, map[string][]int64{"a": {2, 4, -1}, "b": {-1}}))
	measured.Add(record(2, true, map[string][]int64{"b": {7}}))
	got, err := compare.Rows(func(uint64) ([]taskset.Task, error) {
		return []taskset.Task{
			{Name: "a", Priority: 1, Period: 7, ExecutionTime: 3},
			{Name: "b", Priority: 2, Period: 12, ExecutionTime: 3, Deadline: 10},
		}, nil
	}, simulated, measured)
	if err != nil {
		t.Fatal(err)
	}
	a := render.Compared{Task: "a", Deadline: 7 * ms, Bound: 6 * ms, Simulated: sim.Never, Measured: sim.Never}
	b := render.Compared{Task: "b", Deadline: 10 * ms, Bound: 8 * ms, Simulated: sim.Never, Measured: sim.Never}
	row := func(r render.Compared, variant string, simulated, measured sim.Time) render.Compared {
		r.Variant, r.Simulated, r.Measured = variant, simulated, measured
		return r
	}
	want := []render.Compared{
		row(a, "0", 3*ms, sim.Never), row(b, "0", sim.Never, sim.Never),
		row(a, "1", 3*ms, 4*ms), row(b, "1", 6*ms, sim.Never),
		row(a, "2", sim.Never, sim.Never), row(b, "2", sim.Never, 7*ms),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestRowsNameTheVariantThatHasNoTasks(t *testing.T) {
	broken := errors.New("broken")
	l := compare.Longest{}
	l.Add(record(7, true, map[string][]int64{"a": {1}}))
	_, err := compare.Rows(func(uint64) ([]taskset.Task, error) { return nil, broken }, l, nil)
	if !errors.Is(err, broken) || err.Error() != "variant 7: broken" {
		t.Errorf("%v, want variant 7: broken", err)
	}
}

func TestBounds(t *testing.T) {
	for name, tc := range map[string]struct {
		tasks []taskset.Task
		want  []sim.Time
	}{
		"textbook":          {[]taskset.Task{{Priority: 3, Period: 20, ExecutionTime: 5}, {Priority: 1, Period: 7, ExecutionTime: 3}, {Priority: 2, Period: 12, ExecutionTime: 3}}, []sim.Time{20 * ms, 3 * ms, 6 * ms}},
		"equal priorities":  {[]taskset.Task{{Period: 10, ExecutionTime: 2}, {Period: 10, ExecutionTime: 3}}, []sim.Time{5 * ms, 5 * ms}},
		"released once":     {[]taskset.Task{{ExecutionTime: 4}, {Priority: 1, Period: 10, ExecutionTime: 2}}, []sim.Time{4 * ms, 6 * ms}},
		"overload":          {[]taskset.Task{{Period: 2, ExecutionTime: 2}, {Priority: 1, Period: 10, ExecutionTime: 1}}, []sim.Time{2 * ms, sim.Never}},
		"EDF":               {[]taskset.Task{{Name: "a", Priority: 1, Period: 20, ExecutionTime: 5, Deadline: 10}, {Name: "b", Period: 20, ExecutionTime: 3}}, []sim.Time{5 * ms, 8 * ms}},
		"no execution time": {[]taskset.Task{{Period: 2}, {Priority: 1, Period: 10, ExecutionTime: 1}}, []sim.Time{sim.Never, sim.Never}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, want := range tc.want {
				if got := compare.Bound(tc.tasks, i); got != want {
					t.Errorf("task %d: %d, want %d", i, got, want)
				}
			}
		})
	}
}

// TestNothingIsSimulatedAboveItsBound simulates random task-sets, equal priorities, offsets and single jobs included.
func TestNothingIsSimulatedAboveItsBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	reached, bounded := 0, 0
	for range 300 {
		var tasks []taskset.Task
		for i := range 1 + random.IntN(5) {
			tasks = append(tasks, taskset.Task{
				ID: i, Name: string(rune('a' + i)), NumberOfJobs: 1000, Priority: random.Uint32N(4), Period: 5 + random.Uint32N(40), ExecutionTime: 1 + random.Uint32N(8), Offset: random.Uint32N(3) * random.Uint32N(20),
			})
		}
		if random.IntN(4) == 0 {
			tasks[0].Period = 0
		}
		s, _, err := simso.System(session.Run{Tasks: tasks}, simso.Settings{
			Scheduler: "Genode-FP", CPUs: 1, Duration: 2 * time.Second, OnMiss: simso.Continue, LeastPercent: 100,
		})
		if err != nil {
			t.Fatal(err)
		}
		longest := make([]sim.Time, len(tasks))
		scheduler, err := sched.New("Genode-FP")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sim.Run(context.Background(), s, scheduler, sim.ObserverFunc(func(r *sim.Record) {
			if r.Ended != sim.Never {
				longest[r.Index] = max(longest[r.Index], r.Response())
			}
		})); err != nil {
			t.Fatal(err)
		}
		for i := range tasks {
			bound := compare.Bound(tasks, i)
			if bound == sim.Never {
				continue
			}
			bounded++
			if longest[i] > bound {
				t.Fatalf("task %d of %+v took %d ns, its bound is %d", i, tasks, longest[i], bound)
			}
			if longest[i] == bound {
				reached++
			}
		}
	}
	if bounded < 300 || reached < bounded/3 {
		t.Errorf("of %d bounds %d were reached; they say too little", bounded, reached)
	}
}

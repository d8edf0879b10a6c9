package sim_test

import (
	"context"
	"errors"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

const ms = sim.Millisecond

// run simulates s and returns copies of the records, in the order in which they came.
func run(t testing.TB, s *sim.System, scheduler string) ([]sim.Record, sim.Totals) {
	t.Helper()
	policy, err := sched.New(scheduler)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []sim.Record
	totals, err := sim.Run(context.Background(), s, policy, sim.ObserverFunc(func(r *sim.Record) {
		c := *r
		c.Segments = append([]sim.Segment(nil), r.Segments...)
		jobs = append(jobs, c)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return jobs, totals
}

// of are the jobs of the task at that index.
func of(jobs []sim.Record, index int) []sim.Record {
	var found []sim.Record
	for i := range jobs {
		if jobs[i].Index == index {
			found = append(found, jobs[i])
		}
	}
	return found
}

// processors are so many processors without costs.
func processors(n int) []sim.Processor { return make([]sim.Processor, n) }

func TestACancelledRunStopsAtOnce(t *testing.T) {
	s := &sim.System{Duration: 1_000_000 * sim.Second, Processors: processors(1), Tasks: []sim.Task{{ID: 1, Period: 10 * ms, WCET: ms}}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	jobs := 0
	policy, err := sched.New("EDF")
	if err != nil {
		t.Fatal(err)
	}
	_, err = sim.Run(ctx, s, policy, sim.ObserverFunc(func(*sim.Record) {
		if jobs++; jobs == 1000 {
			cancel()
		}
	}))
	if !errors.Is(err, context.Canceled) || jobs > 1020 {
		t.Errorf("stopped with %v after job %d, want %v soon after job 1000", err, jobs, context.Canceled)
	}
}

func TestARunThatIsCancelledBeforeItBeginsSimulatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := &sim.System{Duration: 10 * ms, Processors: processors(1), Tasks: []sim.Task{{ID: 1, Period: 10 * ms, WCET: ms}}}
	policy, err := sched.New("EDF")
	if err != nil {
		t.Fatal(err)
	}
	_, err = sim.Run(ctx, s, policy, sim.ObserverFunc(func(r *sim.Record) { t.Errorf("got job %d", r.Number) }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

package main

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// sums are what two ways to do the same work must agree on.
type sums struct {
	ended, missed      int64
	executed, response sim.Time
}

func (s *sums) add(r *sim.Record) {
	if r.Ended == sim.Never {
		return
	}
	s.ended++
	s.executed += r.Executed
	s.response += r.Response()
	if r.Missed {
		s.missed++
	}
}

// TestF57ThePlainLoopDoesTheSameWork as the simulator that is compared with it: the same jobs, as fast.
func TestF57ThePlainLoopDoesTheSameWork(t *testing.T) {
	compared := 0
	for _, c := range scenarios(20) {
		if !c.plain {
			continue
		}
		compared++
		s, err := c.system(1)
		if err != nil {
			t.Fatal(err)
		}
		var plain, own sums
		plainEDF(s, plain.add)
		policy, err := sched.New("EDF")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sim.Run(t.Context(), s, policy, sim.ObserverFunc(own.add)); err != nil {
			t.Fatal(err)
		}
		if plain != own || own.ended == 0 {
			t.Errorf("%d tasks: plain loop %+v, simulator %+v", c.tasks, plain, own)
		}
	}
	if compared != 3 {
		t.Errorf("%d scenarios with a plain loop, want 3", compared)
	}
}

// TestF58WorkOfAJobDoesNotGrowWithTheTasks: the scheduler is asked as often for each job of 10,000 tasks as of 10.
func TestF58WorkOfAJobDoesNotGrowWithTheTasks(t *testing.T) {
	perJob := map[int]float64{}
	for _, n := range []int{10, 10_000} {
		c := scenario{tasks: n, processors: 1, load: .8, duration: 5000 * sim.Second / sim.Time(n)}
		s, err := c.system(1)
		if err != nil {
			t.Fatal(err)
		}
		policy, err := sched.New("EDF-mono")
		if err != nil {
			t.Fatal(err)
		}
		totals, err := sim.Run(t.Context(), s, policy, sim.ObserverFunc(func(*sim.Record) {}))
		if err != nil {
			t.Fatal(err)
		}
		perJob[n] = float64(totals.Decisions) / float64(totals.Released)
	}
	if perJob[10] > 2 || perJob[10_000] > 2 {
		t.Errorf("decisions for each job: %v, want at most one for its activation and one for its end", perJob)
	}
}

// TestTheSimulatorIsMeasured: every scenario has results, however short it is.
func TestTheSimulatorIsMeasured(t *testing.T) {
	b := &bench{options: &options{simulated: time.Second}, progress: &progress{out: t.Output()}}
	runs, err := b.measureSimulator(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 12 {
		t.Errorf("%d results, want 12", len(runs))
	}
	for _, r := range runs {
		if r.Jobs == 0 || r.PerSecond <= 0 || r.Seconds <= 0 {
			t.Errorf("%+v", r)
		}
	}
	b.report.Simulator = runs
	b.report.printSimulator(io.Discard)
}

package statistics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/statistics"
)

// drawn makes systems of three tasks on two processors, the heavier the later the point.
func drawn(point, set int) (*sim.System, error) {
	r := rand.New(rand.NewPCG(uint64(point), uint64(set)))
	s := &sim.System{Duration: 200 * sim.Millisecond, Processors: make([]sim.Processor, 2), Seed: uint64(set)}
	for i := range 3 {
		period := sim.Time(2+r.IntN(18)) * sim.Millisecond
		load := (.5 + .1*float64(point)) * (.8 + .2*r.Float64())
		s.Tasks = append(s.Tasks, sim.Task{
			ID: i, Period: period, WCET: sim.Time(load * float64(period)),
			Execution: sim.Uniform{Least: period / 10, Most: period},
		})
	}
	return s, nil
}

func sweep(workers, known int) *statistics.Sweep {
	s := &statistics.Sweep{Points: 5, Sets: 10, System: drawn, Workers: workers, Known: known, PerTask: true}
	for _, name := range []string{"EDF", "P-EDF-FF", "EDZL"} {
		s.Schedulers = append(s.Schedulers, statistics.Scheduler{Name: name, New: func() (sim.Scheduler, error) { return sched.New(name) }})
	}
	return s
}

// write runs a sweep up to so many outcomes and writes them as lines.
func write(t *testing.T, s *statistics.Sweep, most int) string {
	t.Helper()
	full := errors.New("enough")
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	err := s.Run(context.Background(), func(o *statistics.Outcome) error {
		if most == 0 {
			return full
		}
		most--
		return lines.Encode(o)
	})
	if err != nil && !errors.Is(err, full) {
		t.Fatal(err)
	}
	return out.String()
}

// TestF50AnyNumberOfWorkersWritesTheSame, and so does a sweep that was stopped anywhere and resumed.
func TestF50AnyNumberOfWorkersWritesTheSame(t *testing.T) {
	want := write(t, sweep(1, 0), -1)
	if n := strings.Count(want, "\n"); n != 150 {
		t.Fatalf("%d outcomes, want 150", n)
	}
	for _, workers := range []int{2, 8, 0} {
		if got := write(t, sweep(workers, 0), -1); got != want {
			t.Errorf("%d workers: %s", workers, cmp.Diff(want, got))
		}
	}
	for _, stopped := range []int{1, 2, 3, 50, 149, 150} {
		got := write(t, sweep(4, 0), stopped)
		got += write(t, sweep(3, stopped), -1)
		if got != want {
			t.Errorf("stopped after %d lines: %s", stopped, cmp.Diff(want, got))
		}
	}
}

// TestF37OutcomesDependOnTheSeedOnly: the systems carry seeds of their own, whoever simulates them.
func TestF37OutcomesDependOnTheSeedOnly(t *testing.T) {
	a, b := sweep(8, 0), sweep(8, 0)
	b.System = func(point, set int) (*sim.System, error) {
		s, err := drawn(point, set)
		s.Seed++
		return s, err
	}
	if write(t, a, -1) == write(t, b, -1) {
		t.Error("other seeds make no difference")
	}
}

// TestAcceptanceAndWeightedSchedulability of hand-made outcomes.
func TestAcceptanceAndWeightedSchedulability(t *testing.T) {
	var a statistics.Acceptance
	for _, o := range []statistics.Outcome{
		{Point: 0, Scheduler: "RM", Utilization: .5, Accepted: true}, {Point: 0, Scheduler: "EDF", Utilization: .5, Accepted: true},
		{Point: 0, Scheduler: "RM", Utilization: .5, Accepted: true}, {Point: 0, Scheduler: "EDF", Utilization: .5, Accepted: true},
		{Point: 1, Scheduler: "RM", Utilization: 1.5}, {Point: 1, Scheduler: "EDF", Utilization: 1.5, Accepted: true},
		{Point: 1, Scheduler: "RM", Utilization: 1.5, Accepted: true}, {Point: 1, Scheduler: "EDF", Utilization: 1.5, Accepted: true},
	} {
		a.Add(&o)
	}
	all := a.Schedulers()
	if len(all) != 2 || all[0].Scheduler != "RM" || all[1].Scheduler != "EDF" {
		t.Fatalf("schedulers %v", all)
	}
	if got := all[0].Weighted(); got != .625 || all[1].Weighted() != 1 {
		t.Errorf("weighted %v and %v, want (.5+.5+1.5)/4 and 1", got, all[1].Weighted())
	}
	if p := all[0].Points; len(p) != 2 || p[0].Ratio() != 1 || p[1].Ratio() != .5 || p[1].Utilization != 1.5 {
		t.Errorf("RM accepts %+v", p)
	}
	if (&statistics.Accepted{}).Weighted() != 0 || (statistics.Share{}).Ratio() != 0 {
		t.Error("nothing is accepted of nothing, want 0")
	}
}

// TestHeavierSystemsAreAcceptedLess, in a real sweep, and the optimal accept no fewer than others.
func TestHeavierSystemsAreAcceptedLess(t *testing.T) {
	var a statistics.Acceptance
	if err := sweep(0, 0).Run(context.Background(), func(o *statistics.Outcome) error { a.Add(o); return nil }); err != nil {
		t.Fatal(err)
	}
	edf, partitioned, edzl := a.Schedulers()[0], a.Schedulers()[1], a.Schedulers()[2]
	if edf.Points[0].Ratio() <= edf.Points[4].Ratio() {
		t.Errorf("EDF accepts %v, want fewer at the end", edf.Points)
	}
	if edzl.Weighted() < edf.Weighted() || partitioned.Weighted() >= 1 {
		t.Errorf("weighted: EDF %v, EDZL %v, partitioned %v", edf.Weighted(), edzl.Weighted(), partitioned.Weighted())
	}
	if n := edf.Jobs.Response.Count(); n == 0 || n != edf.Jobs.Ended {
		t.Errorf("%d response times of %d jobs", n, edf.Jobs.Ended)
	}
}

// TestASweepStopsAtMistakes and when it is told to.
func TestASweepStopsAtMistakes(t *testing.T) {
	broken := sweep(4, 0)
	broken.System = func(point, set int) (*sim.System, error) {
		s, err := drawn(point, set)
		if point == 2 && set == 3 {
			s.Tasks[1].WCET = -1
		}
		return s, err
	}
	err := broken.Run(context.Background(), func(*statistics.Outcome) error { return nil })
	if !errors.Is(err, sim.ErrInvalid) || !strings.Contains(err.Error(), "point 2, set 3: invalid system: tasks[1].wcet: -1") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err = sweep(4, 0).Run(ctx, func(*statistics.Outcome) error {
		if n++; n == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n > 60 {
		t.Errorf("cancelled at outcome 10: %v after %d", err, n)
	}
	if err := (&statistics.Sweep{}).Run(ctx, nil); err == nil {
		t.Error("an empty sweep is no mistake")
	}
}

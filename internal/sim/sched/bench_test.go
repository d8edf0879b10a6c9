package sched_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// benchmarkSystem makes n equally heavy tasks with the utilization, and periods from 10 ms on.
func benchmarkSystem(n, processors int, utilization float64, duration sim.Time) *sim.System {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	s := &sim.System{Duration: duration, Processors: make([]sim.Processor, processors)}
	for i := range n {
		period := 10*sim.Millisecond + sim.Time(r.ExpFloat64()*50e6)
		s.Tasks = append(s.Tasks, sim.Task{ID: i, Period: period, WCET: max(1, sim.Time(utilization/float64(n)*float64(period)))})
	}
	return s
}

func BenchmarkSimulation(b *testing.B) {
	for _, c := range []struct {
		name, scheduler   string
		tasks, processors int
		utilization       float64
		seconds           sim.Time
	}{
		{"10 tasks, EDF, 1 processor", "EDF", 10, 1, .8, 1000},
		{"10 tasks, EDF-mono, 1 processor", "EDF-mono", 10, 1, .8, 1000},
		{"100 tasks, EDF, 8 processors", "EDF", 100, 8, 6.4, 10},
		{"1000 tasks, EDF, 8 processors", "EDF", 1000, 8, 6.4, 10},
		{"1000 tasks, EDF-mono, 1 processor", "EDF-mono", 1000, 1, .8, 10},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := benchmarkSystem(c.tasks, c.processors, c.utilization, c.seconds*sim.Second)
			b.ReportAllocs()
			jobs := int64(0)
			for b.Loop() {
				scheduler, err := sched.New(c.scheduler)
				if err != nil {
					b.Fatal(err)
				}
				totals, err := sim.Run(context.Background(), s, scheduler, sim.ObserverFunc(func(*sim.Record) {}))
				if err != nil {
					b.Fatal(err)
				}
				jobs += totals.Ended
			}
			b.ReportMetric(float64(jobs)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

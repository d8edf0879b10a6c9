package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/statistics"
	"github.com/genode-operator/genode-operator/internal/taskset/generator"
)

// SimulatorRun is what simulating something costs. Memory is MiB by which the process ever was larger than before.
type SimulatorRun struct {
	How        string `json:"how"`
	Tasks      int    `json:"tasks"`
	Processors int    `json:"processors"`
	Jobs       int64  `json:"jobs"` // that ended
	// Seconds are wall time, PerSecond the jobs by it, and PerCore the jobs by CPU time.
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"jobsPerSecond"`
	PerCore   float64 `json:"jobsPerCoreSecond"`
	Memory    float64 `json:"grownMiB"`
	// PerPlain is PerCore divided by that of the plain loop over the same work; 0 where there is none.
	PerPlain float64 `json:"perPlain,omitzero"`
}

// scenario is something to simulate. A plain one is done by a plain loop, too; one with sets is a campaign.
type scenario struct {
	scheduler         string
	tasks, processors int
	load              float64 // of all processors together
	duration          sim.Time
	plain             bool
	sets, workers     int
}

// scenarios last seconds of simulated time, or less if there are many tasks.
func scenarios(seconds sim.Time) []scenario {
	long := seconds * sim.Second
	return []scenario{
		{scheduler: "EDF", tasks: 10, processors: 1, load: .8, duration: long, plain: true},
		{scheduler: "EDF", tasks: 100, processors: 8, load: 6.4, duration: long / 10},
		{scheduler: "EDF", tasks: 1000, processors: 8, load: 6.4, duration: long / 50},
		{scheduler: "EDF-mono", tasks: 1000, processors: 1, load: .8, duration: long / 50, plain: true},
		{scheduler: "EDF-mono", tasks: 10_000, processors: 1, load: .8, duration: long / 500, plain: true},
		{scheduler: "RM", tasks: 10, processors: 1, load: .6, duration: long},
		{scheduler: "EDF", tasks: 10, processors: 1, load: .8, duration: 10 * sim.Second, sets: int(seconds), workers: 1},
		{scheduler: "EDF", tasks: 10, processors: 1, load: .8, duration: 10 * sim.Second, sets: int(seconds), workers: runtime.NumCPU()},
		{scheduler: "EDF", tasks: 10, processors: 1, load: .8, duration: 45 * long}, // ten million jobs
	}
}

const howPlain = "plain loop"

// measureSimulator simulates every scenario some times, and keeps the one with the median of CPU times.
func (b *bench) measureSimulator(ctx context.Context) (all []SimulatorRun, err error) {
	const rounds = 3
	list := scenarios(sim.Time(b.options.simulated / time.Second))
	p := b.progress.begin("Simulating", len(list))
	defer p.end()
	for _, c := range list {
		var own, plain []SimulatorRun
		for range rounds {
			if c.plain {
				r, err := measured(c, howPlain, func(s *sim.System) (int64, error) { return plainEDF(s, func(*sim.Record) {}), nil })
				if err != nil {
					return nil, err
				}
				plain = append(plain, r)
			}
			r, err := measured(c, c.String(), func(s *sim.System) (int64, error) { return c.simulate(ctx, s) })
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c, err)
			}
			own = append(own, r)
		}
		run := median(own)
		if c.plain {
			base := median(plain)
			base.PerPlain, run.PerPlain = 1, ratio(run.PerCore, base.PerCore)
			all = append(all, base)
		}
		all = append(all, run)
		p.step(c.String())
	}
	return all, nil
}

func (c scenario) String() string {
	if c.sets > 0 {
		return fmt.Sprintf("%s, campaign of %d sets, %d workers", c.scheduler, c.sets, c.workers)
	}
	return c.scheduler
}

func median(runs []SimulatorRun) SimulatorRun {
	slices.SortFunc(runs, func(a, b SimulatorRun) int { return int(a.PerCore - b.PerCore) })
	return runs[len(runs)/2]
}

// system draws the tasks: UUniFast-Discard, and periods of 10 ms to 1 s by their logarithms.
func (c scenario) system(seed uint64) (*sim.System, error) {
	const most, ms = generator.MaxTasks, int64(sim.Millisecond)
	r := rand.New(rand.NewPCG(seed, uint64(c.tasks)))
	periods, err := generator.LogUniform(10*ms, 1000*ms, ms/10)
	if err != nil {
		return nil, err
	}
	s := &sim.System{Duration: c.duration, Processors: make([]sim.Processor, c.processors)}
	for len(s.Tasks) < c.tasks {
		n := min(c.tasks-len(s.Tasks), most)
		loads, err := generator.UUniFastDiscard(r, n, c.load*float64(n)/float64(c.tasks), 1)
		if err != nil {
			return nil, err
		}
		for _, u := range loads {
			period := periods(r)
			s.Tasks = append(s.Tasks, sim.Task{ID: len(s.Tasks), Period: period, WCET: generator.ExecutionTime(period, u)})
		}
	}
	return s, nil
}

// simulate simulates the scenario, with a record of each job, and returns how many ended.
func (c scenario) simulate(ctx context.Context, s *sim.System) (ended int64, err error) {
	if c.sets > 0 {
		sweep := &statistics.Sweep{
			Points: 1, Sets: c.sets, Workers: c.workers,
			System:     func(_, set int) (*sim.System, error) { return c.system(uint64(set)) },
			Schedulers: []statistics.Scheduler{{Name: c.scheduler, New: func() (sim.Scheduler, error) { return sched.New(c.scheduler) }}},
		}
		err := sweep.Run(ctx, func(o *statistics.Outcome) error { ended += o.Ended; return nil })
		return ended, err
	}
	policy, err := sched.New(c.scheduler)
	if err != nil {
		return 0, err
	}
	_, err = sim.Run(ctx, s, policy, sim.ObserverFunc(func(r *sim.Record) {
		if r.Ended != sim.Never {
			ended++
		}
	}))
	return ended, err
}

// measured does some work on as many cores as it has workers.
func measured(c scenario, how string, work func(*sim.System) (int64, error)) (SimulatorRun, error) {
	s, err := c.system(1)
	if err != nil {
		return SimulatorRun{}, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(1, c.workers)))
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil { // forgets the peak
		return SimulatorRun{}, err
	}
	before, _, err := memory(os.Getpid())
	if err != nil {
		return SimulatorRun{}, err
	}
	cpu, begin := ownCPU(), time.Now()
	jobs, err := work(s)
	took, used := time.Since(begin).Seconds(), ownCPU()-cpu
	if err != nil {
		return SimulatorRun{}, err
	}
	status, err := os.ReadFile("/proc/self/status")
	return SimulatorRun{
		How: how, Tasks: c.tasks, Processors: c.processors, Jobs: jobs, Seconds: took,
		PerSecond: ratio(float64(jobs), took), PerCore: ratio(float64(jobs), used),
		Memory: max(0, statusMiB(string(status), "VmHWM")-before),
	}, err
}

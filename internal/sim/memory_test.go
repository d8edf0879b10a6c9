package sim_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// TestF56MemoryIsBoundedByUnfinishedJobs: ten million jobs need no more of it than a few. With the race detector it is
// half a million jobs.
func TestF56MemoryIsBoundedByUnfinishedJobs(t *testing.T) {
	const most = 16 << 20 // of heap, with everything that the collector has not come to
	jobs := int64(10_000_000)
	if raceEnabled {
		jobs /= 20
	}
	s := &sim.System{Duration: sim.Time(jobs) * us, Processors: processors(1)}
	for i := range 10 {
		s.Tasks = append(s.Tasks, sim.Task{ID: i, Period: 10 * us, WCET: 800})
	}
	policy, err := sched.New("EDF-mono")
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	ended, highest := int64(0), uint64(0)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	totals, err := sim.Run(ctx, s, policy, sim.ObserverFunc(func(*sim.Record) {
		if ended++; ended%(jobs/20) == 0 {
			runtime.ReadMemStats(&now)
			highest = max(highest, now.HeapAlloc)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if totals.Ended < jobs || highest-min(highest, before.HeapAlloc) > most {
		t.Errorf("%d jobs ended, %d KiB of heap more than before; want %d and at most %d", totals.Ended, (highest-before.HeapAlloc)>>10, jobs, most>>10)
	}
	if objects := now.Mallocs - before.Mallocs; objects > uint64(jobs/100) {
		t.Errorf("%d allocations for %d jobs", objects, jobs)
	}
}

// TestQ17ALongRunIsNoHarderThanAShortOne: the scheduler is asked in proportion to the jobs, and nothing is kept of those
// that have ended.
func TestQ17ALongRunIsNoHarderThanAShortOne(t *testing.T) {
	run := func(n sim.Time) (decisions int64, objects uint64) {
		s := &sim.System{Duration: n * ms, Processors: processors(2), Tasks: tasks([]sim.Time{2, 5}, []sim.Time{3, 7}, []sim.Time{6, 9})}
		policy, err := sched.New("EDF")
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		totals, err := sim.Run(context.Background(), s, policy, sim.ObserverFunc(func(*sim.Record) {}))
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return totals.Decisions, after.Mallocs - before.Mallocs
	}
	few, little := run(630)
	many, much := run(63_000)
	if many > 100*few || much > little+100 {
		t.Errorf("a hundred times as long: %d decisions after %d, %d allocations after %d", many, few, much, little)
	}
}

package simso

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

const (
	// longest is the longest simulated time, some 13 days; see sim.System.Check.
	longest = sim.Time(1) << 50
	// slack is simulated after the time in which everything should be over.
	slack = sim.Second
	// maxProblems bounds what one error lists.
	maxProblems = 10
)

// System is what is simulated of a variant, and the name of the scheduler that is chosen for it. Tasks keep their
// order, and their ids.
//
//	period, offset, numberOfJobs   as they are; a task without a period has one job
//	deadline                       by default the period
//	executionTime                  the worst-case execution time; see Settings.LeastPercent
//	criticalTime                   after so long since its release a job is killed
//	priority                       as the scheduler takes it: Genode-FP, the default, has 0 as the highest
//	coreOffset                     the processor, if cores is more than 0 or the scheduler has tasks pinned
//
// Quota, caps, pkg and config have no effect. Errors name the field, the value and what to do.
func System(run session.Run, s Settings) (system *sim.System, scheduler string, err error) {
	scheduler = s.Scheduler
	if scheduler == "" {
		scheduler = chosen(run.Tasks)
	}
	policy, err := sched.Find(scheduler)
	if err != nil {
		return nil, "", fmt.Errorf("spec.simso: %w", err)
	}
	system = &sim.System{
		Tasks: make([]sim.Task, len(run.Tasks)), Processors: make([]sim.Processor, s.CPUs),
		Seed: run.Seed + s.Seed*0x9e3779b97f4a7c15,
	}
	var problems []error
	for i := range run.Tasks {
		t := &run.Tasks[i]
		if err := lacking(i, t, s.CPUs); err != nil && len(problems) < maxProblems {
			problems = append(problems, err)
		}
		system.Tasks[i] = s.task(t, strings.HasSuffix(policy.Name, "-fixed"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, "", err
	}
	system.Duration = horizon(system.Tasks, s.Duration, run.Duration)
	return system, policy.Name, nil
}

// chosen is the scheduler that a taskloader would use: EDF for tasks with deadlines, priorities for others.
func chosen(tasks []taskset.Task) string {
	for i := range tasks {
		if tasks[i].Deadline > 0 {
			return "EDF"
		}
	}
	return "Genode-FP"
}

// lacking says what a simulation needs to know and the task does not tell.
func lacking(i int, t *taskset.Task, cpus int) error {
	path := fmt.Sprintf("tasks[%d]", i)
	if t.Name != "" {
		path += fmt.Sprintf(" (%s)", t.Name)
	}
	switch {
	case t.ExecutionTime == 0:
		return fmt.Errorf("%s.executionTimeMilliseconds: 0: a simulated job runs as long as that; give its worst-case execution time, at least 1", path)
	case t.NumberOfJobs == 0 && t.Period > 0:
		return fmt.Errorf("%s.numberOfJobs: 0: the task would be released for ever; use at least 1", path)
	case t.Cores > 0 && t.CoreOffset >= uint32(cpus):
		return fmt.Errorf("%s.coreOffset: %d: the simulated target has spec.simso.cpus %d; use less than that", path, t.CoreOffset, cpus)
	}
	return nil
}

func (s *Settings) task(t *taskset.Task, pinned bool) sim.Task {
	out := sim.Task{
		ID: t.ID, Name: t.Name, Offset: ms(t.Offset), Period: ms(t.Period), Deadline: ms(t.Deadline), WCET: ms(t.ExecutionTime),
		Priority: int64(t.Priority), Jobs: int64(t.NumberOfJobs), CriticalTime: ms(t.CriticalTime),
		Pinned: pinned || t.Cores > 0, Processor: int(t.CoreOffset),
	}
	if t.Period == 0 {
		out.Jobs = 1
	}
	switch s.OnMiss {
	case Abort:
		out.OnMiss = sim.Abort
	case SkipNext:
		out.OnMiss = sim.SkipNext
	case EndAtPeriod:
		if t.Period > 0 && (t.CriticalTime == 0 || t.CriticalTime > t.Period) {
			out.CriticalTime = out.Period
		}
	}
	if s.LeastPercent < full {
		out.Execution = sim.Uniform{Least: out.WCET / full * sim.Time(s.LeastPercent), Most: out.WCET}
	}
	return out
}

func ms(n uint32) sim.Time { return sim.Time(n) * sim.Millisecond }

// horizon is when the simulation ends at the latest: with the shortest of the durations that are given, else when all
// jobs of a scheduler that wastes no time are over twice.
func horizon(tasks []sim.Task, durations ...time.Duration) sim.Time {
	end, work := sim.Time(0), sim.Time(0)
	for i := range tasks {
		t := &tasks[i]
		last := saturated(t.Offset, t.Period, t.Jobs-1)
		end = max(end, saturated(last, max(t.Deadline, t.Period), 1))
		work = saturated(work, 2*t.WCET, t.Jobs)
	}
	end = min(saturated(end, work, 1)+slack, longest)
	for _, d := range durations {
		if d > 0 {
			end = min(end, sim.Time(d))
		}
	}
	return end
}

// saturated is a + b*n, or longest if that is less; none of them is negative.
func saturated(a, b sim.Time, n int64) sim.Time {
	if n > 0 && b > (longest-a)/n {
		return longest
	}
	return min(longest, a+b*max(n, 0))
}

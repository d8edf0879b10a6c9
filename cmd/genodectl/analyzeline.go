package main

import (
	"context"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

func analyzeLine(ctx context.Context, line []byte) (any, error) {
	l, err := simfile.ParseSet(line)
	if err != nil {
		return nil, err
	}
	set := l.Set()
	u, _ := set.Utilization().Float64()
	common := analyzed{l.ID, l.CPUs, l.Tasks, u}
	edf, err := observe(ctx, "EDF", set, l.CPUs)
	if err != nil {
		return nil, err
	}
	fp, err := observe(ctx, "FP", set, l.CPUs)
	if err != nil {
		return nil, err
	}
	order := analysis.DeadlineMonotonic(set)
	if l.CPUs == 1 {
		said := analyzedOne{
			analyzed: common, LiuLayland: analysis.LiuLayland(set), Hyperbolic: analysis.Hyperbolic(set), EDF: analysis.EDF(set),
			FPResponses: fp.longest, EDFMissed: edf.missed,
		}
		bounds, ok := analysis.ResponseTimes(set.Pick(order))
		said.RTA, said.FP = orNull(inOrder(bounds, order)), ok
		if ok {
			said.PyCPA = said.RTA
		}
		return said, nil
	}
	return analyzeSeveral(common, set, order, edf, fp), nil
}

func analyzeSeveral(common analyzed, set analysis.Set, order []int, edf, fp observed) analyzedSeveral {
	m := common.CPUs
	said := analyzedSeveral{
		analyzed: common, GFB: analysis.GFB(set, m), BAK: analysis.BAK(set, m), BCL: analysis.BCL(set, m), BCLI: analysis.BCLIterative(set, m),
		EDFMissed: edf.missed, EDFResponses: edf.longest, FPMissed: fp.missed, FPResponses: fp.longest,
	}
	if said.GEDFBounds, said.GEDF = analysis.GlobalEDF(set, m); !said.GEDF {
		said.GEDFBounds = nil
	}
	byDeadline := set.Pick(order)
	if bounds, ok := analysis.GlobalFixedPriority(byDeadline, m); ok {
		said.Bertogna, said.BertognaBounds = true, inOrder(bounds, order)
	}
	if bounds, ok := analysis.GlobalFixedPriorityGuan(byDeadline, m); ok {
		said.Guan, said.GuanBounds = true, inOrder(bounds, order)
	}
	if x, ok := analysis.Tardiness(set, m); ok {
		said.Tardiness = &x
	}
	return said
}

// inOrder puts values of tasks in the order of their priorities back into the order of the set.
func inOrder(values []int64, order []int) []int64 {
	out := make([]int64, len(values))
	for at, i := range order {
		out[i] = values[at]
	}
	return out
}

// orNull has null where there is no bound.
func orNull(bounds []int64) []*int64 {
	out := make([]*int64, len(bounds))
	for i := range bounds {
		if bounds[i] >= 0 {
			out[i] = &bounds[i]
		}
	}
	return out
}

// observed is what a simulation shows: misses of jobs that have ended, and the longest response times in microseconds.
type observed struct {
	missed  int64
	longest []int64
}

// observe simulates a task-set, with times in microseconds and deadline-monotonic priorities, for as long as the
// recorded ones.
func observe(ctx context.Context, scheduler string, set analysis.Set, cpus int) (observed, error) {
	const recorded = 1200 * sim.Millisecond
	s := &sim.System{Duration: recorded, Processors: make([]sim.Processor, cpus)}
	for i, t := range set {
		s.Tasks = append(s.Tasks, sim.Task{ID: i, WCET: t.C * sim.Microsecond, Period: t.T * sim.Microsecond, Deadline: t.D * sim.Microsecond})
	}
	for place, i := range analysis.DeadlineMonotonic(set) {
		s.Tasks[i].Priority = int64(-place)
	}
	policy, err := sched.New(scheduler)
	if err != nil {
		return observed{}, err
	}
	o := observed{longest: make([]int64, len(set))}
	_, err = sim.Run(ctx, s, policy, sim.ObserverFunc(func(r *sim.Record) {
		if r.Ended == sim.Never {
			return
		}
		o.longest[r.Index] = max(o.longest[r.Index], r.Response()/sim.Microsecond)
		if r.Missed {
			o.missed++
		}
	}))
	return o, err
}

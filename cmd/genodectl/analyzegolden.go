package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// analyzed is what is said about every task-set of a line.
type analyzed struct {
	ID          json.RawMessage `json:"id,omitempty"`
	CPUs        int             `json:"cpus"`
	Tasks       [][3]int64      `json:"tasks"`
	Utilization float64         `json:"U"`
}

// analyzedOne is what is said about a task-set on one processor.
type analyzedOne struct {
	analyzed
	LiuLayland  bool     `json:"liu_layland"`
	Hyperbolic  bool     `json:"hyperbolic"`
	RTA         []*int64 `json:"rta"`
	FP          bool     `json:"fp_dm_schedulable"`
	PyCPA       []*int64 `json:"pycpa_wcrt,omitempty"`
	EDF         bool     `json:"edf_schedulable"`
	FPResponses []int64  `json:"simso_fp_max_response"`
	EDFMissed   int64    `json:"simso_edf_missed"`
}

// analyzedSeveral is what is said about a task-set on several processors.
type analyzedSeveral struct {
	analyzed
	GFB            bool    `json:"gfb"`
	BAK            bool    `json:"bak"`
	BCL            bool    `json:"bcl"`
	BCLI           bool    `json:"bcl_iterative"`
	BAR            *bool   `json:"bar"` // not offered
	GEDF           bool    `json:"gedf_rta"`
	GEDFBounds     []int64 `json:"gedf_rta_bounds,omitempty"`
	Bertogna       bool    `json:"gfp_bertogna"`
	BertognaBounds []int64 `json:"gfp_bertogna_bounds,omitempty"`
	Guan           bool    `json:"gfp_guan"`
	GuanBounds     []int64 `json:"gfp_guan_bounds,omitempty"`
	Tardiness      *int64  `json:"gedf_tardiness_x"`
	EDFMissed      int64   `json:"simso_gedf_missed"`
	EDFResponses   []int64 `json:"simso_gedf_max_response"`
	FPMissed       int64   `json:"simso_gfp_missed"`
	FPResponses    []int64 `json:"simso_gfp_max_response"`
}

// analyzeLines analyses the task-sets of files, and prints a line for each.
func analyzeLines(ctx context.Context, files []string, in io.Reader, out, log io.Writer) error {
	encoder := json.NewEncoder(out)
	failed := false
	for _, file := range files {
		text, err := readFile(file, in)
		if err != nil {
			fmt.Fprintln(log, err)
			failed = true
			continue
		}
		for number, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			said, err := analyzeLine(ctx, line)
			switch {
			case ctx.Err() != nil:
				return stopped(ctx, err, log)
			case err != nil:
				fmt.Fprintf(log, "%s:%d: %s\n", file, number+1, oneLine(err))
				failed = true
				said = map[string]string{"error": oneLine(err)}
			}
			if err := encoder.Encode(said); err != nil {
				return err
			}
		}
	}
	if failed {
		return errors.New("not every task-set could be analysed")
	}
	return nil
}

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

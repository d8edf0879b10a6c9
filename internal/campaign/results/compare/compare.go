// Package compare puts the response times of a campaign's variants side by side: bounds by analysis, and the
// longest ones of two campaigns with the same variants, one simulated and one on targets. It is pure.
package compare

import (
	"fmt"
	"maps"
	"slices"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Longest has the longest response time of each task by variant. A campaign's records are added in any order.
type Longest map[uint64]map[string]sim.Time

// Add counts the jobs of a record, if it succeeded: attempts that were repeated may have been cut short. A
// job's response time is what results.Job says it is, in whole milliseconds of the target's clock.
func (l Longest) Add(r *results.Record) {
	if !r.Succeeded {
		return
	}
	for _, j := range r.Jobs {
		response, known := j.Response()
		if !known {
			continue
		}
		tasks := l[r.Variant]
		if tasks == nil {
			tasks = map[string]sim.Time{}
			l[r.Variant] = tasks
		}
		tasks[j.Task] = max(tasks[j.Task], response*sim.Millisecond)
	}
}

// Rows joins two campaigns by variant and task: a row for each task of each variant that one of them has, in the
// order of the variants and their tasks. tasks gives the tasks of a variant, as variant.Space does.
func Rows(tasks func(variant uint64) ([]taskset.Task, error), simulated, measured Longest) ([]render.Compared, error) {
	variants := slices.AppendSeq(slices.Collect(maps.Keys(simulated)), maps.Keys(measured))
	slices.Sort(variants)
	var rows []render.Compared
	for _, v := range slices.Compact(variants) {
		set, err := tasks(v)
		if err != nil {
			return nil, fmt.Errorf("variant %d: %w", v, err)
		}
		for i := range set {
			t := &set[i]
			rows = append(rows, render.Compared{
				Variant: fmt.Sprint(v), Task: t.Name, Deadline: deadline(t), Bound: Bound(set, i),
				Simulated: longest(simulated, v, t.Name), Measured: longest(measured, v, t.Name),
			})
		}
	}
	return rows, nil
}

func longest(l Longest, variant uint64, task string) sim.Time {
	if t, known := l[variant][task]; known {
		return t
	}
	return sim.Never
}

// deadline is the relative one: the period if there is no other.
func deadline(t *taskset.Task) sim.Time {
	switch {
	case t.Deadline > 0:
		return sim.Time(t.Deadline) * sim.Millisecond
	case t.Period > 0:
		return sim.Time(t.Period) * sim.Millisecond
	}
	return sim.Never
}

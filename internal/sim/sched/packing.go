package sched

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// packer places tasks on processors by their utilizations; a pinned task goes where it is pinned to, before
// all others.
type packer struct {
	// choose is the processor for a task among those with these loads; -1: none.
	choose     func(loads []*big.Rat, u *big.Rat, last int) int
	decreasing bool // heaviest tasks first
}

// placeAsSaid places no task by itself.
func placeAsSaid(v sim.View) ([]int, error) {
	tasks := v.Tasks()
	homes := make([]int, len(tasks))
	for i := range tasks {
		if !tasks[i].Pinned {
			return nil, fmt.Errorf("%w: tasks[%d].processor: none: this scheduler does not choose processors; say one for %q, or use a packing", sim.ErrInvalid, i, tasks[i].Name)
		}
		homes[i] = tasks[i].Processor
	}
	return homes, nil
}

func (p packer) place(v sim.View) ([]int, error) {
	tasks := v.Tasks()
	homes, loads := make([]int, len(tasks)), make([]*big.Rat, v.Processors())
	for i := range loads {
		loads[i] = new(big.Rat)
	}
	order := p.order(tasks, homes, loads)
	last := 0
	for _, i := range order {
		u := utilization(&tasks[i])
		at := p.choose(loads, u, last)
		if at < 0 {
			percent, _ := u.Float64()
			return nil, fmt.Errorf("%w: tasks[%d] (%s): its utilization of %.3f fits on no processor beside those before it; use more processors or another packing", sim.ErrInvalid, i, tasks[i].Name, percent)
		}
		homes[i], last = at, at
		loads[at].Add(loads[at], u)
	}
	return homes, nil
}

// order is the tasks to be placed, in order; pinned ones are placed at once.
func (p packer) order(tasks []sim.Task, homes []int, loads []*big.Rat) []int {
	var order []int
	for i := range tasks {
		if tasks[i].Pinned {
			homes[i] = tasks[i].Processor
			loads[homes[i]].Add(loads[homes[i]], utilization(&tasks[i]))
			continue
		}
		order = append(order, i)
	}
	if p.decreasing {
		slices.SortStableFunc(order, func(a, b int) int {
			return utilization(&tasks[b]).Cmp(utilization(&tasks[a]))
		})
	}
	return order
}

// utilization is WCET/period; a task without a period counts as one with that of its deadline, or nothing.
func utilization(t *sim.Task) *big.Rat {
	switch {
	case t.Period > 0:
		return big.NewRat(t.WCET, t.Period)
	case t.Deadline > 0:
		return big.NewRat(t.WCET, t.Deadline)
	}
	return new(big.Rat)
}

var one = big.NewRat(1, 1)

func fits(load, u *big.Rat) bool { return new(big.Rat).Add(load, u).Cmp(one) <= 0 }

func firstFit(loads []*big.Rat, u *big.Rat, _ int) int {
	return slices.IndexFunc(loads, func(load *big.Rat) bool { return fits(load, u) })
}

// nextFit never looks back to a processor that it has left.
func nextFit(loads []*big.Rat, u *big.Rat, last int) int {
	for at := last; at < len(loads); at++ {
		if fits(loads[at], u) {
			return at
		}
	}
	return -1
}

func bestFit(loads []*big.Rat, u *big.Rat, _ int) int { return fullest(loads, u, 1) }

func worstFit(loads []*big.Rat, u *big.Rat, _ int) int { return fullest(loads, u, -1) }

// fullest is the processor with the largest (sign 1) or smallest (sign -1) load on which the task fits.
func fullest(loads []*big.Rat, u *big.Rat, sign int) int {
	at := -1
	for i, load := range loads {
		if fits(load, u) && (at < 0 || sign*load.Cmp(loads[at]) > 0) {
			at = i
		}
	}
	return at
}

// leastLoaded does not look at the capacity.
func leastLoaded(loads []*big.Rat, _ *big.Rat, _ int) int {
	at := 0
	for i, load := range loads {
		if load.Cmp(loads[at]) < 0 {
			at = i
		}
	}
	return at
}

package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// planes runs within each slice the jobs that have something of their shares left, so that none gets more
// left than time is left: between two events, a share that is used up and a job that may wait no longer, the
// same jobs run.
type planes struct {
	fluidSlices
	p     *planned
	order func(a, b *claim, begun bool) int // at the beginning of a slice, and later; the first ones run, after those that may not wait
	wait  []*claim
	run   []*sim.Job
	since sim.Time // they do
}

func (a *planes) start(p *planned) error {
	a.p = p
	a.begin(p.view, 1)
	return nil
}

func (a *planes) choose(now sim.Time) sim.Time {
	a.rest(now)
	begun := a.renew(now)
	a.wait = a.wait[:0]
	for _, k := range a.active {
		k.stays, k.idles = k.stays && !begun, false
		if k.left > 0 {
			a.wait = append(a.wait, k)
		}
	}
	processors, end := len(a.p.want), a.to
	if len(a.wait) > processors {
		slices.SortFunc(a.wait, func(x, y *claim) int {
			return cmp.Or(cmp.Compare(a.waits(x, now), a.waits(y, now)), a.order(x, y, begun), cmp.Compare(x.index, y.index))
		})
	}
	a.run = a.run[:0]
	next := end
	for i, k := range a.wait {
		if k.stays = i < processors; k.stays {
			if k.idles = k.open() == nil; !k.idles {
				a.run = append(a.run, k.job)
			}
			next = min(next, now+k.left)
			continue
		}
		next = min(next, end-k.left)
	}
	a.p.anywhere(a.run)
	return next
}

// rest takes off the shares of jobs that are over what their processors have idled for.
func (a *planes) rest(now sim.Time) {
	for _, k := range a.active {
		if k.idles {
			k.idle -= min(k.idle, now-a.since)
		}
	}
	a.since = now
}

// ended implements algorithm: a job that was shorter than its WCET is not waited for.
func (a *planes) ended(j *sim.Job) {
	if k := &a.all[j.Index]; k.job == j && a.p.view.Reserve(j) > 0 {
		k.idle = 0
	}
	a.fluidSlices.ended(j)
}

// waits is 0 for a job that may not wait in this slice.
func (a *planes) waits(k *claim, now sim.Time) int {
	if k.left >= a.to-now {
		return 0
	}
	return 1
}

// byLeft is the largest share left first; among equal ones the name decides, as SimSo has it.
func byLeft(x, y *claim, _ bool) int {
	return cmp.Or(cmp.Compare(y.left, x.left), cmp.Compare(x.task.Name, y.task.Name))
}

// byStaying is the order of tasks at the beginning, and then those that run first, before the largest share.
func byStaying(x, y *claim, begun bool) int {
	switch {
	case begun:
		return 0
	case x.stays == y.stays:
		return byLeft(x, y, begun)
	case x.stays:
		return -1
	}
	return 1
}

// NewLLREF is largest local remaining execution first: at each event those with the largest shares left run. It
// is optimal for periodic tasks with their periods as deadlines. (Cho, Ravindran and Jensen, An Optimal
// Real-Time Scheduling Algorithm for Multiprocessors, RTSS 2006.)
func NewLLREF() sim.Scheduler { return &planned{algorithm: &planes{order: byLeft}} }

// NewLRETL is local remaining execution in time and local-execution planes: jobs run on until their shares are used up or
// another one may wait no longer. It is optimal, for sporadic tasks too if their densities fit. (Funk and Nadadur,
// LRE-TL: An Optimal Multiprocessor Algorithm for Sporadic Task Sets, RTNS 2009.) At the beginning of a slice the
// order is that of the tasks. Shares are rounded up each by itself, as SimSo does, in slices that have room for it.
func NewLRETL() sim.Scheduler {
	return &planned{algorithm: &planes{order: byStaying, fluidSlices: fluidSlices{roundsUp: true}}}
}

// NewNVNLF is no virtual nodal laxity first: the same with the whole of each slice given away, so that no
// processor idles while a job waits. It is optimal. (Funaoka, Kato and Yamasaki, Work-Conserving Optimal
// Real-Time Scheduling on Multiprocessors, ECRTS 2008.)
func NewNVNLF() sim.Scheduler {
	return &planned{conserving: true, algorithm: &planes{order: byStaying, fluidSlices: fluidSlices{generous: true}}}
}

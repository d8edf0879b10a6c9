package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// global schedules by a key that a job keeps for its life, on any number of processors: with each message
// the most urgent job that does not run gets a free processor, the asking one if it can be, or that of the
// least urgent job that runs, if it is strictly less urgent.
type global struct {
	view  sim.View
	ready queue
	key   func(*sim.Job) int64
	// toBack puts a job that lost its processor behind equally urgent ones; otherwise the task's place in
	// the system decides among them.
	toBack  bool
	counter uint64
	out     [1]sim.Decision
}

func (g *global) Init(v sim.View) error {
	g.view = v
	return nil
}

func (g *global) Activated(j *sim.Job) { g.add(j) }

func (g *global) Ended(j *sim.Job) { g.ready.remove(j) }

func (g *global) add(j *sim.Job) {
	j.Key.First, j.Key.Second = g.key(j), int64(j.Index)
	if g.toBack {
		g.counter++
		j.Key.Second, j.Key.Third = 0, g.counter
	}
	g.ready.push(j)
}

func (g *global) Decide(processor int) []sim.Decision {
	j := g.ready.first()
	if j == nil {
		return nil
	}
	victim := g.victim(processor)
	loser := g.view.Running(victim)
	if loser != nil && loser.Key.First <= j.Key.First {
		return nil
	}
	g.ready.remove(j)
	if loser != nil {
		g.add(loser)
	}
	g.out[0] = sim.Decision{Job: j, Processor: victim}
	return g.out[:]
}

// victim is a free processor, or the one with the least urgent job; the asking one before others.
func (g *global) victim(asking int) int {
	worst := g.view.Running(asking)
	if worst == nil {
		return asking
	}
	at := asking
	for p := range g.view.Processors() {
		j := g.view.Running(p)
		if j == nil {
			return p
		}
		if j.Key.First > worst.Key.First {
			at, worst = p, j
		}
	}
	return at
}

// watching is a global scheduler that sees jobs at once, before any message is handled.
type watching struct{ global }

// Appeared implements sim.Watcher.
func (w *watching) Appeared(j *sim.Job) { w.add(j) }

func (w *watching) Activated(*sim.Job) {}

// NewEDF is global earliest deadline first; among equal deadlines the task that comes first in the system.
// On one processor it is optimal. (Liu and Layland 1973; Dhall and Liu, On a Real-Time Scheduling Problem,
// Operations Research 26(1), 1978, for several.)
func NewEDF() sim.Scheduler { return &watching{global{key: byDeadline}} }

// NewRM is global rate monotonic: the shorter the period, the more urgent; a job that lost its processor
// comes after equally urgent ones. (Liu and Layland 1973.)
func NewRM() sim.Scheduler { return &global{key: byPeriod, toBack: true} }

// NewDM is global deadline monotonic. (Leung and Whitehead 1982.)
func NewDM() sim.Scheduler { return &global{key: byRelativeDeadline, toBack: true} }

// NewFP is global fixed priorities: the larger Task.Priority, the more urgent, as in SimSo.
func NewFP() sim.Scheduler { return &global{key: byPriority, toBack: true} }

// NewGenodeFP is global fixed priorities as Genode has them: 0 is the highest.
func NewGenodeFP() sim.Scheduler { return &global{key: byGenodePriority, toBack: true} }

// NewFIFO serves jobs in the order of their activation, without preemption.
func NewFIFO() sim.Scheduler { return &global{key: func(*sim.Job) int64 { return 0 }, toBack: true} }

func byDeadline(j *sim.Job) int64 { return j.Deadline }

func byPeriod(j *sim.Job) int64 {
	if j.Task.Period == 0 {
		return sim.Never
	}
	return j.Task.Period
}

func byRelativeDeadline(j *sim.Job) int64 {
	if j.Deadline == sim.Never {
		return sim.Never
	}
	return j.Deadline - j.Released
}

func byPriority(j *sim.Job) int64 { return ^j.Task.Priority } // turned round, and in range for any number

func byGenodePriority(j *sim.Job) int64 { return j.Task.Priority }

package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// quantumRoundRobin is how long a job runs before its equals have their turn: Linux's default for SCHED_RR.
const quantumRoundRobin = 100 * sim.Millisecond

// roundRobin is global fixed priorities; among equally urgent jobs each has a quantum at a time. What is left of a
// quantum stays with a job that more urgent ones push aside, at the head of its equals.
type roundRobin struct {
	global
	quantum sim.Time
	turns   []turn // by task
	armed   []sim.Time
}

// turn is the turn of a task's job.
type turn struct {
	until sim.Time // it has run for so long
	place uint64   // among equals
}

func (r *roundRobin) Init(v sim.View) error {
	r.turns, r.armed = make([]turn, len(v.Tasks())), make([]sim.Time, v.Processors())
	return r.global.Init(v)
}

func (r *roundRobin) Activated(j *sim.Job) {
	r.renew(j)
	r.wait(j)
}

// renew gives a job a whole quantum and the last place among its equals.
func (r *roundRobin) renew(j *sim.Job) {
	r.counter++
	r.turns[j.Index] = turn{until: r.view.Executed(j) + r.quantum, place: r.counter}
}

func (r *roundRobin) wait(j *sim.Job) {
	j.Key.First, j.Key.Third = r.key(j), r.turns[j.Index].place
	r.ready.push(j)
}

// Tick implements sim.Ticker: a decision follows by itself.
func (r *roundRobin) Tick(int) {}

func (r *roundRobin) Decide(processor int) []sim.Decision {
	first := r.ready.first()
	r.out[0] = sim.Decision{}
	if first == nil {
		return nil
	}
	at := r.victim(processor)
	loser := r.view.Running(at)
	if loser != nil && loser.Key.First <= first.Key.First {
		if at = r.over(first); at < 0 {
			r.remind(first)
			return nil
		}
		loser = r.view.Running(at)
		r.renew(loser)
	}
	r.ready.remove(first)
	if loser != nil {
		r.wait(loser)
	}
	r.out[0] = sim.Decision{Job: first, Processor: at}
	r.remind(r.ready.first())
	return r.out[:]
}

// over is a processor whose job has had its turn, if that job is no more urgent than the one that waits; -1: none.
func (r *roundRobin) over(first *sim.Job) int {
	for p := range r.armed {
		if j := r.view.Running(p); j.Key.First >= first.Key.First && r.view.Executed(j) >= r.turns[j.Index].until {
			return p
		}
	}
	return -1
}

// remind arms timers for the ends of the turns of those that run, if an equal waits. It may turn out then that a job
// has not run all the time.
func (r *roundRobin) remind(first *sim.Job) {
	now := r.view.Now()
	for p := range r.armed {
		j := r.view.Running(p)
		if p == r.out[0].Processor && r.out[0].Job != nil {
			j = r.out[0].Job
		}
		if first == nil || j == nil || j.Key.First != first.Key.First {
			continue
		}
		at := max(now+1, now+r.turns[j.Index].until-r.view.Executed(j))
		if r.armed[p] <= now || r.armed[p] > at {
			r.armed[p] = at
			r.view.Timer(at, p, 0)
		}
	}
}

// NewRoundRobin is round robin in priority bands: the larger Task.Priority, the more urgent, as in FP. (POSIX.1-2017,
// SCHED_RR.)
func NewRoundRobin(quantum sim.Time) sim.Scheduler {
	return &roundRobin{global: global{key: byPriority}, quantum: quantum}
}

// NewGenodeRoundRobin is the same with priorities as Genode has them: 0 is the highest.
func NewGenodeRoundRobin(quantum sim.Time) sim.Scheduler {
	return &roundRobin{global: global{key: byGenodePriority}, quantum: quantum}
}

func init() {
	robin := func(make func(sim.Time) sim.Scheduler) func(*Options) sim.Scheduler {
		return func(o *Options) sim.Scheduler {
			return make(o.Duration("quantum", quantumRoundRobin, "for which a job runs before its equals have their turn"))
		}
	}
	Register(Policy{"RR", Global, "round robin in priority bands, large is urgent", robin(NewRoundRobin)})
	Register(Policy{"Genode-RR", Global, "round robin in priority bands, 0 is the highest", robin(NewGenodeRoundRobin)})
}

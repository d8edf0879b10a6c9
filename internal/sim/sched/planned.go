package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// algorithm decides for all processors at once, by a plan that holds for some time.
type algorithm interface {
	// start is called once, before anything happens.
	start(p *planned) error
	// appeared tells of a job in the instant in which it becomes the oldest one of its task.
	appeared(j *sim.Job)
	// ended tells of a job that is over and must be forgotten. It may have been seen to be before.
	ended(j *sim.Job)
	// choose gives jobs to processors (planned.give, planned.anywhere) and returns the next time at which
	// it wants to be asked, if nothing happens before; sim.Never: not at all.
	choose(now sim.Time) sim.Time
	// claimed reports whether the algorithm alone says when the job runs. Other jobs get processors that
	// would idle, by their deadlines.
	claimed(j *sim.Job) bool
}

// planned is the scheduler around an algorithm. It asks it once in an instant, when all that happens in it is
// known, and again if more happens.
type planned struct {
	algorithm
	conserving bool // no processor idles while a job waits, whoever may have claimed it

	view   sim.View
	jobs   []*sim.Job // the oldest of each task; nil: none
	want   []*sim.Job // by processor
	chosen []bool     // by task
	last   sim.Time   // in which the algorithm was asked
	stale  bool       // something has happened since
	armed  sim.Time
	some   []*sim.Job
	out    []sim.Decision
}

func (p *planned) Init(v sim.View) error {
	p.view, p.last, p.armed = v, -1, -1
	p.jobs, p.chosen = make([]*sim.Job, len(v.Tasks())), make([]bool, len(v.Tasks()))
	p.want = make([]*sim.Job, v.Processors())
	v.Timer(0, 0, 0) // plans begin at once, whenever the first job comes
	return p.start(p)
}

// Appeared implements sim.Watcher.
func (p *planned) Appeared(j *sim.Job) {
	p.jobs[j.Index], p.stale = j, true
	p.appeared(j)
}

func (p *planned) Activated(*sim.Job) {}

func (p *planned) Ended(j *sim.Job) {
	p.ended(j)
	if p.jobs[j.Index] == j {
		p.jobs[j.Index], p.stale = nil, true
	}
}

// Tick implements sim.Ticker: a decision follows by itself.
func (p *planned) Tick(int) {}

func (p *planned) Decide(processor int) []sim.Decision {
	now := p.view.Now()
	if now == p.last && !p.stale {
		return nil
	}
	p.last, p.stale = now, false
	clear(p.want)
	clear(p.chosen)
	if !p.finish() {
		next := p.choose(now)
		p.fill()
		p.remind(now, next, processor)
	}
	return p.changes()
}

// finish lets jobs end that have nothing to do, beside those that run; there are none in most instants.
func (p *planned) finish() bool {
	p.some = p.some[:0]
	for i, j := range p.jobs {
		switch {
		case j == nil:
		case j.Over():
			p.jobs[i] = nil
		case j.Task.WCET == 0 || p.view.Reserve(j) == 0:
			p.some = append(p.some, j)
		}
	}
	if len(p.some) == 0 {
		return false
	}
	p.anywhere(p.some[:min(len(p.some), len(p.want))])
	for at := range p.want {
		if j := p.view.Running(at); p.want[at] == nil && j != nil && !j.Over() && !p.chosen[j.Index] {
			p.give(at, j)
		}
	}
	return true
}

// give lets a processor run a job.
func (p *planned) give(processor int, j *sim.Job) {
	p.want[processor], p.chosen[j.Index] = j, true
}

// anywhere gives jobs to free processors: those that they run on, else those of their tasks, else the first.
// There must be enough of them.
func (p *planned) anywhere(jobs []*sim.Job) {
	for _, j := range jobs {
		if at := j.Processor(); at >= 0 && p.want[at] == nil {
			p.give(at, j)
		}
	}
	free := 0
	for _, j := range jobs {
		if p.chosen[j.Index] {
			continue
		}
		if at := j.Home(); p.want[at] == nil {
			p.give(at, j)
			continue
		}
		for p.want[free] != nil {
			free++
		}
		p.give(free, j)
	}
}

// fromLast gives jobs to free processors: those that they run on, else the last. There must be enough of them.
func (p *planned) fromLast(jobs []*sim.Job) {
	for _, j := range jobs {
		if at := j.Processor(); at >= 0 && p.want[at] == nil {
			p.give(at, j)
		}
	}
	free := len(p.want) - 1
	for _, j := range jobs {
		if p.chosen[j.Index] {
			continue
		}
		for p.want[free] != nil {
			free--
		}
		p.give(free, j)
	}
}

// fill gives processors that would idle to jobs that nobody has claimed.
func (p *planned) fill() {
	idle := 0
	for _, j := range p.want {
		if j == nil {
			idle++
		}
	}
	if idle == 0 {
		return
	}
	p.some = p.some[:0]
	for i, j := range p.jobs {
		if j != nil && !p.chosen[i] && (p.conserving || !p.claimed(j)) {
			p.some = append(p.some, j)
		}
	}
	if len(p.some) > idle {
		slices.SortFunc(p.some, func(a, b *sim.Job) int {
			return cmp.Or(cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(a.Index, b.Index))
		})
		p.some = p.some[:idle]
	}
	p.anywhere(p.some)
}

// remind arms a timer.
func (p *planned) remind(now, next sim.Time, processor int) {
	if next == sim.Never || next == p.armed {
		return
	}
	p.armed = max(next, now+1)
	p.view.Timer(p.armed, processor, 0)
}

func (p *planned) changes() []sim.Decision {
	p.out = p.out[:0]
	for at, j := range p.want {
		if p.view.Running(at) != j {
			p.out = append(p.out, sim.Decision{Job: j, Processor: at})
		}
	}
	return p.out
}

package sched

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// pfair gives processors away for a quantum at a time. A job is cut into subtasks of a quantum, each with a window
// of its own within that of the job; who runs is up to the ends of these windows. (Baruah, Cohen, Plaxton and
// Varvel, Proportionate Progress: a notion of fairness in resource allocation, Algorithmica 15, 1996.)
type pfair struct {
	p       *planned
	quantum sim.Time
	early   bool // subtasks need not wait for their windows
	plain   bool // the ends of windows alone decide

	weights []weight
	ready   []*sim.Job // in the order in which processors heard of them
	able    []subtask
	run     []*sim.Job
	slot    sim.Time // that was given away last
	due     sim.Time // the next one is to be given away
}

// weight is a task in quanta: work in a window. Without a deadline the window is 0.
type weight struct{ work, window int64 }

// subtask is the next quantum of a job.
type subtask struct {
	job                         *sim.Job
	release, deadline, together sim.Time // in quanta; together: group deadline
	overlaps                    bool     // its window with the next one: the b bit
}

func (a *pfair) start(p *planned) error {
	a.p, a.slot, a.quantum = p, -1, max(1, a.quantum)
	tasks := p.view.Tasks()
	a.weights, a.quantum = weigh(tasks, p.view.Processors(), a.quantum)
	return nil
}

// weigh finds the longest quantum, at most the given one and at least a microsecond, in which the tasks still fit
// when their work is rounded up and their windows are rounded down. When they do not fit at all it keeps to the
// given one.
func weigh(tasks []sim.Task, processors int, quantum sim.Time) ([]weight, sim.Time) {
	for _, part := range []sim.Time{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		q := quantum / part
		if part > 1 && (q < sim.Microsecond || quantum%part != 0) {
			continue
		}
		if weights, fit := inQuanta(tasks, processors, q); fit {
			return weights, q
		}
	}
	weights, _ := inQuanta(tasks, processors, quantum)
	return weights, quantum
}

func inQuanta(tasks []sim.Task, processors int, q sim.Time) (weights []weight, fit bool) {
	var sum rate
	fit = true
	for i := range tasks {
		t := &tasks[i]
		w := weight{work: max(1, (t.WCET+q-1)/q)}
		if span := window(t); span != sim.Never {
			w.window = span / q
			if t.Kind != sim.Periodic || t.Jitter > 0 || t.Offset%q != 0 || t.Period%q != 0 {
				w.window = (span+1)/q - 1 // a release between two quanta costs the rest of one
			}
			if t.WCET > 0 {
				fit = fit && w.work <= w.window
				sum = sum.add(rateOf(w.work, max(1, w.window)))
			}
			w.window = max(1, w.window)
		}
		weights = append(weights, w)
	}
	return weights, fit && sum.compare(rate{whole: int64(processors)}) <= 0
}

func (a *pfair) appeared(j *sim.Job) { a.ready = append(a.ready, j) }

// last puts a job behind all others.
func (a *pfair) last(j *sim.Job) {
	a.ended(j)
	a.ready = append(a.ready, j)
}

func (a *pfair) ended(j *sim.Job) {
	if at := slices.Index(a.ready, j); at >= 0 {
		a.ready = slices.Delete(a.ready, at, at+1)
	}
}

// claimed implements algorithm: jobs wait for the next quantum even if a processor idles.
func (a *pfair) claimed(*sim.Job) bool { return true }

func (a *pfair) choose(now sim.Time) sim.Time {
	switch {
	case now == a.slot || now >= a.due:
		a.pick(now - now%a.quantum)
	case len(a.run) == 0: // all idle
		if a.due = a.earliest(now); now >= a.due {
			a.pick(now)
		}
	}
	a.run = slices.DeleteFunc(a.run, (*sim.Job).Over)
	a.p.fromLast(a.run)
	return a.due
}

// pick gives a slot away.
func (a *pfair) pick(slot sim.Time) {
	a.slot = slot
	a.able, a.run = a.able[:0], a.run[:0]
	for _, j := range a.ready {
		if j.Over() {
			continue
		}
		if s := a.next(j); s.release*a.quantum <= slot {
			a.able = append(a.able, s)
		}
	}
	slices.SortStableFunc(a.able, a.compare)
	a.able = a.able[:min(len(a.able), len(a.p.want))]
	for _, s := range a.able {
		a.run = append(a.run, s.job)
	}
	a.due = slot + a.quantum
	if len(a.run) == 0 {
		a.due = a.earliest(slot)
	}
}

// earliest is the first slot from now on that a subtask may use.
func (a *pfair) earliest(now sim.Time) sim.Time {
	first := sim.Never
	for _, j := range a.ready {
		if !j.Over() {
			first = min(first, a.next(j).release*a.quantum)
		}
	}
	if first == sim.Never {
		return first
	}
	return max(first, (now+a.quantum-1)/a.quantum*a.quantum)
}

// next is the subtask that is next of a job. (Windows, b bit and group deadline: Anderson and Srinivasan,
// Mixed Pfair/ER-fair Scheduling of Asynchronous Periodic Tasks, JCSS 68(1), 2004.)
func (a *pfair) next(j *sim.Job) subtask {
	w := a.weights[j.Index]
	release := (j.Released + a.quantum - 1) / a.quantum
	if w.window == 0 {
		return subtask{job: j, release: release, deadline: sim.Never}
	}
	i := min((j.Task.WCET-a.p.view.Reserve(j))/a.quantum+1, w.work)
	i = max(1, i)
	up := ceilPart(i, w.window, w.work)
	s := subtask{job: j, release: release, deadline: release + up, overlaps: i*w.window%w.work != 0}
	if !a.early {
		s.release += (i - 1) * w.window / w.work
	}
	if rest := w.window - w.work; rest > 0 && 2*w.work >= w.window {
		s.together = release + ceilPart(ceilPart(up, rest, w.window), w.window, rest)
	}
	return s
}

// ceilPart is a*b/c, rounded up; quanta are few enough for the product.
func ceilPart(a, b, c int64) int64 { return (a*b + c - 1) / c }

// compare is the order of PD2: earlier ends of windows first, then windows that overlap the next one, then later
// group deadlines.
func (a *pfair) compare(x, y subtask) int {
	if x.deadline != y.deadline || a.plain {
		return cmp.Compare(x.deadline, y.deadline)
	}
	if x.overlaps != y.overlaps {
		if x.overlaps {
			return -1
		}
		return 1
	}
	return cmp.Compare(y.together, x.together)
}

// quantised is the scheduler around pfair. Among equally urgent subtasks it prefers those of jobs that processors
// have heard of first.
type quantised struct {
	planned
	rule pfair
}

func newPfair(rule pfair) *quantised {
	q := &quantised{rule: rule}
	q.algorithm = &q.rule
	return q
}

func (q *quantised) Activated(j *sim.Job) {
	q.rule.last(j)
	q.stale = true
}

// Quanta that SimSo has.
const (
	quantumPD2  = 100 * sim.Microsecond
	quantumEPDF = sim.Millisecond
)

// NewPD2 is PD2 with that quantum, or a shorter one if the tasks need it. It is optimal. (Anderson and
// Srinivasan 2004.)
func NewPD2(quantum sim.Time) sim.Scheduler {
	return newPfair(pfair{quantum: quantum})
}

// NewERPD2 is PD2 with early release: a subtask may follow the one before at once. It is optimal, and idles
// less. (Anderson and Srinivasan, Early-Release Fair Scheduling, ECRTS 2000.)
func NewERPD2(quantum sim.Time) sim.Scheduler {
	return newPfair(pfair{quantum: quantum, early: true})
}

// NewEPDF is earliest pseudo-deadline first, without the tie breaks of PD2. It is optimal on at most two
// processors only. (Anderson and Srinivasan, ECRTS 2000.)
func NewEPDF(quantum sim.Time) sim.Scheduler {
	return newPfair(pfair{quantum: quantum, plain: true})
}

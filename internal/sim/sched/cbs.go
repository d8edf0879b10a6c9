package sched

import (
	"cmp"
	"fmt"
	"math/bits"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// bandwidth is global EDF by the deadlines of budgets, one for each task: a job that has used up its budget gets a new one
// with a later deadline, so that it harms nobody else.
type bandwidth struct {
	selecting
	hard    bool // the new budget has to be waited for
	budgets []budget
}

// budget is what a task may use up before a deadline.
type budget struct {
	sim.Server
	job      *sim.Job
	executed sim.Time // by the job when the budget was last looked at
	left     sim.Time
	deadline sim.Time
	waits    bool // for the next one
	armed    sim.Time
}

func (b *bandwidth) Init(v sim.View) error {
	b.budgets = make([]budget, len(v.Tasks()))
	for i := range v.Tasks() {
		t := &v.Tasks()[i]
		s := t.Server
		s.Budget = cmp.Or(s.Budget, t.WCET)
		s.Period = cmp.Or(s.Period, t.Period, t.Deadline)
		s.Deadline = cmp.Or(s.Deadline, s.Period)
		if s.Period == 0 || s.Budget > s.Deadline || s.Deadline > s.Period {
			return fmt.Errorf("%w: tasks[%d].server: budget %d, deadline %d, period %d ns: use a budget up to the deadline and a deadline up to the period",
				sim.ErrInvalid, i, s.Budget, s.Deadline, s.Period)
		}
		b.budgets[i] = budget{Server: s}
	}
	b.order = func(x, y *sim.Job) int {
		return cmp.Or(cmp.Compare(x.Key.First, y.Key.First), cmp.Compare(x.Index, y.Index))
	}
	return b.selecting.Init(v)
}

// Activated goes on with the budget that is left, if it could not be used up faster than at the task's share.
func (b *bandwidth) Activated(j *sim.Job) {
	k, now := &b.budgets[j.Index], b.view.Now()
	k.job, k.executed = j, b.view.Executed(j)
	if now >= k.deadline || !k.slow(k.deadline-now) {
		k.left, k.deadline, k.waits = k.Budget, now+k.Deadline, false
	}
	b.selecting.Activated(j)
}

// slow reports whether what is left is less than the share of a span.
func (k *budget) slow(span sim.Time) bool {
	hi, lo := bits.Mul64(uint64(max(k.left, 0)), uint64(k.Deadline))
	most, more := bits.Mul64(uint64(span), uint64(k.Budget))
	return cmp.Or(cmp.Compare(hi, most), cmp.Compare(lo, more)) < 0
}

func (b *bandwidth) Ended(j *sim.Job) {
	if k := &b.budgets[j.Index]; k.job == j {
		k.use(b.view.Executed(j))
		k.job = nil
	}
	b.selecting.Ended(j)
}

func (k *budget) use(executed sim.Time) {
	k.left -= executed - k.executed
	k.executed = executed
}

// Tick implements sim.Ticker: a decision follows by itself.
func (b *bandwidth) Tick(int) {}

func (b *bandwidth) Decide(processor int) []sim.Decision {
	able := 0
	for _, j := range b.jobs {
		k := &b.budgets[j.Index]
		k.use(b.view.Executed(j))
		k.renew(b.view.Now(), b.hard)
		if j.Key.First = k.deadline; k.waits {
			j.Key.First = sim.Never
			continue
		}
		able++
	}
	out := b.choose(min(able, b.view.Processors()))
	for at, j := range b.jobs {
		if k := &b.budgets[j.Index]; k.waits || at < b.view.Processors() {
			b.remind(k, processor)
		}
	}
	return out
}

// renew gives a new budget for one that is used up, now or when the period is over.
func (k *budget) renew(now sim.Time, hard bool) {
	for k.left <= 0 && k.Budget > 0 {
		if k.waits = hard && now < k.next(); k.waits {
			return
		}
		k.left += k.Budget
		k.deadline += k.Period
	}
	k.waits = false
}

// next is when the next budget comes.
func (k *budget) next() sim.Time { return k.deadline - k.Deadline + k.Period }

// remind arms a timer for the time at which the budget is used up or renewed.
func (b *bandwidth) remind(k *budget, processor int) {
	now := b.view.Now()
	at := now + max(k.left, 1)
	if k.waits {
		at = max(k.next(), now+1)
	}
	if k.armed <= now || k.armed > at {
		k.armed = at
		b.view.Timer(at, processor, 0)
	}
}

// NewCBS is global EDF of constant bandwidth servers: a budget that is used up is renewed at once, and its deadline
// postponed. (Abeni and Buttazzo, Integrating Multimedia Applications in Hard Real-Time Systems, RTSS 1998.)
func NewCBS() sim.Scheduler { return &bandwidth{} }

// NewDeadline is the same as Linux has it: a job waits for its next budget until the server's period is over. (Lelli,
// Scordino, Abeni and Faggioli, Deadline Scheduling in the Linux Kernel, Software: Practice and Experience 46(6), 2016.)
func NewDeadline() sim.Scheduler { return &bandwidth{hard: true} }

func init() {
	Register(Policy{"CBS", Global, "EDF of servers with budgets, postponed when used up", Plain(NewCBS)})
	Register(Policy{"SCHED-DEADLINE", Global, "EDF of servers with budgets, waited for when used up", Plain(NewDeadline)}, "SCHED_DEADLINE")
}

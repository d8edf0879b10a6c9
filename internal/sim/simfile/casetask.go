package simfile

import (
	"fmt"
	"math"

	"github.com/genode-operator/genode-operator/internal/sim"
)

var taskFields = []string{
	"name", "identifier", "task_type", "period", "deadline", "activation_date", "list_activation_dates", "wcet", "acet",
	"et_stddev", "abort_on_miss", "followed_by", "data",
	// of the model of caches, which other models ignore:
	"n_instr", "mix", "base_cpi", "stack_file", "preemption_cost",
}

// SimSo's period and deadline of a task that has none, in milliseconds.
const (
	standardPeriod   = 10
	standardDeadline = 10
)

// task reads a task: an object, or a row of random.jsonl.
func (r *caseReader) task(n node) sim.Task {
	if row, is := n.value.([]any); is {
		return r.row(n, row)
	}
	if !n.object(taskFields...) {
		return sim.Task{}
	}
	t := sim.Task{
		ID:       int(n.field("identifier").integer(0, math.MinInt32, math.MaxInt32)),
		Name:     n.field("name").text(""),
		Period:   r.time(n.field("period"), standardPeriod),
		Offset:   r.time(n.field("activation_date"), 0),
		Deadline: r.time(n.field("deadline"), standardDeadline),
		WCET:     r.time(n.field("wcet"), 0),
	}
	if n.field("identifier").absent() {
		n.field("identifier").refuse("give each task a number of its own")
	}
	if t.Deadline == 0 {
		n.field("deadline").refuse("use a deadline above 0")
	}
	if n.field("abort_on_miss").flag(r.abort) {
		t.OnMiss = sim.Abort
	}
	r.kind(&t, n)
	if mean, deviation := r.time(n.field("acet"), 0), r.time(n.field("et_stddev"), 0); r.etm == "acet" {
		t.Execution = sim.Normal{Mean: mean, Deviation: deviation}
	}
	r.data(&t, n.field("data"))
	return t
}

func (r *caseReader) kind(t *sim.Task, n node) {
	switch n.field("task_type").choice("Periodic", "Sporadic", "APeriodic", "Aperiodic") {
	case "Sporadic":
		t.Kind = sim.Sporadic
	case "APeriodic", "Aperiodic":
		t.Kind = sim.Aperiodic
	}
	if t.Kind != sim.Periodic {
		t.Offset = 0
	}
	arrivals := n.field("list_activation_dates")
	for i, a := range arrivals.list() {
		at := r.time(a, 0)
		if i > 0 && at < t.Arrivals[i-1] {
			a.refuse(fmt.Sprintf("earlier than the one before it; sort %s", arrivals.path))
			at = t.Arrivals[i-1]
		}
		t.Arrivals = append(t.Arrivals, at)
	}
	if t.Kind != sim.Sporadic {
		t.Arrivals = nil // SimSo keeps them and does not look at them
	}
}

// data is for schedulers; what none of ours needs is left out.
func (r *caseReader) data(t *sim.Task, n node) {
	if n.absent() {
		return
	}
	if _, is := n.value.(map[string]any); !is {
		n.refuse("must be an object")
		return
	}
	t.Priority = n.field("priority").integer(0, math.MinInt64, math.MaxInt64)
	t.Server = sim.Server{
		Budget: r.time(n.field("cbs_maximum_runtime"), 0), Period: r.time(n.field("cbs_period"), 0), Deadline: r.time(n.field("cbs_deadline"), 0),
	}
	if cpu := n.field("cpu"); !cpu.absent() {
		r.pin(t, cpu)
	}
}

// pin places a task on the processor with that number.
func (r *caseReader) pin(t *sim.Task, cpu node) {
	number := cpu.integer(0, math.MinInt32, math.MaxInt32)
	for i := range r.file.System.Processors {
		if r.file.CPU(i) == number {
			t.Processor, t.Pinned = i, true
			return
		}
	}
	cpu.refuse("there is no processor of this number")
}

// row is an identifier, WCET, period, deadline, offset and priority.
func (r *caseReader) row(n node, row []any) sim.Task {
	const columns = 6
	if len(row) != columns {
		n.refuse("must have an identifier, WCET, period, deadline, offset and priority")
		return sim.Task{}
	}
	cell := n.list()
	t := sim.Task{
		ID:   int(cell[0].integer(0, math.MinInt32, math.MaxInt32)),
		WCET: r.time(cell[1], 0), Period: r.time(cell[2], 0), Deadline: r.time(cell[3], 0), Offset: r.time(cell[4], 0),
		Priority: cell[5].integer(0, math.MinInt64, math.MaxInt64),
	}
	t.Name = fmt.Sprintf("T%d", t.ID)
	if r.abort {
		t.OnMiss = sim.Abort
	}
	return t
}

// follow finds the task that is released at the end of each job.
func (r *caseReader) follow(t *sim.Task, by node) {
	if by.absent() {
		return
	}
	id := int(by.integer(0, math.MinInt32, math.MaxInt32))
	for i := range r.file.System.Tasks {
		if r.file.System.Tasks[i].ID == id {
			t.Follower, t.Follows = i, true
			return
		}
	}
	by.refuse("there is no task of this identifier")
}

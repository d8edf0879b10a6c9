package simfile

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// processors reads a list of them, or their number.
func (r *caseReader) processors(cpus node) {
	s := &r.file.System
	if _, number := cpus.value.(json.Number); number {
		const most = 1024
		s.Processors = make([]sim.Processor, cpus.integer(1, 1, most))
		return
	}
	for i, cpu := range cpus.list() {
		cpu.object("name", "identifier", "cs_overhead", "cl_overhead", "migration_overhead", "speed", "data", "caches")
		p := sim.Processor{
			Name: cpu.field("name").text(""),
			Save: r.cost(cpu.field("cs_overhead"), 0),
			Load: r.cost(cpu.field("cl_overhead"), 0),
		}
		p.SpeedNumerator, p.SpeedDenominator = cpu.field("speed").fraction()
		s.Processors = append(s.Processors, p)
		r.file.CPUs = append(r.file.CPUs, cpu.field("identifier").integer(int64(i)+1, math.MinInt32, math.MaxInt32))
	}
}

// migration reads the cost of one, which is the same on all processors.
func (r *caseReader) migration(in node) sim.Time {
	cost := r.cost(in.field("migration_overhead"), 0)
	if _, is := in.field("cpus").value.([]any); !is {
		return cost
	}
	for i, cpu := range in.field("cpus").list() {
		own := cost
		if n := cpu.field("migration_overhead"); !n.absent() {
			own = r.cost(n, 0)
		}
		if i > 0 && own != cost {
			cpu.field("migration_overhead").refuse("must be the same for all processors")
		}
		cost = own
	}
	return cost
}

// scheduler reads its name, or an object with its costs and options.
func (r *caseReader) scheduler(n node) {
	if name, is := n.value.(string); is {
		r.file.Scheduler = name
		return
	}
	if !n.object("name", "class", "overhead", "overhead_activate", "overhead_terminate", "data", "fields", "options", "K", "quantum") {
		return
	}
	name := either(n.field("name"), n.field("class"))
	if r.file.Scheduler = name.text(""); r.file.Scheduler == "" {
		name.refuse("name the scheduler")
	}
	o := &r.file.System.Overheads
	o.Decide = r.cost(n.field("overhead"), 0)
	o.Activate = r.cost(n.field("overhead_activate"), 0)
	o.End = r.cost(n.field("overhead_terminate"), 0)
	for _, from := range []node{n, n.field("data"), n.field("fields"), n.field("options")} {
		r.options(from)
	}
}

// options of schedulers, by the names that they have in SimSo and here.
func (r *caseReader) options(n node) {
	set := func(name, value string) {
		if r.file.Options == nil {
			r.file.Options = map[string]string{}
		}
		r.file.Options[name] = value
	}
	for _, name := range []string{"K", "group"} {
		if k := n.field(name); !k.absent() {
			const most = 1024
			set("group", fmt.Sprint(k.integer(0, 0, most)))
		}
	}
	if q := n.field("quantum"); !q.absent() {
		set("quantum", time.Duration(r.time(q, 0)).String())
	}
}

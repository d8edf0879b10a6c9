package simfile

import (
	"math"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// fields of a recorded case, and of its input. Those that only people read are known so that others stand out.
var (
	caseFields = []string{
		"id", "title", "tool", "cycles_per_ms", "note", "input", "jobs", "totals", "events", "textbook", "error", "warnings",
	}
	inputFields = []string{
		"duration_ms", "duration", "cycles_per_ms", "tasks", "cpus", "scheduler", "etm", "penalty_preemption",
		"penalty_migration", "migration_overhead", "abort_on_miss", "seed", "caches", "memory_access_time",
		"use_wcet", "use_wcet_as_acet", "id", "title", "tool", "note", "jobs", "totals", "events", "textbook", "error", "warnings",
		"textbook_equal", "missed", "migrations", "preemptions_merged",
	}
)

// ParseCase reads the input of a recorded run, by itself or as a part of the case, with SimSo's names of
// attributes and its defaults. Durations are milliseconds, overheads and penalties cycles. Times of the system
// are cycles; milliseconds are cut to cycles as SimSo does it, so that 1.001 ms is 1,000,999 cycles.
func ParseCase(text []byte) (*File, error) {
	root, err := decode(text)
	if err != nil {
		return nil, err
	}
	return caseOf(root, false)
}

// ParseSimSo reads the same as ParseCase, but makes a system in nanoseconds, to which times are rounded.
func ParseSimSo(text []byte) (*File, error) {
	root, err := decode(text)
	if err != nil {
		return nil, err
	}
	return caseOf(root, true)
}

func caseOf(root node, exact bool) (*File, error) {
	r := &caseReader{file: &File{}, cycles: sim.Millisecond, exact: exact}
	in := root
	if !root.field("input").absent() {
		root.object(caseFields...)
		in = root.field("input")
	}
	if in.object(inputFields...) {
		r.file.Name = either(in.field("id"), root.field("id")).text("")
		if ms := either(in.field("cycles_per_ms"), root.field("cycles_per_ms")); !ms.absent() {
			r.cycles = ms.integer(sim.Millisecond, 1, sim.Second)
		}
		r.read(in)
		if !exact {
			r.file.Cycles = r.cycles
		}
	}
	if err := root.err(); err != nil {
		return nil, err
	}
	return r.file, r.file.System.Check()
}

// either is the first node if it is there.
func either(a, b node) node {
	if a.absent() {
		return b
	}
	return a
}

// caseReader makes a File of a case.
type caseReader struct {
	file   *File
	cycles int64 // in a millisecond
	exact  bool  // times are nanoseconds and rounded, not cycles and cut
	etm    string
	abort  bool // on a miss, unless a task says otherwise
}

func (r *caseReader) read(in node) {
	s := &r.file.System
	s.Duration = r.duration(in.field("duration"))
	if ms := in.field("duration_ms"); !ms.absent() {
		s.Duration = r.time(ms, 0)
	}
	s.Seed = uint64(in.field("seed").integer(0, 0, math.MaxInt64))
	r.abort = in.field("abort_on_miss").flag(true)
	r.executionTimes(in)
	r.processors(in.field("cpus"))
	r.scheduler(in.field("scheduler"))
	s.Overheads.Migration += r.migration(in)
	rows := in.field("tasks").list()
	for _, row := range rows {
		s.Tasks = append(s.Tasks, r.task(row))
	}
	for i, row := range rows {
		r.follow(&s.Tasks[i], row.field("followed_by"))
	}
}

// executionTimes reads the model of execution times.
func (r *caseReader) executionTimes(in node) {
	etm := in.field("etm")
	r.etm = etm.choice("wcet", "acet", "fixedpenalty", "cache")
	penalty := func(name string) sim.Time { return r.cost(in.field(name), 0) }
	preemption, migration := penalty("penalty_preemption"), penalty("penalty_migration")
	switch r.etm {
	case "fixedpenalty":
		r.file.System.Overheads.Preempt, r.file.System.Overheads.Migration = preemption, migration
	case "cache":
		etm.refuse("caches are not simulated; use wcet, acet or fixedpenalty")
	}
}

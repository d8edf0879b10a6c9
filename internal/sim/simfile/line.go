package simfile

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Line is what came of a run, in the form of recorded ones. Times are in the system's unit.
type Line struct {
	ID    string `json:"id"`
	Jobs  []Job  `json:"jobs"` // by task and number
	Error string `json:"error,omitempty"`
}

// Job is a job of a Line. What did not come is null.
type Job struct {
	Task        int        `json:"task"` // its ID
	Number      int64      `json:"job"`
	Activation  sim.Time   `json:"activation"`
	Deadline    *sim.Time  `json:"abs_deadline"`
	Begun       *sim.Time  `json:"first_exec"`
	Ended       *sim.Time  `json:"end"`
	Aborted     bool       `json:"aborted"`
	Missed      bool       `json:"missed"`
	Response    *sim.Time  `json:"response"`
	Executed    sim.Time   `json:"executed"`
	Preemptions int32      `json:"preemptions"`
	Migrations  int32      `json:"migrations"`
	Segments    [][3]int64 `json:"segments"` // from, to and the number of the processor
}

// JobOf is the record of a job of a file's system.
func (f *File) JobOf(r *sim.Record) Job {
	j := Job{
		Task: r.Task.ID, Number: r.Number, Activation: r.Released, Deadline: reached(r.Deadline), Begun: reached(r.Begun),
		Ended: reached(r.Ended), Aborted: r.Aborted, Missed: r.Missed, Response: reached(r.Response()), Executed: r.Executed,
		Preemptions: r.Preemptions, Migrations: r.Migrations, Segments: make([][3]int64, len(r.Segments)),
	}
	if len(r.Segments) > 0 { // given a processor and taken off it in one instant is no execution
		j.Begun = reached(r.Segments[0].From)
	}
	for i, s := range r.Segments {
		j.Segments[i] = [3]int64{s.From, s.To, f.CPU(s.Processor)}
	}
	return j
}

func reached(t sim.Time) *sim.Time {
	if t == sim.Never {
		return nil
	}
	return &t
}

// Collector is a sim.Observer that makes a Line.
type Collector struct {
	file *File
	line Line
}

// NewCollector makes one for a run of a file's system.
func NewCollector(f *File) *Collector {
	return &Collector{file: f, line: Line{ID: f.Name, Jobs: []Job{}}}
}

// Job implements sim.Observer.
func (c *Collector) Job(r *sim.Record) { c.line.Jobs = append(c.line.Jobs, c.file.JobOf(r)) }

// Line gives what was collected.
func (c *Collector) Line() Line {
	slices.SortFunc(c.line.Jobs, func(a, b Job) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Number, b.Number))
	})
	return c.line
}

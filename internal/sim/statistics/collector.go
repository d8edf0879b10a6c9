package statistics

import "github.com/genode-operator/genode-operator/internal/sim"

// Jobs sums up jobs.
type Jobs struct {
	Released   int64
	Ended      int64 // completed, late ones included
	Aborted    int64
	Unfinished int64 // at the end of the simulation
	Missed     int64 // late, aborted, or unfinished although the deadline has come
	// Preemptions counts pauses on one processor, Migrations changes of it.
	Preemptions, Migrations int64
	// Response is the time from release to end, Start that from release to first execution, and Executed what was spent
	// on processors, all of completed jobs.
	Response        Times
	Start, Executed Moments
}

// Add counts a job.
func (j *Jobs) Add(r *sim.Record) {
	j.Released++
	j.Preemptions += int64(r.Preemptions)
	j.Migrations += int64(r.Migrations)
	if r.Missed {
		j.Missed++
	}
	switch {
	case r.Aborted:
		j.Aborted++
	case r.Ended == sim.Never:
		j.Unfinished++
	default:
		j.Ended++
		j.Response.Add(r.Response())
		j.Start.Add(r.Begun - r.Released)
		j.Executed.Add(r.Executed)
	}
}

// Merge counts the jobs of another one.
func (j *Jobs) Merge(o *Jobs) {
	j.Released += o.Released
	j.Ended += o.Ended
	j.Aborted += o.Aborted
	j.Unfinished += o.Unfinished
	j.Missed += o.Missed
	j.Preemptions += o.Preemptions
	j.Migrations += o.Migrations
	j.Response.Merge(&o.Response)
	j.Start.Merge(&o.Start)
	j.Executed.Merge(&o.Executed)
}

// Collector is a sim.Observer that sums up the jobs of a system that are released in its window, task by task.
type Collector struct {
	system   *sim.System
	tasks    []Jobs
	together bool // all tasks are in the first place
}

// NewCollector makes a Collector for runs of a system.
func NewCollector(s *sim.System) *Collector {
	return &Collector{system: s, tasks: make([]Jobs, len(s.Tasks))}
}

// newTogether makes a Collector that does not tell tasks apart, which is faster.
func newTogether(s *sim.System) *Collector {
	return &Collector{system: s, tasks: make([]Jobs, 1), together: true}
}

// Job implements sim.Observer.
func (c *Collector) Job(r *sim.Record) {
	switch {
	case !c.system.Observes(r.Released):
	case c.together:
		c.tasks[0].Add(r)
	default:
		c.tasks[r.Index].Add(r)
	}
}

// Task sums up the jobs of the task at that index.
func (c *Collector) Task(index int) *Jobs { return &c.tasks[index] }

// All sums up the jobs of all tasks.
func (c *Collector) All() *Jobs {
	if c.together {
		return &c.tasks[0]
	}
	all := &Jobs{}
	for i := range c.tasks {
		all.Merge(&c.tasks[i])
	}
	return all
}

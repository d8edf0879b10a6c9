package sim

import (
	"errors"
	"fmt"
	"slices"
)

// ErrInvalid is returned for systems that cannot be simulated.
var ErrInvalid = errors.New("invalid system")

// longest is the longest time that is accepted, some 13 days, so that products with speeds stay in range.
const longest = Time(1) << 50

// costliest is the largest overhead that is accepted, some 18 minutes.
const costliest = Time(1) << 40

// mostWork is the largest amount of work of a job, penalties included, in units of engine.scale.
const mostWork = int64(1) << 62

// Check says what is wrong with a system: path, value and what to do, all problems at once.
func (s *System) Check() error {
	c := &checker{}
	c.within("duration", s.Duration, 0, longest)
	c.within("tick", s.Tick, 0, longest)
	c.refuse(s.Tick > 0 && s.Overheads.Timer >= s.Tick, "overheads.timer", s.Overheads.Timer, "must be less than the tick")
	c.within("window.from", s.Window.From, 0, s.Duration)
	c.refuse(s.Window != Window{} && (s.Window.To <= s.Window.From || s.Window.To > s.Duration), "window.to", s.Window.To,
		"must be behind window.from and not behind the duration")
	c.refuse(len(s.Tasks) == 0, "tasks", "none", "add a task")
	c.refuse(len(s.Processors) == 0, "processors", "none", "add a processor")
	for i := range s.Processors {
		c.processor(fmt.Sprintf("processors[%d]", i), &s.Processors[i])
	}
	for _, f := range []struct {
		name  string
		value Time
	}{
		{"decide", s.Overheads.Decide}, {"activate", s.Overheads.Activate}, {"end", s.Overheads.End}, {"timer", s.Overheads.Timer},
		{"preempt", s.Overheads.Preempt}, {"migration", s.Overheads.Migration},
	} {
		c.within("overheads."+f.name, f.value, 0, costliest)
	}
	ids := map[int]int{}
	for i := range s.Tasks {
		path := fmt.Sprintf("tasks[%d]", i)
		t := &s.Tasks[i]
		if before, twice := ids[t.ID]; twice {
			c.refuse(true, path+".id", t.ID, fmt.Sprintf("tasks[%d] has it too; give each task its own", before))
		}
		ids[t.ID] = i
		c.task(path, t, s)
	}
	c.chains(s.Tasks)
	return errors.Join(c.problems...)
}

type checker struct{ problems []error }

func (c *checker) refuse(when bool, path string, value any, remedy string) {
	const most = 10
	if when && len(c.problems) < most {
		c.problems = append(c.problems, fmt.Errorf("%w: %s: %v: %s", ErrInvalid, path, value, remedy))
	}
}

func (c *checker) within(path string, value, from, to Time) {
	c.refuse(value < from || value > to, path, value, fmt.Sprintf("out of range; use %d to %d ns", from, to))
}

func (c *checker) processor(path string, p *Processor) {
	const fastest = 1 << 10
	n, d := p.speed()
	c.refuse(n < 1 || d < 1 || n > fastest || d > fastest, path+".speed", fmt.Sprintf("%d/%d", n, d),
		"out of range; numerator and denominator are 1 to 1024")
	c.within(path+".save", p.Save, 0, costliest)
	c.within(path+".load", p.Load, 0, costliest)
}

func (c *checker) task(path string, t *Task, s *System) {
	for _, f := range []struct {
		name  string
		value Time
	}{
		{"offset", t.Offset}, {"period", t.Period}, {"jitter", t.Jitter}, {"slack", t.Slack}, {"deadline", t.Deadline},
		{"server.budget", t.Server.Budget}, {"server.period", t.Server.Period}, {"server.deadline", t.Server.Deadline},
		{"wcet", t.WCET}, {"criticalTime", t.CriticalTime},
	} {
		c.within(path+"."+f.name, f.value, 0, longest)
	}
	c.refuse(!slices.Contains([]Kind{Periodic, Sporadic, Aperiodic}, t.Kind), path+".kind", t.Kind, "use Periodic, Sporadic or Aperiodic")
	c.refuse(!slices.Contains([]MissPolicy{Continue, Abort, SkipNext}, t.OnMiss), path+".onMiss", t.OnMiss, "use Continue, Abort or SkipNext")
	c.refuse(t.Jobs < 0, path+".jobs", t.Jobs, "use the number of jobs, or 0 for no limit")
	c.arrivals(path+".arrivals", t)
	c.execution(path+".execution", t.Execution)
	c.refuse(t.Slack > 0 && (t.Kind != Sporadic || len(t.Arrivals) > 0), path+".slack", t.Slack,
		"only sporadic tasks without arrivals have it; set the kind and remove the arrivals, or remove it")
	c.refuse(t.Jitter > 0 && t.Jitter >= t.Period, path+".jitter", t.Jitter, "must be less than the period")
	c.refuse(t.Pinned && len(s.Processors) > 0 && (t.Processor < 0 || t.Processor >= len(s.Processors)), path+".processor", t.Processor,
		fmt.Sprintf("there is no such processor; use 0 to %d", len(s.Processors)-1))
	c.sections(path+".sections", t, len(s.Processors))
	c.after(path+".after", t, len(s.Tasks))
	c.refuse(t.Follows && (t.Follower < 0 || t.Follower >= len(s.Tasks)), path+".follower", t.Follower,
		fmt.Sprintf("there is no such task; use 0 to %d", len(s.Tasks)-1))
}

func (c *checker) arrivals(path string, t *Task) {
	c.refuse(len(t.Arrivals) > 0 && t.Kind != Sporadic, path, fmt.Sprint(len(t.Arrivals), " of them"),
		"only sporadic tasks have them; set the kind, or remove them")
	for i, at := range t.Arrivals {
		c.within(fmt.Sprintf("%s[%d]", path, i), at, 0, longest)
		if i > 0 && at < t.Arrivals[i-1] {
			c.refuse(true, fmt.Sprintf("%s[%d]", path, i), at, fmt.Sprintf("before the one ahead of it, %d; sort them", t.Arrivals[i-1]))
		}
	}
}

// execution checks a distribution of execution times if it knows its own limits.
func (c *checker) execution(path string, e Execution) {
	limited, ok := e.(interface{ limits() []limit })
	if !ok {
		return
	}
	for _, l := range limited.limits() {
		c.within(path+"."+l.field, l.value, l.from, l.to)
	}
}

// limit is the range of a field.
type limit struct {
	field           string
	value, from, to Time
}

package taskset

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Limits that every generation of the taskloader shares.
const (
	MaxTasks   = 10_000         // in one description
	MaxKnown   = 1000           // tasks that the admission control and the optimizer can tell apart; see Check
	MaxPkg     = 15             // characters that the wire has room for
	MaxTime    = 2_147_000      // milliseconds; the kernel's timers count microseconds in 31 bits
	MaxQuota   = 1<<32 - 1      // bytes
	maxReports = 10             // problems that one error lists
	maxDepth   = MaxConfigDepth // of a config
)

var pkgName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$`)

// Check says whether a taskloader of the generation can run the tasks: everything that it would
// silently misread, refuse without a word or die of is refused here, before anything is sent. For Auto
// only the rules that all generations share are applied. The error lists up to ten problems, each with
// field, value and remedy.
//
// A target names its tasks after their ids and pkgs: 07.hey, but 100hey for 100 and for 1000 to 1009 alike,
// since the first part is cut to three characters. Jobs and events go by ids, so that any number of tasks
// runs; but the optimizer, which looks after EDF tasks, goes by names: see also CheckAdmission.
func Check(tasks []Task, generation string) error {
	c := &checker{generation: generation}
	if !slices.Contains([]string{Auto, G2017, G1608a, G1608b, G1802}, generation) {
		return fmt.Errorf("generation %q is unknown; use Auto, 2017, 1608a, 1608b or 1802", generation)
	}
	if len(tasks) == 0 {
		return errors.New("tasks: there are none, and a taskloader dies of an empty task-set; add a task")
	}
	if len(tasks) > MaxTasks {
		return fmt.Errorf("tasks: there are %d; use at most %d", len(tasks), MaxTasks)
	}
	ids := make(map[int]bool, len(tasks))
	for i, t := range tasks {
		c.index, c.name = i, t.Name
		c.refuse(t.ID < 0 || t.ID >= MaxTasks, "id", t.ID, fmt.Sprintf("use 0 to %d", MaxTasks-1))
		c.refuse(ids[t.ID], "id", t.ID, "another task has it; number the tasks from 0")
		ids[t.ID] = true
		c.refuse(t.Deadline > 0 && t.ID >= MaxKnown, "deadlineMilliseconds", t.Deadline,
			fmt.Sprintf("the target's optimizer knows EDF tasks by names that repeat from id %d on, and this is id %d; move it up, or remove the deadline", MaxKnown, t.ID))
		c.anywhere(t)
		c.byGeneration(t)
	}
	return errors.Join(c.problems...)
}

// CheckAdmission says whether the admission control can tell the tasks apart, if it is asked for anything.
func CheckAdmission(tasks []Task, a *Admission) error {
	if a == nil || len(tasks) <= MaxKnown {
		return nil
	}
	return fmt.Errorf("admissionControl: the target's names of tasks repeat from id %d on, and there are %d tasks; remove it, or use at most %[1]d tasks", MaxKnown, len(tasks))
}

type checker struct {
	generation string
	index      int // of the task that is looked at
	name       string
	problems   []error
}

func (c *checker) refuse(when bool, field string, value any, remedy string) {
	if !when || len(c.problems) == maxReports {
		return
	}
	path := fmt.Sprintf("tasks[%d]", c.index)
	if c.name != "" {
		path += fmt.Sprintf(" (%s)", c.name)
	}
	c.problems = append(c.problems, fmt.Errorf("%s.%s: %v: %s", path, field, value, remedy))
}

// on reports whether the generation is one of those listed.
func (c *checker) on(generations ...string) bool { return slices.Contains(generations, c.generation) }

func (c *checker) anywhere(t Task) {
	c.refuse(!pkgName.MatchString(t.Pkg), "pkg", fmt.Sprintf("%q", t.Pkg),
		"the wire has room for 1 to 15 characters out of letters, digits, '_', '.' and '-'; rename the binary")
	c.refuse(t.Quota == 0, "quota", t.Quota, "a task without memory cannot start; give for example 1Mi")
	c.refuse(t.Quota > MaxQuota, "quota", t.Quota, "the target counts bytes in 32 bits; use less than 4Gi")
	for _, f := range []struct {
		name  string
		value uint32
	}{
		{"periodMilliseconds", t.Period}, {"criticalTimeMilliseconds", t.CriticalTime},
		{"deadlineMilliseconds", t.Deadline}, {"offsetMilliseconds", t.Offset},
	} {
		c.refuse(f.value > MaxTime, f.name, f.value, "the target's timers end at 2147 s; use at most 2147000")
	}
	c.config("config", t.Config, 0)
}

func (c *checker) config(path string, config Config, depth int) {
	if depth > maxDepth {
		c.refuse(true, path, "...", "nested too deep; flatten it")
		return
	}
	for _, n := range config {
		at := path + "." + n.Name
		c.refuse(!xmlName.MatchString(n.Name), path, fmt.Sprintf("%q", n.Name),
			"not an XML name; use letters, digits, '_', '.' and '-', beginning with a letter or '_'")
		c.refuse(checkText(at, n.Text) != nil, at, fmt.Sprintf("%q", n.Text), "XML cannot carry it; remove control characters")
		c.refuse(n.Text != "" && len(n.Children) > 0, at, fmt.Sprintf("%q", n.Text), "a node has either text or children; drop one")
		c.config(at, n.Children, depth+1)
	}
}

func (c *checker) byGeneration(t Task) {
	c.refuse(c.on(G1608b, G1802) && t.Priority > 127, "priority", t.Priority,
		"generation "+c.generation+" turns it into 0, the highest; use 0 to 127")
	c.refuse(c.on(G1608b, G1802) && t.NumberOfJobs == 0, "numberOfJobs", t.NumberOfJobs,
		"generation "+c.generation+" never runs such a task; use at least 1")
	c.refuse(c.on(G2017) && t.Period > 0 && t.NumberOfJobs > 1, "numberOfJobs", t.NumberOfJobs,
		"generation 2017 runs one job of each task in its life; use 1")
	c.refuse(c.on(G1802) && t.Period == 0, "periodMilliseconds", t.Period,
		"generation 1802 never starts a task without a period; use at least 1")
	c.refuse(c.on(G1802) && t.Caps == 0, "caps", t.Caps,
		"generation 1802 cannot start a task without capabilities; give for example 100")
	for _, f := range []struct {
		name  string
		value uint32
	}{{"caps", t.Caps}, {"cores", t.Cores}, {"coreOffset", t.CoreOffset}} {
		c.refuse(c.on(G2017, G1608a, G1608b) && f.value != 0, f.name, f.value,
			"only generation 1802 knows it; remove it or use such a target")
	}
}

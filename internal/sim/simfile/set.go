package simfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// once is the period of tasks that are released once: longer than any response time that is looked for.
const once = longest

// SetOf is the tasks of a system as tests see them, in nanoseconds and in the order of their priorities: those of the
// scheduler if that has fixed ones that tasks are given, else deadline-monotonic ones. The indices are those in the
// system. Overheads, places and limits of jobs are not looked at. The error names what no test knows.
func SetOf(f *File) (set analysis.Set, indices []int, err error) {
	p := &problems{}
	s := &f.System
	for i := range s.Processors {
		if c := &s.Processors[i]; c.SpeedDenominator != 0 && c.SpeedNumerator != c.SpeedDenominator {
			p.add(fmt.Sprintf("cpus[%d].speed", i), fmt.Sprintf("%d/%d", c.SpeedNumerator, c.SpeedDenominator), "tests are for processors of speed 1")
		}
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		path := fmt.Sprintf("tasks[%d]", i)
		if t.Kind == sim.Aperiodic {
			p.add(path+".kind", string(t.Kind), "nothing bounds how often it is released; make it sporadic with a period, or leave it out")
		}
		if t.WCET == 0 {
			p.add(path+".wcet", nil, "tests need an execution time above 0")
		}
		set = append(set, analysed(t))
		indices = append(indices, i)
	}
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(indices, func(a, b int) int {
		return cmp.Or(byPriority(f.Scheduler, &s.Tasks[a], &s.Tasks[b]), cmp.Compare(set[a].D, set[b].D))
	})
	return set.Pick(indices), indices, set.Check()
}

func analysed(t *sim.Task) analysis.Task {
	out := analysis.Task{C: t.WCET, T: t.Period, D: t.Deadline, J: t.Jitter}
	if t.Kind == sim.Sporadic && t.Slack == 0 {
		out.T = once
		for i := 1; i < len(t.Arrivals); i++ {
			out.T = min(out.T, t.Arrivals[i]-t.Arrivals[i-1])
		}
	}
	if out.T == 0 {
		out.T = once
	}
	if out.D == 0 {
		out.D = cmp.Or(t.Period, once)
	}
	return out
}

// byPriority compares as the scheduler does; 0 if tasks are given no priorities.
func byPriority(scheduler string, a, b *sim.Task) int {
	switch name := strings.TrimPrefix(scheduler, "simso.schedulers."); {
	case strings.HasPrefix(name, "Genode-"):
		return cmp.Compare(a.Priority, b.Priority)
	case name == "FP" || name == "RR" || strings.HasPrefix(name, "P-FP-"):
		return cmp.Compare(b.Priority, a.Priority)
	case name == "RM" || strings.HasPrefix(name, "P-RM-") || name == "RM-mono" || name == "RM_mono" || name == "P_RM":
		return cmp.Compare(a.Period, b.Period)
	}
	return 0
}

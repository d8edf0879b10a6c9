package simfile

import (
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Marshal writes a file as YAML; Parse reads it again, and gives the same File but for CPUs and Cycles. The error names a task
// that cannot be told from others by its name, or an execution that is not one of package sim.
func Marshal(f *File) ([]byte, error) {
	if err := writable(f); err != nil {
		return nil, err
	}
	d := document{
		Name: f.Name, Duration: timeText(f.System.Duration), Tick: timeText(f.System.Tick), Seed: f.System.Seed,
		Overheads: &overheadsText{
			Decide: timeText(f.System.Overheads.Decide), Activate: timeText(f.System.Overheads.Activate), End: timeText(f.System.Overheads.End),
			Timer: timeText(f.System.Overheads.Timer), Preempt: timeText(f.System.Overheads.Preempt), Migration: timeText(f.System.Overheads.Migration),
		},
	}
	if w := f.System.Window; w != (sim.Window{}) {
		d.Window = &windowText{timeText(w.From), timeText(w.To)}
	}
	if *d.Overheads == (overheadsText{}) {
		d.Overheads = nil
	}
	if f.Scheduler != "" || len(f.Options) > 0 {
		d.Scheduler = &schedulerText{f.Scheduler, f.Options}
	}
	for i := range f.System.Processors {
		p := &f.System.Processors[i]
		text := cpuText{Name: p.Name, Save: timeText(p.Save), Load: timeText(p.Load)}
		if p.SpeedDenominator != 0 {
			text.Speed = fmt.Sprintf("%d/%d", p.SpeedNumerator, p.SpeedDenominator)
		}
		d.CPUs = append(d.CPUs, text)
	}
	for i := range f.System.Tasks {
		d.Tasks = append(d.Tasks, textOf(&f.System, &f.System.Tasks[i]))
	}
	return yaml.Marshal(d)
}

func writable(f *File) error {
	p, names := &problems{}, map[string]bool{}
	for i := range f.System.Tasks {
		t := &f.System.Tasks[i]
		if names[t.Name] {
			p.add(fmt.Sprintf("tasks[%d].name", i), t.Name, "another task has it, too; give each task its own")
		}
		names[t.Name] = t.Name != ""
		switch t.Execution.(type) {
		case nil, sim.Normal, sim.Uniform, *sim.Histogram:
		default:
			p.add(fmt.Sprintf("tasks[%d].execution", i), t.Execution, "cannot be written; use one of package sim")
		}
	}
	named(p, f.System.Tasks)
	return p.err()
}

func textOf(s *sim.System, t *sim.Task) taskText {
	text := taskText{
		ID: t.ID, Name: t.Name, Kind: t.Kind, Offset: timeText(t.Offset), Period: timeText(t.Period),
		Jitter: timeText(t.Jitter), Arrivals: timeTexts(t.Arrivals), Slack: timeText(t.Slack), Deadline: timeText(t.Deadline),
		WCET: FormatTime(t.WCET), Execution: executionOf(t.Execution), Priority: t.Priority, Jobs: t.Jobs,
		OnMiss: t.OnMiss, CriticalTime: timeText(t.CriticalTime), After: afterTexts(s, t), Sections: sectionTexts(t.Sections),
	}
	if t.Server != (sim.Server{}) {
		text.Server = &serverText{timeText(t.Server.Budget), timeText(t.Server.Period), timeText(t.Server.Deadline)}
	}
	if t.Pinned {
		text.CPU = t.Processor + 1
	}
	if t.Follows {
		text.Follower = s.Tasks[t.Follower].Name
	}
	return text
}

func executionOf(e sim.Execution) *executionText {
	switch e := e.(type) {
	case sim.Normal:
		return &executionText{Normal: map[string]string{"mean": FormatTime(e.Mean), "deviation": FormatTime(e.Deviation)}}
	case sim.Uniform:
		return &executionText{Uniform: map[string]string{"least": FormatTime(e.Least), "most": FormatTime(e.Most)}}
	case *sim.Histogram:
		return &executionText{Observed: timeTexts(e.Observed())}
	}
	return nil
}

// timeText leaves out times of 0.
func timeText(t sim.Time) string {
	if t == 0 {
		return ""
	}
	return FormatTime(t)
}

func timeTexts(times []sim.Time) []string {
	var texts []string
	for _, t := range times {
		texts = append(texts, FormatTime(t))
	}
	return texts
}

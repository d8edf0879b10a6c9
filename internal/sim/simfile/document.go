package simfile

import "github.com/genode-operator/genode-operator/internal/sim"

// document and the types below are a File as it is written.
type document struct {
	Name      string         `json:"name,omitempty"`
	Duration  string         `json:"duration,omitempty"`
	Window    *windowText    `json:"window,omitempty"`
	Tick      string         `json:"tick,omitempty"`
	Seed      uint64         `json:"seed,omitempty"`
	Scheduler *schedulerText `json:"scheduler,omitempty"`
	CPUs      []cpuText      `json:"cpus"`
	Overheads *overheadsText `json:"overheads,omitempty"`
	Tasks     []taskText     `json:"tasks"`
}

type windowText struct {
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

type schedulerText struct {
	Name    string            `json:"name,omitempty"`
	Options map[string]string `json:"options,omitempty"`
}

type cpuText struct {
	Name  string `json:"name,omitempty"`
	Speed string `json:"speed,omitempty"`
	Save  string `json:"save,omitempty"`
	Load  string `json:"load,omitempty"`
}

type overheadsText struct {
	Decide    string `json:"decide,omitempty"`
	Activate  string `json:"activate,omitempty"`
	End       string `json:"end,omitempty"`
	Timer     string `json:"timer,omitempty"`
	Preempt   string `json:"preempt,omitempty"`
	Migration string `json:"migration,omitempty"`
}

type taskText struct {
	ID           int            `json:"id"`
	Name         string         `json:"name,omitempty"`
	Kind         sim.Kind       `json:"kind,omitempty"`
	Offset       string         `json:"offset,omitempty"`
	Period       string         `json:"period,omitempty"`
	Jitter       string         `json:"jitter,omitempty"`
	Arrivals     []string       `json:"arrivals,omitempty"`
	Slack        string         `json:"slack,omitempty"`
	Deadline     string         `json:"deadline,omitempty"`
	WCET         string         `json:"wcet"`
	Execution    *executionText `json:"execution,omitempty"`
	Priority     int64          `json:"priority,omitempty"`
	Jobs         int64          `json:"jobs,omitempty"`
	Follower     string         `json:"follower,omitempty"`
	After        []string       `json:"after,omitempty"`
	Sections     []sectionText  `json:"sections,omitempty"`
	OnMiss       sim.MissPolicy `json:"onMiss,omitempty"`
	CriticalTime string         `json:"criticalTime,omitempty"`
	Server       *serverText    `json:"server,omitempty"`
	CPU          int            `json:"cpu,omitempty"`
}

type serverText struct {
	Budget   string `json:"budget,omitempty"`
	Period   string `json:"period,omitempty"`
	Deadline string `json:"deadline,omitempty"`
}

type executionText struct {
	Normal   map[string]string `json:"normal,omitempty"`
	Uniform  map[string]string `json:"uniform,omitempty"`
	Observed []string          `json:"observed,omitempty"`
}

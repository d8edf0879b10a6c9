package simfile

import (
	"encoding/json"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// SetLine is a task-set of a line of JSON. Times have any unit.
type SetLine struct {
	ID    json.RawMessage // a number or a text; nil: none
	CPUs  int
	Tasks [][3]int64 // execution time, period and deadline
}

// mostOfSet is the longest time of a line: some 12 days, if they are microseconds.
const mostOfSet = 1 << 40

// Set is the task-set in the order of the line.
func (l *SetLine) Set() analysis.Set {
	var s analysis.Set
	for _, t := range l.Tasks {
		s = append(s, analysis.Task{C: t[0], T: t[1], D: t[2]})
	}
	return s
}

// ParseSet reads a task-set, {"id": 1, "cpus": 2, "tasks": [[C, T, D], ...]}; other members are left out.
func ParseSet(text []byte) (*SetLine, error) {
	root, err := decode(text)
	if err != nil {
		return nil, err
	}
	if _, is := root.value.(map[string]any); !is {
		root.refuse("must be an object with cpus and tasks")
		return nil, root.err()
	}
	l := &SetLine{CPUs: int(root.field("cpus").integer(1, 1, MostProcessors))}
	switch id := root.field("id"); id.value.(type) {
	case json.Number, string:
		l.ID, _ = json.Marshal(id.value) // numbers and texts always work
	case nil:
	default:
		id.refuse("must be a number or a text")
	}
	const columns = 3
	tasks := root.field("tasks")
	for _, row := range tasks.list() {
		cells := row.list()
		if len(cells) != columns {
			row.refuse("must be an execution time, a period and a deadline")
			continue
		}
		var t [columns]int64
		for i, cell := range cells {
			t[i] = cell.integer(0, 1, mostOfSet)
		}
		l.Tasks = append(l.Tasks, t)
	}
	if len(tasks.list()) == 0 {
		tasks.refuse("add a task")
	}
	return l, root.err()
}

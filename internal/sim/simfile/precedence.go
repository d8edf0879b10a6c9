package simfile

import (
	"fmt"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// sectionText is a part of a job's work that needs a resource.
type sectionText struct {
	Resource int    `json:"resource"`
	From     string `json:"from,omitempty"`
	To       string `json:"to"`
}

func sections(n node) []sim.Section {
	var all []sim.Section
	for _, s := range n.list() {
		if s.object("resource", "from", "to") {
			const most = 1<<10 - 1
			all = append(all, sim.Section{Resource: int(s.field("resource").integer(0, 0, most)), From: s.field("from").time(), To: s.field("to").time()})
		}
	}
	return all
}

func sectionTexts(sections []sim.Section) []sectionText {
	var texts []sectionText
	for _, s := range sections {
		texts = append(texts, sectionText{s.Resource, timeText(s.From), FormatTime(s.To)})
	}
	return texts
}

// after finds the tasks that a task waits for, by their names.
func (p *parser) after(t *sim.Task, n node) {
	for _, before := range n.list() {
		name := before.text("")
		at := slices.IndexFunc(p.file.System.Tasks, func(o sim.Task) bool { return o.Name == name && name != "" })
		if at < 0 {
			before.refuse("there is no task of this name")
			continue
		}
		t.After = append(t.After, at)
	}
}

func afterTexts(s *sim.System, t *sim.Task) []string {
	var names []string
	for _, before := range t.After {
		names = append(names, s.Tasks[before].Name)
	}
	return names
}

// named reports tasks without a name that others refer to.
func named(p *problems, tasks []sim.Task) {
	missing := func(at, by int, how string) {
		if tasks[at].Name == "" {
			p.add(fmt.Sprintf("tasks[%d].name", at), nil, fmt.Sprintf("tasks[%d] %s; give it one", by, how))
		}
	}
	for i := range tasks {
		if tasks[i].Follows {
			missing(tasks[i].Follower, i, "is followed by it")
		}
		for _, before := range tasks[i].After {
			missing(before, i, "comes after it")
		}
	}
}

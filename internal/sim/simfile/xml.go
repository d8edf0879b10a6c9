package simfile

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// element is any element of SimSo's files.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
}

// Names that attributes of SimSo's files have in recorded runs.
var (
	schedNames     = map[string]string{"class": "name", "className": "name"}
	processorNames = map[string]string{"id": "identifier"}
	taskNames      = map[string]string{
		"id": "identifier", "activationDate": "activation_date", "WCET": "wcet", "ACET": "acet", "instructions": "n_instr",
		"stack": "stack_file",
	}
)

// SimSo's values of what its files do not say, in cycles.
const (
	xmlDuration = json.Number("50000")
	xmlPenalty  = json.Number("100000")
)

// ParseXML reads a model that SimSo has saved. Times are rounded to nanoseconds. Its caches are left out unless
// execution times depend on them, which is an error.
func ParseXML(text []byte) (*File, error) {
	var root element
	if err := xml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%w: %w", sim.ErrInvalid, err)
	}
	p := &problems{spelled: map[string]string{}}
	if root.XMLName.Local != "simulation" {
		p.add("", root.XMLName.Local, "must be a <simulation> of SimSo")
		return nil, p.err()
	}
	x := &importer{problems: p}
	members := x.simulation(&root)
	if err := p.err(); err != nil {
		return nil, err
	}
	for _, names := range []map[string]string{taskNames, processorNames} {
		for in, out := range names {
			p.spelled[out] = in
		}
	}
	return caseOf(node{value: members, problems: p}, true)
}

// importer makes the input of a recorded run of SimSo's elements.
type importer struct{ *problems }

func (x *importer) simulation(root *element) map[string]any {
	members := x.attributes("simulation", root, nil)
	for name, standard := range map[string]json.Number{"duration": xmlDuration, "penalty_preemption": xmlPenalty, "penalty_migration": xmlPenalty} {
		if members[name] == nil {
			members[name] = standard
		}
	}
	if members["etm"] == nil {
		members["etm"] = "wcet"
		if use, is := members["use_wcet"].(bool); is && !use {
			members["etm"] = "acet"
		}
	}
	for i := range root.Children {
		part := &root.Children[i]
		switch part.XMLName.Local {
		case "sched":
			members["scheduler"] = x.sched(part)
		case "processors":
			if cost, is := x.attributes("processors", part, nil)["migration_overhead"]; is {
				members["migration_overhead"] = cost
			}
			members["cpus"] = x.rows("cpus", part, "processor", processorNames)
		case "tasks":
			members["tasks"] = x.rows("tasks", part, "task", taskNames)
		case "caches":
		default:
			x.add("simulation."+part.XMLName.Local, nil, "no such element here; use sched, caches, processors and tasks")
		}
	}
	return members
}

// sched is the scheduler with its fields.
func (x *importer) sched(e *element) map[string]any {
	members := x.attributes("scheduler", e, schedNames)
	if name, is := members["name"].(string); is {
		members["name"] = strings.TrimSuffix(path.Base(name), ".py")
	}
	fields := map[string]any{}
	for i := range e.Children {
		f := x.attributes("scheduler.field", &e.Children[i], nil)
		if name, is := f["name"].(string); is {
			fields[name] = f["value"]
		}
	}
	members["fields"] = fields
	return members
}

// rows are the elements of that name with their attributes; those that a <field> declares are data.
func (x *importer) rows(at string, e *element, name string, names map[string]string) []any {
	declared := map[string]bool{}
	for i := range e.Children {
		if c := &e.Children[i]; c.XMLName.Local == "field" {
			field, _ := x.attributes(at+".field", c, nil)["name"].(string)
			declared[field] = true
		}
	}
	rows := []any{}
	for i := range e.Children {
		c := &e.Children[i]
		if c.XMLName.Local != name {
			continue
		}
		members := x.attributes(fmt.Sprintf("%s[%d]", at, len(rows)), c, names)
		data := map[string]any{}
		for _, field := range slices.Sorted(maps.Keys(declared)) {
			if value, is := members[field]; is {
				data[field] = value
				delete(members, field)
			}
		}
		members["data"] = data
		rows = append(rows, members)
	}
	return rows
}

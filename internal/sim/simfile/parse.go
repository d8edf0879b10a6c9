package simfile

import (
	"encoding/json"
	"fmt"
	"math"

	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Parse reads a system as YAML or JSON: an object, or only the list of its tasks. Times are texts with their unit,
// or numbers of milliseconds.
func Parse(text []byte) (*File, error) {
	root, err := decodeAny(text)
	if err != nil {
		return nil, err
	}
	if list, is := root.value.([]any); is {
		root.value = map[string]any{"tasks": list}
	}
	p := &parser{file: &File{}}
	p.read(root)
	if err := root.err(); err != nil {
		return nil, err
	}
	return p.file, check(&p.file.System)
}

// check a system that need not have a duration yet.
func check(s *sim.System) error {
	c := *s
	if c.Duration == 0 {
		c.Duration = longest
	}
	return c.Check()
}

// decodeAny reads JSON, or YAML.
func decodeAny(text []byte) (node, error) {
	if json.Valid(text) {
		return decode(text)
	}
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return node{}, fmt.Errorf("%w: %w", sim.ErrInvalid, err)
	}
	return decode(converted)
}

// parser makes a File of a document.
type parser struct{ file *File }

func (p *parser) read(root node) {
	if !root.object("name", "duration", "window", "tick", "seed", "scheduler", "cpus", "overheads", "tasks") {
		return
	}
	f := p.file
	f.Name = root.field("name").text("")
	f.System.Duration = root.field("duration").time()
	f.System.Tick = root.field("tick").time()
	if w := root.field("window"); !w.absent() && w.object("from", "to") {
		f.System.Window = sim.Window{From: w.field("from").time(), To: w.field("to").time()}
	}
	f.System.Seed = uint64(root.field("seed").integer(0, 0, math.MaxInt64))
	p.scheduler(root.field("scheduler"))
	p.processors(root.field("cpus"))
	p.overheads(root.field("overheads"))
	tasks := root.field("tasks")
	rows := tasks.list()
	if len(rows) == 0 {
		tasks.refuse("add a task")
	}
	for i, row := range rows {
		f.System.Tasks = append(f.System.Tasks, p.task(row, i))
	}
	p.unique(rows)
	for i, row := range rows {
		p.follow(&f.System.Tasks[i], row.member("follower"))
		p.after(&f.System.Tasks[i], row.member("after"))
	}
}

// member is the field of a node that need not be an object.
func (n node) member(name string) node {
	if _, is := n.value.(map[string]any); !is {
		return node{n.path, nil, n.problems}
	}
	return n.field(name)
}

// scheduler is a name, or an object with options.
func (p *parser) scheduler(n node) {
	if _, is := n.value.(string); is || n.absent() {
		p.file.Scheduler = n.text("")
		return
	}
	if !n.object("name", "options") {
		return
	}
	p.file.Scheduler = n.field("name").text("")
	options := n.field("options")
	members, is := options.value.(map[string]any)
	if !is && !options.absent() {
		options.refuse("must be an object")
	}
	for name := range members {
		if p.file.Options == nil {
			p.file.Options = map[string]string{}
		}
		option := options.field(name)
		if number, is := option.value.(json.Number); is {
			option.value = number.String()
		}
		p.file.Options[name] = option.text("")
	}
}

// processors are a number, or a list. Without them there is one.
func (p *parser) processors(n node) {
	s := &p.file.System
	if _, is := n.value.([]any); !is {
		s.Processors = make([]sim.Processor, n.integer(1, 1, MostProcessors))
		return
	}
	for _, cpu := range n.list() {
		if !cpu.object("name", "speed", "save", "load") {
			continue
		}
		one := sim.Processor{Name: cpu.field("name").text(""), Save: cpu.field("save").cost(), Load: cpu.field("load").cost()}
		one.SpeedNumerator, one.SpeedDenominator = cpu.field("speed").fraction()
		s.Processors = append(s.Processors, one)
	}
	if len(n.list()) == 0 {
		n.refuse("add a processor")
	}
}

func (p *parser) overheads(n node) {
	if n.absent() || !n.object("decide", "activate", "end", "timer", "preempt", "migration") {
		return
	}
	p.file.System.Overheads = sim.Overheads{
		Decide: n.field("decide").cost(), Activate: n.field("activate").cost(), End: n.field("end").cost(),
		Timer: n.field("timer").cost(), Preempt: n.field("preempt").cost(), Migration: n.field("migration").cost(),
	}
}

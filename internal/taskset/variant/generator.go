package variant

import (
	"fmt"
	"strconv"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// What Values and IndexOf call the generator's part of a variant. No task has such attributes, so that a
// task may have the name, too.
const (
	generatorName        = "generator"
	attributeUtilization = "utilization" // the sum that the utilizations have
	attributeTasks       = "tasks"       // how many there are, if that is drawn
)

// synthesis makes the tasks of spec.generator for one variant after the other.
type synthesis struct {
	from, to  int64 // number of tasks
	first     int   // id of the first one
	templates []prototype
	load      *load // nil: nothing is said about their utilization
}

// prototype is what a generated task begins with.
type prototype struct {
	task  taskset.Task
	draws []draw
}

// newSynthesis reads spec.generator; its tasks come after those of the base. It is nil without one.
func newSynthesis(spec *v1alpha1.TaskSetSpec, base []taskset.Task) (*synthesis, error) {
	g := spec.Generator
	if g == nil {
		return nil, nil
	}
	const path = "spec.generator"
	y := &synthesis{first: len(base)}
	if err := y.setCount(path, g); err != nil {
		return nil, err
	}
	if err := y.checkNames(base); err != nil {
		return nil, err
	}
	var err error
	if y.load, err = newLoad(path+".utilization", g.Utilization, y.from); err != nil {
		return nil, err
	}
	if len(g.Templates) == 0 {
		return nil, fmt.Errorf("%s.templates: there are none; add one that names a pkg", path)
	}
	for i := range g.Templates {
		p, err := y.newPrototype(fmt.Sprintf("%s.templates[%d]", path, i), &g.Templates[i], defaultJobs(spec))
		if err != nil {
			return nil, err
		}
		y.templates = append(y.templates, p)
	}
	return y, nil
}

func (y *synthesis) setCount(path string, g *v1alpha1.Generator) error {
	switch between := g.TasksBetween; {
	case (g.Tasks == nil) == (between == nil):
		return fmt.Errorf("%s: give either tasks or tasksBetween", path)
	case between == nil:
		y.from, y.to = int64(*g.Tasks), int64(*g.Tasks)
		path += ".tasks"
	case between.From == nil || between.To == nil:
		return fmt.Errorf("%s.tasksBetween: give both from and to", path)
	default:
		y.from, y.to = *between.From, *between.To
		path += ".tasksBetween"
	}
	if y.from < 1 || y.to < y.from || y.to > maxGenerated {
		return fmt.Errorf("%s: %d to %d is out of range; use 1 <= from <= to <= %d", path, y.from, y.to, maxGenerated)
	}
	if y.first+int(y.to) > taskset.MaxTasks {
		return fmt.Errorf("%s: %d beside %d other tasks are more than the %d that a task-set has room for; generate fewer", path, y.to, y.first, taskset.MaxTasks)
	}
	return nil
}

// checkNames refuses a base task that has the name of a generated one.
func (y *synthesis) checkNames(base []taskset.Task) error {
	taken := make(map[string]bool, y.to)
	for _, name := range y.names() {
		taken[name] = true
	}
	for _, t := range base {
		if taken[t.Name] {
			return fmt.Errorf("spec.generator: %q is the name of another task (number %d) and of a generated one; give the other one another name or pkg", t.Name, t.ID)
		}
	}
	return nil
}

// names that generated tasks can have.
func (y *synthesis) names() []string {
	if y == nil {
		return nil
	}
	names := make([]string, y.to)
	for k := range names {
		names[k] = generatedName(k)
	}
	return names
}

func generatedName(k int) string { return "generated-" + strconv.Itoa(k) }

// newPrototype reads a template.
func (y *synthesis) newPrototype(path string, t *v1alpha1.GeneratorTemplate, jobs int32) (prototype, error) {
	p := prototype{task: taskset.Task{Quota: defaultQuota, NumberOfJobs: uint32(jobs)}}
	if t.Set == nil || t.Set.Pkg == "" {
		return p, fmt.Errorf("%s.set.pkg is missing: name the binary of the generated tasks", path)
	}
	sets, err := compileSet(path+".set", t.Set)
	if err != nil {
		return p, err
	}
	for _, s := range sets {
		if y.load.decides(s.attribute) {
			return p, fmt.Errorf("%s.set.%s: spec.generator.utilization decides it; leave it out", path, s.attribute)
		}
		s.set(&p.task)
	}
	varied, err := compileDraws(path+".draws", t.Draws)
	if err != nil {
		return p, err
	}
	for _, v := range varied {
		if y.load.decides(v.attribute) {
			return p, fmt.Errorf("%s.attribute: spec.generator.utilization decides %s; leave it out", v.path, v.attribute)
		}
		if err := checkAttribute(v.path+".attribute", v.attribute, p.task.Config); err != nil {
			return p, err
		}
		p.draws = append(p.draws, v.draw)
	}
	return p, y.load.checkPrototype(path, &p.task)
}

package variant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// madeTask is a task that blocks made, and what varies in it, in the order in which it was written.
type madeTask struct {
	task   taskset.Task
	varied []*varying
}

// blockTasks makes one task for each combination of one alternative of every list, the last list fastest.
func blockTasks(spec *v1alpha1.TaskSetSpec) ([]madeTask, error) {
	if len(spec.Blocks) == 0 {
		return nil, nil
	}
	lists := make([][]alternativeParts, len(spec.Blocks))
	room := taskset.MaxTasks - len(spec.Tasks)
	count := 1
	for i, list := range spec.Blocks {
		path := fmt.Sprintf("spec.blocks[%d].alternatives", i)
		compiled, err := compileList(path, list.Alternatives)
		if err != nil {
			return nil, err
		}
		if count *= len(compiled); count > room {
			return nil, fmt.Errorf("%s: with these %d alternatives there would be %d tasks; a task-set has room for %d of spec.blocks: leave some out, or repeat less", path, len(compiled), count, room)
		}
		lists[i] = compiled
	}
	made := make([]madeTask, count)
	for n := range made {
		var err error
		if made[n], err = blockTask(lists, n, len(spec.Tasks)+n, defaultJobs(spec)); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// blockTask makes combination n of the lists.
func blockTask(lists [][]alternativeParts, n, id int, jobs int32) (madeTask, error) {
	chosen := make([]alternativeParts, len(lists))
	for i, list := range slices.Backward(lists) {
		chosen[i] = list[n%len(list)]
		n /= len(list)
	}
	m := madeTask{task: taskset.Task{ID: id, Quota: defaultQuota, NumberOfJobs: uint32(jobs)}}
	for _, parts := range chosen {
		for _, p := range parts {
			m.apply(p)
		}
	}
	pkgVaries := slices.ContainsFunc(m.varied, func(v *varying) bool { return v.attribute == attributePkg })
	if m.task.Pkg == "" && !pkgVaries {
		return m, fmt.Errorf("spec.blocks: no block of task %d says what its pkg is; name the binary in one of them, or use one of the library such as hey.HelloWorld", id)
	}
	m.task.Name = blockName(m.task.Pkg, pkgVaries, id)
	return m, nil
}

// apply adds a part: what it says about an attribute replaces what was said before.
func (m *madeTask) apply(p *part) {
	for _, s := range p.sets {
		s.set(&m.task)
		m.drop(s.attribute)
	}
	for _, list := range [][]*varying{p.sweeps, p.draws} {
		for _, v := range list {
			m.drop(v.attribute)
		}
		m.varied = append(m.varied, list...)
	}
}

func (m *madeTask) drop(attribute string) {
	m.varied = slices.DeleteFunc(m.varied, func(v *varying) bool { return overlaps(v.attribute, attribute) })
}

// blockName names a task after its pkg and its position; "task" stands for a pkg that varies.
func blockName(pkg string, varies bool, id int) string {
	if varies {
		pkg = "task"
	}
	return fmt.Sprintf("%s-%d", strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(pkg)), id)
}

// varyingOf turns what varies in the tasks into axes and draws, in the order of the tasks.
func varyingOf(made []madeTask, r *resolver) (axes []axis, draws []draw, err error) {
	for _, m := range made {
		for _, v := range m.varied {
			d := v.draw // a copy; the values are shared by all tasks that the block is a part of
			d.task = m.task.ID
			if err := r.claim(&d.axis); err != nil {
				return nil, nil, err
			}
			if v.random {
				draws = append(draws, d)
			} else {
				axes = append(axes, d.axis)
			}
		}
	}
	return axes, draws, nil
}

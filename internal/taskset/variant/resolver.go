package variant

import (
	"fmt"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// resolver finds tasks by name, and knows what of each is varied already.
type resolver struct {
	base   []taskset.Task
	index  map[string]int // by name
	varied [][]place      // by index of the task
}

// place is an attribute that is varied, and where the spec says so.
type place struct{ attribute, path string }

func newResolver(base []taskset.Task) *resolver {
	r := &resolver{base: base, index: make(map[string]int, len(base)), varied: make([][]place, len(base))}
	for i := range base {
		r.index[base[i].Name] = i
	}
	return r
}

// place finds the task of an axis and checks the attribute.
func (r *resolver) place(a *axis, task string) error {
	i, known := r.index[task]
	if !known {
		return fmt.Errorf("%s.task: %q is not the name of a task; use one of spec.tasks or, as pkg-position, of those that spec.blocks make", a.path, task)
	}
	a.task = i
	return r.claim(a)
}

// claim refuses what is no attribute of the axis' task, and a second axis over the same thing or a part of it.
func (r *resolver) claim(a *axis) error {
	path := a.path + ".attribute"
	if err := checkAttribute(path, a.attribute, r.base[a.task].Config); err != nil {
		return err
	}
	for _, other := range r.varied[a.task] {
		if overlaps(a.attribute, other.attribute) {
			return fmt.Errorf("%s: %q overlaps %q of %s; vary each thing once", path, a.attribute, other.attribute, other.path)
		}
	}
	r.varied[a.task] = append(r.varied[a.task], place{a.attribute, a.path})
	return nil
}

// checkAttribute refuses what is no attribute of a task with the config.
func checkAttribute(path, attribute string, config taskset.Config) error {
	if _, numeric := numbers[attribute]; numeric || attribute == attributePkg || attribute == attributeQuota {
		return nil
	}
	return checkConfigPath(path, attribute, config)
}

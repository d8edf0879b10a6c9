package variant

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// axis is one sweep, resolved: one digit of a variant's number.
type axis struct {
	task      int    // index of the task
	attribute string // as the sweep names it
	values    []alternative
	from      int64 // of a range, used when there are no values
	step      uint64
	steps     uint64 // number of values of the range
	integer   func(*taskset.Task, int64)
}

// alternative is one listed value.
type alternative struct {
	text string
	set  func(*taskset.Task)
}

func (a *axis) size() uint64 {
	if a.values != nil {
		return uint64(len(a.values))
	}
	return a.steps
}

// at is value number i of a range. It cannot overflow: i is less than steps.
func (a *axis) at(i uint64) int64 { return int64(uint64(a.from) + i*a.step) }

func (a *axis) apply(t *taskset.Task, i uint64) {
	if a.values != nil {
		a.values[i].set(t)
		return
	}
	a.integer(t, a.at(i))
}

func (a *axis) text(i uint64) string {
	if a.values != nil {
		return a.values[i].text
	}
	return strconv.FormatInt(a.at(i), 10)
}

func newAxis(path string, sweep v1alpha1.Sweep, base []taskset.Task, before []axis) (axis, error) {
	a := axis{task: -1, attribute: sweep.Attribute}
	for i, t := range base {
		if t.Name == sweep.Task {
			a.task = i
		}
	}
	if a.task < 0 {
		return a, fmt.Errorf("%s.task: %q is not the name of a task; use one of spec.tasks", path, sweep.Task)
	}
	if err := a.checkAttribute(path+".attribute", base[a.task].Config, before); err != nil {
		return a, err
	}
	if (sweep.Range == nil) == (len(sweep.Values) == 0) {
		return a, fmt.Errorf("%s: give either values or range", path)
	}
	if sweep.Range != nil {
		return a, a.setRange(path+".range", *sweep.Range)
	}
	for j, raw := range sweep.Values {
		value, err := newAlternative(fmt.Sprintf("%s.values[%d]", path, j), sweep.Attribute, raw.Raw)
		if err != nil {
			return a, err
		}
		a.values = append(a.values, value)
	}
	return a, nil
}

// checkAttribute refuses what is no attribute, and a second sweep over the same thing or a part of it.
func (a *axis) checkAttribute(path string, config taskset.Config, before []axis) error {
	_, numeric := numbers[a.attribute]
	if !numeric && a.attribute != attributePkg && a.attribute != attributeQuota {
		if err := checkConfigPath(path, a.attribute, config); err != nil {
			return err
		}
	}
	for i, b := range before {
		overlap := strings.HasPrefix(a.attribute+".", b.attribute+".") || strings.HasPrefix(b.attribute+".", a.attribute+".")
		if a.task == b.task && overlap {
			return fmt.Errorf("%s: %q overlaps %q of spec.sweeps[%d]; vary each thing once", path, a.attribute, b.attribute, i)
		}
	}
	return nil
}

func (a *axis) setRange(path string, r v1alpha1.IntegerRange) error {
	if r.From == nil || r.To == nil {
		return fmt.Errorf("%s: give both from and to", path)
	}
	step := r.Step
	if step == 0 {
		step = 1
	}
	if step < 0 || *r.To < *r.From {
		return fmt.Errorf("%s: %d to %d in steps of %d is no range; use from <= to and a step of at least 1", path, *r.From, *r.To, step)
	}
	span := uint64(*r.To) - uint64(*r.From)
	a.from, a.step = *r.From, uint64(step)
	if a.steps = span/a.step + 1; a.steps == 0 {
		return fmt.Errorf("%s: it has 2^64 values; use a larger step", path)
	}
	return a.setInteger(path)
}

// setInteger checks the ends of the range against the attribute and makes the setter.
func (a *axis) setInteger(path string) error {
	bounds := number{min: 1, max: taskset.MaxQuota}
	switch numeric, isNumber := numbers[a.attribute]; {
	case isNumber:
		bounds = numeric
		a.integer = func(t *taskset.Task, v int64) { numeric.set(t, uint32(v)) }
	case a.attribute == attributeQuota:
		a.integer = func(t *taskset.Task, v int64) { t.Quota = uint64(v) }
	case a.attribute == attributePkg:
		return fmt.Errorf("%s: pkg is a name and has no range; list values", path)
	default:
		steps := strings.Split(strings.TrimPrefix(a.attribute, configPrefix), ".")
		a.integer = func(t *taskset.Task, v int64) {
			leaf := taskset.ConfigNode{Name: steps[len(steps)-1], Text: strconv.FormatInt(v, 10)}
			t.Config = setPath(t.Config, steps, leaf)
		}
		return nil
	}
	if err := bounds.check(path+".from", a.from); err != nil {
		return err
	}
	return bounds.check(path+".to", a.at(a.steps-1))
}

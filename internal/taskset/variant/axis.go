package variant

import (
	"fmt"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// axis is what one sweep or draw varies, and the values that there are.
type axis struct {
	path      string // in the spec
	zip       string // name of the sweeps that advance together; "" for an axis of its own
	task      int    // index of the task, or noTask
	attribute string // as the sweep names it
	values    []alternative
	from      int64 // of a range, used when there are no values
	step      uint64
	steps     uint64 // number of values of the range
	integer   func(*taskset.Task, int64)
}

// noTask is the task of the axis that belongs to the generator.
const noTask = -1

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

// newSweep resolves one sweep.
func newSweep(path string, sweep v1alpha1.Sweep, r *resolver) (axis, error) {
	a := axis{path: path, attribute: sweep.Attribute, zip: sweep.Zip}
	if err := r.place(&a, sweep.Task); err != nil {
		return a, err
	}
	return a, a.setSweep(sweep.Values, sweep.Range)
}

func (a *axis) setSweep(values []apiextensionsv1.JSON, r *v1alpha1.IntegerRange) error {
	switch {
	case (r == nil) == (len(values) == 0):
		return fmt.Errorf("%s: give either values or range", a.path)
	case r != nil:
		return a.setRange(a.path+".range", r.From, r.To, r.Step)
	}
	return a.setValues(a.path+".values", values)
}

// overlaps reports whether two attributes of one task are the same thing, or one is a part of the other.
func overlaps(a, b string) bool {
	return strings.HasPrefix(a+".", b+".") || strings.HasPrefix(b+".", a+".")
}

func (a *axis) setValues(path string, values []apiextensionsv1.JSON) error {
	for j, raw := range values {
		value, err := newAlternative(fmt.Sprintf("%s[%d]", path, j), a.attribute, raw.Raw)
		if err != nil {
			return err
		}
		a.values = append(a.values, value)
	}
	return nil
}

func (a *axis) setRange(path string, from, to *int64, step int64) error {
	if from == nil || to == nil {
		return fmt.Errorf("%s: give both from and to", path)
	}
	if step == 0 {
		step = 1
	}
	if step < 0 || *to < *from {
		return fmt.Errorf("%s: %d to %d in steps of %d is no range; use from <= to and a step of at least 1", path, *from, *to, step)
	}
	span := uint64(*to) - uint64(*from)
	a.from, a.step = *from, uint64(step)
	if a.steps = span/a.step + 1; a.steps == 0 {
		return fmt.Errorf("%s: it has 2^64 values; leave some out", path)
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

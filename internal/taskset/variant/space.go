// Package variant addresses the variants of a campaign: a variant is a number, and its task-set is
// computed from that number alone, however many there are. It is pure.
//
// The product of the sweeps makes the variants. The number is read as a mixed-radix number with one
// digit for each sweep; the first sweep is the slowest digit, the last one the fastest, unless the
// campaign's order is Taskgen.
package variant

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Space is the space of variants of one campaign. It does not change once it is built, and may be
// used from any number of goroutines.
type Space struct {
	base   []taskset.Task
	axes   []axis  // the sweeps, in their own order
	digits []digit // of a variant's number, slowest first
	count  *big.Int
}

// Assignment says which value a sweep has in one variant.
type Assignment struct {
	Task      string // name of the task
	Attribute string // as the sweep names it
	Value     string // a text as it is, everything else as JSON
}

// Build checks a campaign and makes its space of variants. Errors name the field of the spec, its
// value and what to do. Defaults of the API are applied where the spec has none, so that a spec that
// never saw an API server works as well: quota 1Mi, numberOfJobs as completion.jobsPerTask, step 1.
//
// The rules of one target's generation are not applied here: see taskset.Check.
func Build(spec *v1alpha1.TaskSetSpec) (*Space, error) {
	base, err := baseTasks(spec)
	if err != nil {
		return nil, err
	}
	s := &Space{base: base, count: big.NewInt(1)}
	for i, sweep := range spec.Sweeps {
		a, err := newAxis(fmt.Sprintf("spec.sweeps[%d]", i), sweep, base, s.axes)
		if err != nil {
			return nil, err
		}
		s.axes = append(s.axes, a)
	}
	if s.digits, err = newDigits(spec.Order, s.axes); err != nil {
		return nil, err
	}
	for _, d := range s.digits {
		s.count.Mul(s.count, new(big.Int).SetUint64(d.size))
	}
	first, err := s.At(0)
	if err != nil {
		return nil, err
	}
	if err := taskset.Check(first, taskset.Auto); err != nil {
		return nil, fmt.Errorf("spec.%w", err)
	}
	return s, nil
}

// Count is the number of variants, at least 1. The result belongs to the caller.
func (s *Space) Count() *big.Int { return new(big.Int).Set(s.count) }

// At is the task-set of variant n, in time proportional to the number of tasks and sweeps. It fails
// when there is no such variant. Config trees may be shared between variants: do not change them.
func (s *Space) At(n uint64) ([]taskset.Task, error) {
	index, err := s.indices(n)
	if err != nil {
		return nil, err
	}
	tasks := slices.Clone(s.base)
	for i, a := range s.axes {
		a.apply(&tasks[a.task], index[i])
	}
	return tasks, nil
}

// Values lists what the sweeps are in variant n, in the order of the sweeps. It is empty when there
// is no such variant.
func (s *Space) Values(n uint64) []Assignment {
	index, err := s.indices(n)
	if err != nil {
		return nil
	}
	out := make([]Assignment, len(s.axes))
	for i, a := range s.axes {
		out[i] = Assignment{Task: s.base[a.task].Name, Attribute: a.attribute, Value: a.text(index[i])}
	}
	return out
}

// indices says which value each axis has in variant n.
func (s *Space) indices(n uint64) ([]uint64, error) {
	if s.count.IsUint64() && n >= s.count.Uint64() {
		return nil, fmt.Errorf("variant %d: there are only %s; use 0 to %[2]s minus one", n, s.count)
	}
	index := make([]uint64, len(s.axes))
	for _, d := range slices.Backward(s.digits) {
		for _, axis := range d.axes {
			index[axis] = n % d.size
		}
		n /= d.size
	}
	return index, nil
}

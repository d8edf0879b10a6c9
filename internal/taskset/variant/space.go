// Package variant addresses the variants of a campaign: a variant is a number, and its task-set is
// computed from that number alone, however many there are. It is pure.
//
// The product of the sweeps makes the variants. The number is read as a mixed-radix number with one
// digit for each sweep, or for all sweeps of one zip; the first sweep is the slowest digit, the last one
// the fastest, unless the campaign's order is Taskgen. Draws do not multiply: they are a function of the
// seed and the number. A sample is a part of the product in random order, still addressed by number.
//
// The generator's tasks are, like draws, a function of the seed and the number; only the sums of their
// utilizations are a sweep, slower than all others. Expressions leave out variants; the others keep their numbers.
//
// Blocks make tasks before any variant is looked at: each combination of one alternative of every list is a
// task. What varies in them is a sweep or a draw like any other, after those of the spec itself.
package variant

import (
	"fmt"
	"iter"
	"math/big"
	"slices"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/where"
)

// Space is the space of variants of one campaign. It does not change once it is built, and may be
// used from any number of goroutines.
type Space struct {
	base   []taskset.Task
	axes   []axis  // the sweeps, in their own order
	digits []digit // of a point, slowest first
	draws  []draw
	seed   int64

	generated *synthesis        // nil: none
	where     *where.Constraint // nil: every variant is run

	points  *big.Int // combinations of the sweeps' values
	sampled bool
	once    *big.Int // variants of one repetition
	count   *big.Int // variants
}

// Assignment says which value a sweep or a draw has in one variant. What the generator chose for all of its
// tasks together has the task "generator": the sum "utilization", and the number of "tasks" if that is drawn.
type Assignment struct {
	Task      string // name of the task
	Attribute string // as the sweep names it
	Value     string // a text as it is, everything else as JSON
}

// Option changes how Build makes a Space.
type Option func(*Space)

// DefaultSeed is the seed of a campaign whose spec has none; see SeedOf. Without it that is 0.
func DefaultSeed(seed int64) Option { return func(s *Space) { s.seed = seed } }

// Build checks a campaign and makes its space of variants. Errors name the field of the spec, its
// value and what to do. Defaults of the API are applied where the spec has none, so that a spec that
// never saw an API server works as well: quota 1Mi, numberOfJobs as completion.jobsPerTask, step 1.
//
// The rules of one target's generation are not applied here: see taskset.Check.
func Build(spec *v1alpha1.TaskSetSpec, options ...Option) (*Space, error) {
	base, made, err := baseTasks(spec)
	if err != nil {
		return nil, err
	}
	s := &Space{base: base}
	for _, option := range options {
		option(s)
	}
	if spec.Seed != nil {
		s.seed = *spec.Seed
	}
	if err := s.resolve(spec, made); err != nil {
		return nil, err
	}
	if err := s.measure(spec); err != nil {
		return nil, err
	}
	first, err := s.At(0)
	if err != nil {
		return nil, err
	}
	if err := s.check(spec, first); err != nil {
		return nil, err
	}
	if err := s.checkGenerated(spec); err != nil {
		return nil, err
	}
	return s, s.constrain(spec)
}

// check applies the rules that all generations share to the first variant.
func (s *Space) check(spec *v1alpha1.TaskSetSpec, first []taskset.Task) error {
	if err := taskset.Check(first, taskset.Auto); err != nil {
		if len(first) > len(spec.Tasks) { // most positions are not those of spec.tasks
			return err
		}
		return fmt.Errorf("spec.%w", err)
	}
	if a := spec.AdmissionControl; a != nil {
		if err := taskset.CheckAdmission(first, &taskset.Admission{Goal: string(a.Goal)}); err != nil {
			return fmt.Errorf("spec.%w", err)
		}
	}
	return nil
}

// resolve makes the axes of sweeps and draws: the generator's first, then those of the spec's own lists, then
// those of the blocks.
func (s *Space) resolve(spec *v1alpha1.TaskSetSpec, made []madeTask) error {
	r := newResolver(s.base)
	axes, draws, err := varyingOf(made, r)
	if err != nil {
		return err
	}
	if s.generated, err = newSynthesis(spec, s.base); err != nil {
		return err
	}
	s.axes = s.generated.axes()
	for i, sweep := range spec.Sweeps {
		a, err := newSweep(fmt.Sprintf("spec.sweeps[%d]", i), sweep, r)
		if err != nil {
			return err
		}
		s.axes = append(s.axes, a)
	}
	for i, d := range spec.Draws {
		drawn, err := newDraw(fmt.Sprintf("spec.draws[%d]", i), d, r)
		if err != nil {
			return err
		}
		s.draws = append(s.draws, drawn)
	}
	s.axes, s.draws = append(s.axes, axes...), append(s.draws, draws...)
	s.digits, err = newDigits(spec.Order, s.axes)
	return err
}

// Count is the number of variants, at least 1, those that Admits leaves out included. The result belongs to
// the caller.
func (s *Space) Count() *big.Int { return new(big.Int).Set(s.count) }

// Seed is the seed of what is random, and whether anything is.
func (s *Space) Seed() (int64, bool) { return s.seed, s.sampled || s.drawn() }

// drawn reports whether variants with the same values of the sweeps may differ.
func (s *Space) drawn() bool { return len(s.draws) > 0 || s.generated != nil }

// At is the task-set of variant n, in time proportional to the number of tasks, sweeps and draws. It
// fails when there is no such variant. Config trees may be shared between variants: do not change them.
func (s *Space) At(n uint64) ([]taskset.Task, error) {
	index, err := s.indices(n)
	if err != nil {
		return nil, err
	}
	tasks := slices.Clone(s.base)
	for i, a := range s.varied() {
		if a.task != noTask {
			a.apply(&tasks[a.task], index[i])
		}
	}
	if s.generated == nil {
		return tasks, nil
	}
	var total uint64 // which of the sums of utilizations
	if s.generated.load != nil {
		total = index[0]
	}
	i := s.within(n)
	return s.generated.extend(tasks, s.seed, i, s.generated.count(s.seed, i), total)
}

// Values lists what the sweeps and then the draws are in variant n, in the order of the spec. It is
// empty when there is no such variant.
func (s *Space) Values(n uint64) []Assignment {
	index, err := s.indices(n)
	if err != nil {
		return nil
	}
	out := make([]Assignment, len(index))
	for i, a := range s.varied() {
		out[i] = Assignment{Task: s.nameOf(a), Attribute: a.attribute, Value: a.text(index[i])}
	}
	return append(out, s.generated.counted(s.seed, s.within(n))...)
}

// nameOf is the name of an axis' task.
func (s *Space) nameOf(a *axis) string {
	if a.task == noTask {
		return generatorName
	}
	return s.base[a.task].Name
}

// varied counts through the axes of the sweeps and then of the draws.
func (s *Space) varied() iter.Seq2[int, *axis] {
	return func(yield func(int, *axis) bool) {
		for i := range s.axes {
			if !yield(i, &s.axes[i]) {
				return
			}
		}
		for i := range s.draws {
			if !yield(len(s.axes)+i, &s.draws[i].axis) {
				return
			}
		}
	}
}

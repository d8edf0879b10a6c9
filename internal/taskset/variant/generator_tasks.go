package variant

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/generator"
)

// Attributes that a load decides.
const (
	attributePeriod    = "periodMilliseconds"
	attributeExecution = "executionTimeMilliseconds"
	attributeDeadline  = "deadlineMilliseconds"
)

// decides reports whether the load sets the attribute, a part of it or what it is a part of.
func (l *load) decides(attribute string) bool {
	if l == nil {
		return false
	}
	for _, mine := range []string{attributePeriod, attributeExecution, l.attribute} {
		if mine != "" && overlaps(mine, attribute) && attribute != attributeConfig {
			return true
		}
	}
	return l.implicit && attribute == attributeDeadline
}

// checkPrototype refuses a template in which the load's attribute has no place.
func (l *load) checkPrototype(path string, t *taskset.Task) error {
	if l == nil || l.attribute == "" {
		return nil
	}
	return checkAttribute(path+".set: loadAttribute", l.attribute, t.Config)
}

// apply gives a task its share.
func (l *load) apply(t *taskset.Task, period int64, utilization float64) {
	execution := generator.ExecutionTime(period, utilization)
	t.Period, t.ExecutionTime = uint32(period), uint32(execution)
	if l.implicit {
		t.Deadline = t.Period
	}
	if l.attribute != "" {
		l.set.integer(t, execution*l.perMS)
	}
}

// Whatever is generated depends on the seed, the number within the repetition and its position:
//
//	0                the number of tasks
//	1                the utilizations, one after the other
//	32(k+1)          the template of task k
//	32(k+1) + 1      the period of task k
//	32(k+1) + 2 + j  draw j of task k's template
const (
	positionCount        = 0
	positionUtilizations = 1
	positionsPerTask     = 32 // a template has at most 16 draws
)

// count is how many tasks there are in number i of a repetition.
func (y *synthesis) count(seed int64, i uint64) int {
	r := newRandom(purposeGenerator, seed, i, positionCount)
	return int(y.from) + int(r.Uint64N(uint64(y.to-y.from)+1))
}

// counted says how many tasks there are, if that is drawn.
func (y *synthesis) counted(seed int64, i uint64) []Assignment {
	if y == nil || y.from == y.to {
		return nil
	}
	return []Assignment{{Task: generatorName, Attribute: attributeTasks, Value: strconv.Itoa(y.count(seed, i))}}
}

// extend appends count tasks of number i of a repetition; total is the index of their utilizations' sum.
func (y *synthesis) extend(tasks []taskset.Task, seed int64, i uint64, count int, total uint64) ([]taskset.Task, error) {
	var utilizations []float64
	if y.load != nil {
		r := newRandom(purposeGenerator, seed, i, positionUtilizations)
		var err error
		if utilizations, err = y.load.draw(&r, count, y.load.sums[total]); err != nil {
			return nil, fmt.Errorf("spec.generator.utilization: %w", err)
		}
	}
	for k := range count {
		position := positionsPerTask * (uint64(k) + 1)
		r := newRandom(purposeGenerator, seed, i, position)
		p := &y.templates[r.Uint64N(uint64(len(y.templates)))]
		t := p.task
		t.ID, t.Name = y.first+k, generatedName(k)
		if y.load != nil {
			r := newRandom(purposeGenerator, seed, i, position+1)
			y.load.apply(&t, y.load.periods(&r), utilizations[k])
		}
		for j := range p.draws {
			r := newRandom(purposeGenerator, seed, i, position+2+uint64(j))
			p.draws[j].apply(&t, p.draws[j].pick(&r))
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// axes of the generator: the sums of the utilizations, or none.
func (y *synthesis) axes() []axis {
	if y == nil || y.load == nil {
		return nil
	}
	return []axis{y.load.totals}
}

// checkGenerated applies the rules that all generations share to every template and to the largest number
// of tasks, because the first variant need not have them.
func (s *Space) checkGenerated(spec *v1alpha1.TaskSetSpec) error {
	if s.generated == nil {
		return nil
	}
	for i, p := range s.generated.templates {
		p.task.Name = fmt.Sprintf("spec.generator.templates[%d]", i)
		if err := taskset.Check([]taskset.Task{p.task}, taskset.Auto); err != nil {
			return err
		}
	}
	most, err := s.generated.extend(slices.Clone(s.base), s.seed, 0, int(s.generated.to), 0)
	if err != nil {
		return err
	}
	return s.check(spec, most)
}

package variant

import (
	"fmt"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/generator"
)

// periodBounds are those of a task that is released again and again.
var periodBounds = number{min: 1, max: taskset.MaxTime}

// newPeriods reads spec.generator.utilization.periods, and says how long the longest one can be.
func newPeriods(path string, p *v1alpha1.GeneratedPeriods) (generator.Periods, int64, error) {
	if p.Distribution == v1alpha1.PeriodsDiscrete {
		return listedPeriods(path+".valuesMilliseconds", p.ValuesMilliseconds)
	}
	interval := path + ".betweenMilliseconds"
	between := p.BetweenMilliseconds
	if between == nil || between.From == nil || between.To == nil {
		return nil, 0, fmt.Errorf("%s: give both from and to", interval)
	}
	from, to := *between.From, *between.To
	if err := periodBounds.check(interval+".from", from); err != nil {
		return nil, 0, err
	}
	if err := periodBounds.check(interval+".to", to); err != nil {
		return nil, 0, err
	}
	if from > to {
		return nil, 0, fmt.Errorf("%s: %d to %d is no interval; use from <= to", interval, from, to)
	}
	periods, err := betweenPeriods(path, p.Distribution, from, to)
	return periods, to, err
}

func betweenPeriods(path string, by v1alpha1.PeriodDistribution, from, to int64) (generator.Periods, error) {
	switch by {
	case v1alpha1.PeriodsUniform:
		return generator.Uniform(from, to)
	case v1alpha1.PeriodsLogUniform:
		return generator.LogUniform(from, to, 1)
	case v1alpha1.PeriodsHarmonic:
		return generator.Harmonic(from, 2, to)
	}
	return nil, fmt.Errorf("%s.distribution: %q is not known; use Uniform, LogUniform, Discrete or Harmonic", path, by)
}

func listedPeriods(path string, values []int32) (generator.Periods, int64, error) {
	var longest int64
	all := make([]int64, len(values))
	for i, v := range values {
		all[i] = int64(v)
		if err := periodBounds.check(fmt.Sprintf("%s[%d]", path, i), all[i]); err != nil {
			return nil, 0, err
		}
		longest = max(longest, all[i])
	}
	if len(all) == 0 {
		return nil, 0, fmt.Errorf("%s: there are none; list at least one", path)
	}
	periods, err := generator.Discrete(all...)
	return periods, longest, err
}

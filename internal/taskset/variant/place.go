package variant

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// A variant's number is taken apart in this order: the repetition is the slowest part, then the number
// within the repetition, to which the draws belong; that is, or is permuted into, the point, the number
// of a combination of the sweeps' values.

// measure counts points, variants of one repetition, and all variants.
func (s *Space) measure(spec *v1alpha1.TaskSetSpec) error {
	s.points = big.NewInt(1)
	for _, d := range s.digits {
		s.points.Mul(s.points, new(big.Int).SetUint64(d.size))
	}
	s.once = s.points
	if spec.Sample != nil {
		if err := s.setSample("spec.sample.count", spec.Sample.Count); err != nil {
			return err
		}
	}
	if spec.Repeat < 0 {
		return fmt.Errorf("spec.repeat: %d is out of range; use at least 1", spec.Repeat)
	}
	s.count = new(big.Int).Mul(s.once, big.NewInt(int64(max(spec.Repeat, 1))))
	return nil
}

func (s *Space) setSample(path string, count int64) error {
	if count < 1 {
		return fmt.Errorf("%s: %d is out of range; use at least 1", path, count)
	}
	s.once, s.sampled = big.NewInt(count), true
	if s.once.Cmp(s.points) > 0 && !s.drawn() {
		return fmt.Errorf("%s: %s is more than the %s combinations that the sweeps make, and without draws or a generator each is run once; use at most %[3]s, or repeat", path, s.once, s.points)
	}
	return nil
}

// within is the number of variant n within its repetition.
func (s *Space) within(n uint64) uint64 {
	if s.once.IsUint64() {
		return n % s.once.Uint64()
	}
	return n
}

// point is the combination of the sweeps' values that number i of a repetition has.
func (s *Space) point(i uint64) *big.Int {
	x := new(big.Int).SetUint64(i)
	if !s.sampled {
		return x
	}
	var pass uint64
	if s.points.IsUint64() {
		size := s.points.Uint64()
		pass = i / size
		x.SetUint64(i % size)
	}
	return newPermutation(s.points, s.seed, pass).to(x)
}

// indices says which value each axis of varied has in variant n.
func (s *Space) indices(n uint64) ([]uint64, error) {
	if s.count.IsUint64() && n >= s.count.Uint64() {
		return nil, fmt.Errorf("variant %d: there are only %s; use 0 to %s", n, s.count, new(big.Int).Sub(s.count, big.NewInt(1)))
	}
	i := s.within(n)
	index := make([]uint64, len(s.axes)+len(s.draws))
	for k := range s.draws {
		index[len(s.axes)+k] = s.draws[k].index(s.seed, i, uint64(k))
	}
	rest, rem, size := s.point(i), new(big.Int), new(big.Int)
	for _, d := range slices.Backward(s.digits) {
		rest.QuoRem(rest, size.SetUint64(d.size), rem)
		for _, axis := range d.axes {
			index[axis] = rem.Uint64()
		}
	}
	return index, nil
}

// IndexOf is the smallest number of a variant in which the sweeps have these values, as Values spells
// them, in any order. What is drawn is ignored. It fails when a sweep's value is missing or not one of
// its values, and when the combination is not in the sample.
func (s *Space) IndexOf(values []Assignment) (uint64, error) {
	texts, err := s.texts(values)
	if err != nil {
		return 0, err
	}
	x := new(big.Int)
	for _, d := range s.digits {
		i, ok := s.find(d, texts)
		if !ok {
			a := &s.axes[d.axes[0]]
			return 0, fmt.Errorf("%s: %s.%s never has the value %s, or not together with the others of its zip", a.path, s.nameOf(a), a.attribute, shorten([]byte(texts[d.axes[0]])))
		}
		x.Mul(x, new(big.Int).SetUint64(d.size))
		x.Add(x, new(big.Int).SetUint64(i))
	}
	if s.sampled {
		x = newPermutation(s.points, s.seed, 0).from(x)
	}
	if x.Cmp(s.once) >= 0 {
		return 0, fmt.Errorf("spec.sample: the combination is not among the %s that are run", s.once)
	}
	if !x.IsUint64() {
		return 0, fmt.Errorf("variant %s: numbers have at most 64 bits; use spec.sample", x)
	}
	return x.Uint64(), nil
}

// texts are the values of the sweeps, in their own order.
func (s *Space) texts(values []Assignment) ([]string, error) {
	type key struct{ task, attribute string }
	given := make(map[key]string, len(values))
	for _, v := range slices.Backward(values) { // the first of two counts
		given[key{v.Task, v.Attribute}] = v.Value
	}
	texts := make([]string, len(s.axes))
	for i := range s.axes {
		a := &s.axes[i]
		text, there := given[key{s.nameOf(a), a.attribute}]
		if !there {
			return nil, fmt.Errorf("%s: the value of %s.%s is missing; give one", a.path, s.nameOf(a), a.attribute)
		}
		texts[i] = text
	}
	return texts, nil
}

// find is the digit for which each of its axes has its text.
func (s *Space) find(d digit, texts []string) (uint64, bool) {
	matches := func(i uint64) bool {
		return !slices.ContainsFunc(d.axes, func(a int) bool { return s.axes[a].text(i) != texts[a] })
	}
	for _, a := range d.axes {
		if axis := &s.axes[a]; axis.values == nil {
			v, err := strconv.ParseInt(texts[a], 10, 64)
			i := (uint64(v) - uint64(axis.from)) / axis.step
			return i, err == nil && v >= axis.from && i < d.size && matches(i)
		}
	}
	for i := range d.size { // listed: at most as many as the API takes
		if matches(i) {
			return i, true
		}
	}
	return 0, false
}

package variant

import (
	"fmt"
	"math"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// draw is an axis whose value is drawn.
type draw struct {
	axis
	logarithmic bool
}

// newDraw resolves one draw.
func newDraw(path string, d v1alpha1.Draw, base []taskset.Task, before []*axis) (draw, error) {
	given := 0
	for _, is := range []bool{d.Uniform != nil, d.LogUniform != nil, len(d.Choice) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return draw{}, fmt.Errorf("%s: give exactly one of uniform, logUniform and choice", path)
	}
	a, err := newAxis(path, d.Task, d.Attribute, base, before)
	if err != nil {
		return draw{}, err
	}
	out := draw{axis: a, logarithmic: d.LogUniform != nil}
	switch {
	case d.Uniform != nil:
		err = out.setRange(path+".uniform", d.Uniform.From, d.Uniform.To, 1)
	case d.LogUniform != nil:
		if from := d.LogUniform.From; from != nil && *from < 1 {
			return out, fmt.Errorf("%s.logUniform.from: %d is out of range; use at least 1, because 0 has no logarithm", path, *from)
		}
		err = out.setRange(path+".logUniform", d.LogUniform.From, d.LogUniform.To, 1)
	default:
		err = out.setValues(path+".choice", d.Choice)
	}
	return out, err
}

// index draws for draw number position of number n.
func (d *draw) index(seed int64, n, position uint64) uint64 {
	r := newRandom(purposeDraw, seed, n, position)
	if d.logarithmic {
		return d.logIndex(r.unit())
	}
	return r.below(d.size())
}

// logIndex is the index of the whole part of from*((to+1)/from)^u. That is how Emberson, Stafford and
// Davis draw periods (Techniques for the Synthesis of Multiprocessor Tasksets, WATERS 2010), with a
// granularity of 1: the number v has the probability ln((v+1)/v) / ln((to+1)/from). Beyond 2^53 the
// result has the granularity of floating point.
func (d *draw) logIndex(u float64) uint64 {
	from, to := float64(d.from), float64(d.at(d.steps-1))
	v := math.Floor(math.Exp(math.Log(from) + u*(math.Log(to+1)-math.Log(from))))
	switch {
	case v <= from:
		return 0
	case v >= to:
		return d.steps - 1
	}
	return uint64(int64(v) - d.from)
}

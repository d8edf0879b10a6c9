package variant

import (
	"fmt"
	"math"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// draw is an axis whose value is drawn.
type draw struct {
	axis
	logarithmic bool
}

// newDraw resolves one draw.
func newDraw(path string, d v1alpha1.Draw, r *resolver) (draw, error) {
	out := draw{axis: axis{path: path, attribute: d.Attribute}}
	if err := r.place(&out.axis, d.Task); err != nil {
		return out, err
	}
	return out, out.setDraw(d.Uniform, d.LogUniform, d.Choice)
}

func (d *draw) setDraw(uniform, logUniform *v1alpha1.IntegerInterval, choice []apiextensionsv1.JSON) error {
	given := 0
	for _, is := range []bool{uniform != nil, logUniform != nil, len(choice) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return fmt.Errorf("%s: give exactly one of uniform, logUniform and choice", d.path)
	case uniform != nil:
		return d.setRange(d.path+".uniform", uniform.From, uniform.To, 1)
	case logUniform != nil:
		if from := logUniform.From; from != nil && *from < 1 {
			return fmt.Errorf("%s.logUniform.from: %d is out of range; use at least 1, because 0 has no logarithm", d.path, *from)
		}
		d.logarithmic = true
		return d.setRange(d.path+".logUniform", logUniform.From, logUniform.To, 1)
	}
	return d.setValues(d.path+".choice", choice)
}

// index draws for draw number position of number n.
func (d *draw) index(seed int64, n, position uint64) uint64 {
	r := newRandom(purposeDraw, seed, n, position)
	return d.pick(&r)
}

// pick draws the index of a value.
func (d *draw) pick(r *random) uint64 {
	if d.logarithmic {
		return d.logIndex(r.Float64())
	}
	return r.Uint64N(d.size())
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

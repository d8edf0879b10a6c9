package sched

import (
	"math/bits"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// part is whole*numerator/denominator, rounded down, and the remainder. The product may have 128 bits; the
// numerator is at most the denominator, and nothing is negative.
func part(whole, numerator, denominator sim.Time) (quotient, remainder sim.Time) {
	hi, lo := bits.Mul64(uint64(whole), uint64(numerator))
	q, r := bits.Div64(hi, lo, uint64(denominator))
	return sim.Time(q), sim.Time(r)
}

// quotient is (a*b-c)/d.
func quotient(a, b, c, d sim.Time) rate {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	lo, borrow := bits.Sub64(lo, uint64(c), 0)
	q, r := bits.Div64(hi-borrow, lo, uint64(d))
	f, _ := bits.Div64(r, 0, uint64(d))
	return rate{int64(q), f}
}

// rate is how much of processors is needed, in fixed point: whole ones, and 64 bits of a fraction. Rates of tasks
// are rounded down, by less than 2^-64: what fits exactly still does, and the error adds up to less than a nanosecond
// in the longest simulation.
type rate struct {
	whole    int64
	fraction uint64
}

// rateOf is work/window; the work is not more than the window.
func rateOf(work, window sim.Time) rate {
	if work >= window {
		return rate{whole: 1}
	}
	q, _ := bits.Div64(uint64(work), 0, uint64(window))
	return rate{fraction: q}
}

func (r rate) add(o rate) rate {
	f, carry := bits.Add64(r.fraction, o.fraction, 0)
	return rate{r.whole + o.whole + int64(carry), f}
}

func (r rate) minus(o rate) rate {
	f, borrow := bits.Sub64(r.fraction, o.fraction, 0)
	return rate{r.whole - o.whole - int64(borrow), f}
}

func (r rate) compare(o rate) int {
	switch {
	case r.whole != o.whole:
		return int(r.whole - o.whole)
	case r.fraction < o.fraction:
		return -1
	case r.fraction > o.fraction:
		return 1
	}
	return 0
}

// times is the work that is done at this rate in a span of time.
func (r rate) times(span sim.Time) rate {
	hi, lo := bits.Mul64(r.fraction, uint64(span))
	return rate{r.whole*span + int64(hi), lo}
}

// hair is what fixed point may be off: a number so close below a whole one counts as that.
const hair = 1 << 56

// floor is the whole number at or below.
func (r rate) floor() sim.Time { return r.add(rate{fraction: hair}).whole }

package generator

import (
	"fmt"
	"math"
	"slices"
)

// Periods draws one period, at least 1.
type Periods func(Source) int64

// maxPeriod keeps periods exact in floating point.
const maxPeriod = 1 << 53

func checkInterval(from, to int64) error {
	if from < 1 || to < from || to > maxPeriod {
		return fmt.Errorf("period: %d to %d is no interval; use 1 <= from <= to <= 2^53", from, to)
	}
	return nil
}

// Uniform draws each whole number from from to to, both included, with the same probability.
func Uniform(from, to int64) (Periods, error) {
	if err := checkInterval(from, to); err != nil {
		return nil, err
	}
	return func(r Source) int64 { return from + int64(r.Uint64N(uint64(to-from)+1)) }, nil
}

// LogUniform draws a multiple of granularity from from to to, which are multiples of it themselves,
// so that each order of magnitude is equally probable: the whole part of exp(x) / granularity, with x
// uniform from ln(from) to ln(to + granularity) (Emberson, Stafford and Davis, WATERS 2010).
func LogUniform(from, to, granularity int64) (Periods, error) {
	if err := checkInterval(from, to); err != nil {
		return nil, err
	}
	if granularity < 1 || from%granularity != 0 || to%granularity != 0 {
		return nil, fmt.Errorf("granularity: %d does not divide %d and %d; use a divisor of both", granularity, from, to)
	}
	low, high := math.Log(float64(from)), math.Log(float64(to+granularity))
	return func(r Source) int64 {
		period := int64(math.Exp(low+r.Float64()*(high-low))) / granularity * granularity
		return min(max(period, from), to)
	}, nil
}

// Discrete draws one of the listed periods, each with the same probability.
func Discrete(periods ...int64) (Periods, error) {
	if len(periods) == 0 {
		return nil, fmt.Errorf("periods: there are none; list at least one")
	}
	for _, p := range periods {
		if err := checkInterval(p, p); err != nil {
			return nil, err
		}
	}
	own := slices.Clone(periods)
	return func(r Source) int64 { return own[r.Uint64N(uint64(len(own)))] }, nil
}

// Harmonic draws base times a power of factor, up to to, each with the same probability: of any two
// periods one divides the other, and the hyperperiod is the longest period.
func Harmonic(base, factor, to int64) (Periods, error) {
	if err := checkInterval(base, to); err != nil {
		return nil, err
	}
	if factor < 2 {
		return nil, fmt.Errorf("factor: %d is out of range; use at least 2", factor)
	}
	periods := []int64{base}
	for base <= to/factor {
		base *= factor
		periods = append(periods, base)
	}
	return Discrete(periods...)
}

// Dividing draws a period from from to to that divides the hyperperiod, each with the same probability, so that the
// hyperperiod of any such tasks divides it, too. (Goossens and Macq, Limitation of the Hyper-Period in Real-Time Periodic
// Task Set Generation, RTS Embedded Systems 2001, multiply prime powers to the same end.)
func Dividing(hyperperiod, from, to int64) (Periods, error) {
	const most = 1 << 40 // so that looking for divisors takes a moment only
	if err := checkInterval(from, to); err != nil {
		return nil, err
	}
	if hyperperiod < 1 || hyperperiod > most {
		return nil, fmt.Errorf("hyperperiod: %d is out of range; use 1 to 2^40", hyperperiod)
	}
	var periods []int64
	for d := int64(1); d*d <= hyperperiod; d++ {
		if hyperperiod%d != 0 {
			continue
		}
		for _, p := range []int64{d, hyperperiod / d} {
			if p >= from && p <= to {
				periods = append(periods, p)
			}
		}
	}
	slices.Sort(periods)
	if len(periods) == 0 {
		return nil, fmt.Errorf("hyperperiod: no divisor of %d is from %d to %d; use a number with more divisors", hyperperiod, from, to)
	}
	return Discrete(slices.Compact(periods)...)
}

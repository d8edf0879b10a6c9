package analysis

import (
	"math"
	"math/big"
)

// LiuLayland reports whether rate-monotonic priorities are safe because U <= n(2^(1/n) - 1). It needs
// deadlines of at least a period; with a shorter one it is false. (Liu and Layland, Scheduling Algorithms
// for Multiprogramming in a Hard-Real-Time Environment, JACM 20(1), 1973.)
func LiuLayland(s Set) bool {
	if !s.implicit() {
		return false
	}
	u, _ := s.Utilization().Float64()
	return u <= LiuLaylandBound(len(s))
}

// LiuLaylandBound is n(2^(1/n) - 1): 1 for one task, towards ln 2 for many.
func LiuLaylandBound(n int) float64 {
	return float64(n) * (math.Exp2(1/float64(n)) - 1)
}

// Hyperbolic reports whether rate-monotonic priorities are safe because the product of all u+1 is at most
// 2. It needs deadlines of at least a period; with a shorter one it is false. (Bini, Buttazzo and
// Buttazzo, Rate Monotonic Analysis: The Hyperbolic Bound, IEEE TC 52(7), 2003.)
func Hyperbolic(s Set) bool {
	if !s.implicit() {
		return false
	}
	product, one := big.NewRat(1, 1), big.NewRat(1, 1)
	for _, t := range s {
		factor := big.NewRat(t.C, t.T)
		product.Mul(product, factor.Add(factor, one))
	}
	return product.Cmp(big.NewRat(2, 1)) <= 0
}

// implicit reports whether no deadline is shorter than its period, and nothing delays a release.
func (s Set) implicit() bool {
	for _, t := range s {
		if t.D < t.T || t.J > 0 || t.B > 0 {
			return false
		}
	}
	return true
}

// Hyperperiod is the least common multiple of all periods; it may have any number of digits.
func Hyperperiod(s Set) *big.Int {
	h, gcd := big.NewInt(1), new(big.Int)
	for _, t := range s {
		period := big.NewInt(t.T)
		gcd.GCD(nil, nil, h, period)
		h.Mul(h, period.Quo(period, gcd))
	}
	return h
}

package generator

import "math/big"

// Acceptance is the probability that UUniFast draws count utilizations with this sum of which none exceeds
// most. UUniFastDiscard needs 1/Acceptance attempts on average. With x = most/sum it is
//
//	sum over k = 0, 1, ... while k*x < 1 of (-1)^k * binomial(count, k) * (1 - k*x)^(count-1)
//
// which is Fisher's distribution of the largest part of a randomly broken stick (Tests of Significance in
// Harmonic Analysis, 1929). The terms are huge and cancel out, so that it is computed with as many bits as
// the largest of them has, and 64 more.
func Acceptance(count int, sum, most float64) float64 {
	if count < 1 || !(sum > 0) || !(most > 0) || sum > float64(count)*most {
		return 0
	}
	if sum <= most {
		return 1
	}
	precision := uint(count) + 64 // a binomial is less than 2^count
	float := func(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }
	x := float(most)
	x.Quo(x, float(sum))
	total, binomial, rest := float(0), float(1), float(1)
	for k := 0; k <= count && rest.Sign() > 0; k++ {
		term := power(rest, count-1)
		term.Mul(term, binomial)
		if k%2 == 1 {
			term.Neg(term)
		}
		total.Add(total, term)
		binomial.Mul(binomial, float(float64(count-k)))
		binomial.Quo(binomial, float(float64(k+1)))
		rest.Sub(rest, x)
	}
	p, _ := total.Float64()
	return min(max(p, 0), 1)
}

// power is x to the n.
func power(x *big.Float, n int) *big.Float {
	out := new(big.Float).SetPrec(x.Prec()).SetInt64(1)
	square := new(big.Float).Set(x)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out.Mul(out, square)
		}
		square.Mul(square, square)
	}
	return out
}

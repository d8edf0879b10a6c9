package variant

import "math/big"

// rounds of the permutation. Luby and Rackoff need 4 (How to Construct Pseudorandom Permutations,
// SIAM J. Comput. 1988); small domains are mixed better by more.
const rounds = 10

const purposeSample = "genode-operator/sample/1"

// permutation reorders the numbers 0 to n-1 at random without a table: the generalised Feistel network
// of Black and Rogaway (Ciphers with Arbitrary Finite Domains, CT-RSA 2002). A number x is split into
// left = x mod a and right = x div a, with a = ceil(sqrt(n)) and b = ceil(n/a); round 0 adds a random
// function of right to left modulo a, round 1 one of left to right modulo b, and so on. As a*b may
// exceed n by less than a, a result that is not below n goes through again until one is.
type permutation struct {
	n, a, b *big.Int
	seed    int64
	pass    uint64 // another pass is another permutation
}

// newPermutation makes a permutation of n > 0 numbers.
func newPermutation(n *big.Int, seed int64, pass uint64) permutation {
	one := big.NewInt(1)
	last := new(big.Int).Sub(n, one)
	a := new(big.Int).Sqrt(last) // ceil(sqrt(n)) = floor(sqrt(n-1)) + 1
	a.Add(a, one)
	b := new(big.Int).Quo(last, a)
	return permutation{n: n, a: a, b: b.Add(b, one), seed: seed, pass: pass}
}

// to is the number that x becomes.
func (p permutation) to(x *big.Int) *big.Int {
	x = p.once(x, false)
	for x.Cmp(p.n) >= 0 {
		x = p.once(x, false)
	}
	return x
}

// from is the number that becomes y.
func (p permutation) from(y *big.Int) *big.Int {
	y = p.once(y, true)
	for y.Cmp(p.n) >= 0 {
		y = p.once(y, true)
	}
	return y
}

// once goes through all rounds, or back through them.
func (p permutation) once(x *big.Int, back bool) *big.Int {
	left, right := new(big.Int), new(big.Int)
	right.QuoRem(x, p.a, left)
	for i := range uint64(rounds) {
		round := i
		if back {
			round = rounds - 1 - i
		}
		changed, by, modulus := left, right, p.a
		if round%2 == 1 {
			changed, by, modulus = right, left, p.b
		}
		f := p.function(round, by, modulus)
		if back {
			f.Neg(f)
		}
		changed.Mod(changed.Add(changed, f), modulus)
	}
	return right.Add(right.Mul(right, p.a), left)
}

// function is a number that depends on round and x: hashes as in random, with x (big-endian, no
// leading zeros) before the counter, one after the other as one big-endian number, modulo the modulus.
// There are at least 64 bits more than the modulus has, so that no number is noticeably preferred.
func (p permutation) function(round uint64, x, modulus *big.Int) *big.Int {
	r := newRandom(purposeSample, p.seed, p.pass, round)
	r.message = append(r.message, x.Bytes()...)
	var digest []byte
	for len(digest)*8 < modulus.BitLen()+64 {
		sum := r.block()
		digest = append(digest, sum[:]...)
	}
	f := new(big.Int).SetBytes(digest)
	return f.Mod(f, modulus)
}

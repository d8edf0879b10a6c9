package variant

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestThePermutationReachesEachNumberOnce(t *testing.T) {
	for n := int64(1); n <= 300; n++ {
		p := newPermutation(big.NewInt(n), 42, 0)
		seen := make([]bool, n)
		for x := range n {
			y := p.to(big.NewInt(x))
			if !y.IsInt64() || y.Int64() >= n || seen[y.Int64()] {
				t.Fatalf("of %d numbers, %d becomes %s, which is too large or was there before", n, x, y)
			}
			seen[y.Int64()] = true
			if back := p.from(y); back.Int64() != x {
				t.Fatalf("of %d numbers, %s comes from %d, not %s", n, y, x, back)
			}
		}
	}
}

func TestThePermutationIsInvertibleWhateverItsSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(label string, atMost int) *big.Int {
			return new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, atMost).Draw(t, label))
		}
		n := number("n", 130)
		n.Add(n, big.NewInt(1))
		x := number("x", 130)
		x.Mod(x, n)
		p := newPermutation(n, rapid.Int64Min(0).Draw(t, "seed"), rapid.Uint64().Draw(t, "pass"))
		before := new(big.Int).Set(x)
		y := p.to(x)
		if x.Cmp(before) != 0 {
			t.Fatal("the argument was changed")
		}
		if y.Cmp(n) >= 0 || y.Sign() < 0 {
			t.Fatalf("%s becomes %s, beyond %s", x, y, n)
		}
		if back := p.from(y); back.Cmp(x) != 0 {
			t.Fatalf("%s becomes %s, which comes from %s", x, y, back)
		}
	})
}

// TestThePermutationIsWhatAnybodyElseComputes compares with a program in Python that follows the documentation.
func TestThePermutationIsWhatAnybodyElseComputes(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 1000)
	cases := map[string]struct {
		n    *big.Int
		seed int64
		pass uint64
		want []string // numbers that 0, 1, ... become
	}{
		"ten":              {big.NewInt(10), 42, 0, []string{"5", "4", "6", "3", "9", "7", "2", "0", "8", "1"}},
		"ten, second pass": {big.NewInt(10), 42, 1, []string{"8", "4", "2", "1", "9", "5", "3", "0", "6", "7"}},
		"a million":        {big.NewInt(1_000_000), 7, 0, []string{"733281", "363855", "583070"}},
		"2^128":            {new(big.Int).Lsh(big.NewInt(1), 128), 7, 0, []string{"8471981736889981695235966198532641059", "84217295557867776645442586468663643211"}},
		"2^1000":           {huge, 7, 0, []string{"935401230268732273915610948171974465001139239411121569591474789923804568291192547618477725675711297874863300214836503518155644131959575105979096936739342318936634436122681445521394049260948876558826030038599583307667476262083189184202799938422743414059957508989895518345361932473460652962064867956186"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newPermutation(tc.n, tc.seed, tc.pass)
			for x, want := range tc.want {
				if got := p.to(big.NewInt(int64(x))); got.String() != want {
					t.Errorf("%d becomes %s, want %s", x, got, want)
				}
			}
		})
	}
}

// TestEveryPlaceIsEquallyProbable counts where each of a few numbers goes for 5,000 seeds.
func TestEveryPlaceIsEquallyProbable(t *testing.T) {
	const seeds = 5000
	for _, n := range []int64{3, 7, 10, 12} {
		counts := make([][]float64, n)
		for x := range counts {
			counts[x] = make([]float64, n)
		}
		for seed := range int64(seeds) {
			p := newPermutation(big.NewInt(n), seed, 0)
			for x := range n {
				counts[x][p.to(big.NewInt(x)).Int64()]++
			}
		}
		probability := 1 / float64(n)
		want, sigma := seeds*probability, math.Sqrt(seeds*probability*(1-probability))
		for x := range counts {
			for y, got := range counts[x] {
				if math.Abs(got-want) > 4.5*sigma {
					t.Errorf("of %d numbers, %d became %d for %g of %d seeds, want about %.0f", n, x, y, got, seeds, want)
				}
			}
		}
	}
}

func BenchmarkPermutation(b *testing.B) {
	for name, bits := range map[string]uint{"2^20": 20, "2^64": 64, "2^128": 128, "2^1024": 1024} {
		b.Run(name, func(b *testing.B) {
			p := newPermutation(new(big.Int).Lsh(big.NewInt(1), bits), 42, 0)
			for x := int64(0); b.Loop(); x++ {
				p.to(big.NewInt(x & 0xfffff))
			}
		})
	}
}

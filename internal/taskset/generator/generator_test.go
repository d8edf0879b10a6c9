package generator_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/taskset/generator"
)

func newSource(seed int64, number uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), number))
}

// algorithm draws utilizations.
type algorithm func(r generator.Source, count int, sum, most float64) ([]float64, error)

// uUniFast has no bound but its sum.
func uUniFast(r generator.Source, count int, sum, _ float64) ([]float64, error) {
	return generator.UUniFast(r, count, sum)
}

var algorithms = map[string]algorithm{
	"UUniFast": uUniFast, "UUniFastDiscard": generator.UUniFastDiscard, "RandFixedSum": generator.RandFixedSum,
}

// TestUtilizationsAddUpAndKeepTheirBounds for any count, sum and seed.
func TestUtilizationsAddUpAndKeepTheirBounds(t *testing.T) {
	for name, draw := range algorithms {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			count := rapid.IntRange(1, 60).Draw(t, "count")
			top, most := 1.0, 1.0
			switch name {
			case "UUniFastDiscard":
				most = rapid.Float64Range(0.1, 1).Draw(t, "most")
				top = most * max(1, float64(count)/4)
			case "RandFixedSum":
				most = rapid.Float64Range(1e-3, 1).Draw(t, "most")
				top = most * float64(count)
			}
			sum := rapid.Float64Range(1e-6, top).Draw(t, "sum")
			if name == "UUniFastDiscard" && generator.Acceptance(count, sum, most) < 0.01 {
				t.Skip("it would be discarded too often")
			}
			checkList(t, draw, rapid.Int64().Draw(t, "seed"), count, sum, most)
		}))
	}
}

func checkList(t rapid.TB, draw algorithm, seed int64, count int, sum, most float64) {
	got, err := draw(newSource(seed, 0), count, sum, most)
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, u := range got {
		if !(u >= 0 && u <= most) {
			t.Fatalf("utilization %g of %d tasks, %g together", u, count, sum)
		}
		total += u
	}
	if len(got) != count || math.Abs(total-sum) > 1e-9*float64(count) {
		t.Fatalf("%d utilizations add up to %.12g, want %d and %.12g", len(got), total, count, sum)
	}
}

func TestRandFixedSumTakesAnySum(t *testing.T) {
	for _, count := range []int{1, 2, 10, 1000} {
		for _, share := range []float64{1e-9, 0.1, 0.25, 0.5, 0.75, 0.999999, 1} {
			for seed := range int64(5) {
				checkList(t, generator.RandFixedSum, seed, count, share*float64(count), 1)
			}
		}
	}
}

// TestDistributionOfOneUtilization compares the share of utilizations of at most x with what follows
// from a uniform distribution over all lists. The seed is fixed.
func TestDistributionOfOneUtilization(t *testing.T) {
	const sets = 20000
	// Without a bound: P(u <= x) = 1 - (1 - x/sum)^(count-1).
	simplex := func(count int, sum float64) func(float64) float64 {
		return func(x float64) float64 { return 1 - math.Pow(1-min(x/sum, 1), float64(count-1)) }
	}
	// Three tasks with the sum 1.5, none above 1: the density is (0.5+x)/0.75 up to 0.5, then (1.5-x)/0.75.
	hexagon := func(x float64) float64 {
		if x <= 0.5 {
			return (0.5*x + x*x/2) / 0.75
		}
		return 1 - (1-(1.5*x-x*x/2))/0.75
	}
	cases := map[string]struct {
		draw  algorithm
		count int
		sum   float64
		want  func(float64) float64
	}{
		"UUniFast, 4 tasks":                     {uUniFast, 4, 0.8, simplex(4, 0.8)},
		"UUniFast, 2 tasks":                     {uUniFast, 2, 1, simplex(2, 1)},
		"UUniFastDiscard on one processor":      {generator.UUniFastDiscard, 4, 0.8, simplex(4, 0.8)},
		"UUniFastDiscard on two":                {generator.UUniFastDiscard, 3, 1.5, hexagon},
		"RandFixedSum as UUniFast":              {generator.RandFixedSum, 4, 0.8, simplex(4, 0.8)},
		"RandFixedSum as UUniFast, many tasks":  {generator.RandFixedSum, 20, 1, simplex(20, 1)},
		"RandFixedSum as UUniFastDiscard":       {generator.RandFixedSum, 3, 1.5, hexagon},
		"RandFixedSum, the other end of a line": {generator.RandFixedSum, 2, 1.2, func(x float64) float64 { return min(max((x-0.2)/0.8, 0), 1) }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			positions := make([][]float64, tc.count)
			for set := range uint64(sets) {
				list, err := tc.draw(newSource(42, set), tc.count, tc.sum, 1)
				if err != nil {
					t.Fatal(err)
				}
				for i, u := range list {
					positions[i] = append(positions[i], u)
				}
			}
			for i, drawn := range positions { // Kolmogorov and Smirnov, at a level of about 10^-4
				if d := distance(drawn, tc.want); d > 2.2/math.Sqrt(sets) {
					t.Errorf("utilization %d is %g away from its distribution", i, d)
				}
			}
		})
	}
}

// distance is the largest one between the distribution of a sample and the wanted one.
func distance(sample []float64, want func(float64) float64) float64 {
	slices.Sort(sample)
	d, n := 0.0, float64(len(sample))
	for i, x := range sample {
		d = max(d, math.Abs(want(x)-float64(i)/n), math.Abs(want(x)-float64(i+1)/n))
	}
	return d
}

func TestWrongUtilizationsAreRefused(t *testing.T) {
	cases := map[string]struct {
		draw  algorithm
		count int
		sum   float64
		want  string
	}{
		"no task":                      {uUniFast, 0, 0.5, "count: 0 is out of range"},
		"too many tasks":               {generator.RandFixedSum, 1001, 0.5, "count: 1001 is out of range; use 1 to 1000"},
		"no utilization":               {generator.RandFixedSum, 3, 0, "utilization: 0 is out of range"},
		"more than there is":           {generator.UUniFastDiscard, 3, 3.1, "3 tasks of at most 1 each take more than 0 and at most 3"},
		"not a number":                 {generator.UUniFastDiscard, 3, math.NaN(), "utilization: NaN"},
		"two processors for UUniFast":  {uUniFast, 3, 1.5, "use UUniFastDiscard or RandFixedSum"},
		"what would always be discard": {generator.UUniFastDiscard, 20, 19.5, "discarded 10000 times; use RandFixedSum"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := tc.draw(newSource(1, 1), tc.count, tc.sum, 1); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

func TestPeriods(t *testing.T) {
	const draws = 20000
	must := func(p generator.Periods, err error) generator.Periods {
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	listed := func(periods ...int64) map[string]float64 {
		out := map[string]float64{}
		for _, p := range periods {
			out[fmt.Sprint(p)] = 1 / float64(len(periods))
		}
		return out
	}
	same := func(p int64) string { return fmt.Sprint(p) }
	digits := func(p int64) string { return fmt.Sprint(len(fmt.Sprint(p)), " digits, ", p%10) }
	cases := map[string]struct {
		periods generator.Periods
		class   func(int64) string
		want    map[string]float64 // class to probability
	}{
		"uniform":                {must(generator.Uniform(3, 6)), same, listed(3, 4, 5, 6)},
		"discrete":               {must(generator.Discrete(5, 10, 1000)), same, listed(5, 10, 1000)},
		"harmonic":               {must(generator.Harmonic(5, 2, 79)), same, listed(5, 10, 20, 40)},
		"harmonic up to its end": {must(generator.Harmonic(10, 10, 1000)), same, listed(10, 100, 1000)},
		"log-uniform": {must(generator.LogUniform(10, 990, 10)), digits,
			map[string]float64{"2 digits, 0": 0.5, "3 digits, 0": 0.5}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, counts := newSource(7, 0), map[string]int{}
			for range draws {
				counts[tc.class(tc.periods(r))]++
			}
			for class, p := range tc.want {
				if got, sigma := float64(counts[class]), math.Sqrt(draws*p*(1-p)); math.Abs(got-draws*p) > 4*sigma {
					t.Errorf("%s: %g of %d, want about %g", class, got, draws, draws*p)
				}
				delete(counts, class)
			}
			if len(counts) > 0 {
				t.Errorf("there is more: %v", counts)
			}
		})
	}
}

func TestWrongPeriodsAreRefused(t *testing.T) {
	refused := func(_ generator.Periods, err error) error { return err }
	cases := map[string]struct {
		err  error
		want string
	}{
		"from 0":                      {refused(generator.Uniform(0, 5)), "period: 0 to 5"},
		"backwards":                   {refused(generator.Uniform(6, 5)), "period: 6 to 5"},
		"beyond floating point":       {refused(generator.LogUniform(1, 1<<53+1, 1)), "2^53"},
		"a granularity that is none":  {refused(generator.LogUniform(10, 100, 0)), "granularity: 0"},
		"a granularity that is wrong": {refused(generator.LogUniform(10, 105, 10)), "granularity: 10 does not divide 10 and 105"},
		"no period":                   {refused(generator.Discrete()), "list at least one"},
		"a period of 0":               {refused(generator.Discrete(5, 0)), "period: 0"},
		"a factor of 1":               {refused(generator.Harmonic(5, 1, 50)), "factor: 1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", tc.err, tc.want)
			}
		})
	}
}

func TestExecutionTime(t *testing.T) {
	for _, tc := range []struct {
		period      int64
		utilization float64
		want        int64
	}{{1000, 0.5, 500}, {10, 0.25, 3}, {10, 0.01, 1}, {1, 1, 1}, {2_147_000, 1, 2_147_000}, {7, 0, 1}} {
		if got := generator.ExecutionTime(tc.period, tc.utilization); got != tc.want {
			t.Errorf("%d x %g: %d, want %d", tc.period, tc.utilization, got, tc.want)
		}
	}
}

// TestAcceptance compares with what is known, and with what UUniFast really draws.
func TestAcceptance(t *testing.T) {
	for _, tc := range []struct {
		count     int
		sum, most float64
		want      float64
	}{
		{3, 0.9, 1, 1}, {3, 3, 1, 0}, {3, 3.1, 1, 0}, {2, 1.5, 1, 1. / 3}, {3, 1.5, 1, 2. / 3}, {1, 0.6, 0.5, 0},
		{1000, 999.9, 1, 0}, {1000, 500, 1, 0}, {1000, 1, 1, 1}, {1000, 100, 1, 0.96},
	} {
		if got := generator.Acceptance(tc.count, tc.sum, tc.most); math.Abs(got-tc.want) > 0.005 {
			t.Errorf("%d tasks of %g with %g: %g, want %g", tc.count, tc.most, tc.sum, got, tc.want)
		}
	}
	const draws = 20000
	r, in := newSource(5, 0), 0
	for range draws {
		list, err := generator.UUniFast(r, 12, 1)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Max(list) <= 0.25 {
			in++
		}
	}
	p := generator.Acceptance(12, 1, 0.25)
	if sigma := math.Sqrt(draws * p * (1 - p)); p <= 0 || p >= 1 || math.Abs(float64(in)-draws*p) > 4*sigma {
		t.Errorf("%d of %d are in, want about %g", in, draws, draws*p)
	}
}

func BenchmarkRandFixedSum(b *testing.B) {
	r := newSource(1, 1)
	for b.Loop() {
		if _, err := generator.RandFixedSum(r, 20, 3.5, 1); err != nil {
			b.Fatal(err)
		}
	}
}

package generator_test

import (
	"math"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/taskset/generator"
)

// TestF45KatoAddsUpAndKeepsItsBounds: only the last utilization may be below the least.
func TestF45KatoAddsUpAndKeepsItsBounds(t *testing.T) {
	for seed := range uint64(500) {
		got, err := generator.Kato(newSource(1, seed), 3.7, .1, .6)
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for i, u := range got {
			if u > .6 || u <= 0 || u < .1 && i < len(got)-1 {
				t.Fatalf("utilization %d of %v", i, got)
			}
			total += u
		}
		if math.Abs(total-3.7) > 1e-9 {
			t.Fatalf("%v add up to %v, want 3.7", got, total)
		}
	}
}

// TestF45RipollStopsAtTheFirstTaskThatReachesTheSum.
func TestF45RipollStopsAtTheFirstTaskThatReachesTheSum(t *testing.T) {
	for seed := range uint64(500) {
		got, err := generator.Ripoll(newSource(2, seed), 20, 30, 100, .9)
		if err != nil {
			t.Fatal(err)
		}
		before, last := 0.0, 0.0
		for _, c := range got {
			if c.ExecutionTime < 1 || c.ExecutionTime > 20 || c.Deadline < c.ExecutionTime || c.Deadline > c.ExecutionTime+30 || c.Period < c.Deadline || c.Period > c.Deadline+100 {
				t.Fatalf("%+v is out of range", c)
			}
			before, last = before+last, float64(c.ExecutionTime)/float64(c.Period)
		}
		if before >= .9 || before+last < .9 {
			t.Fatalf("%v before the last, %v with it; want the first that reaches .9", before, before+last)
		}
	}
}

// TestF45PeriodsAreLogUniform, by the test of Kolmogorov and Smirnov at a level of about 10^-4.
func TestF45PeriodsAreLogUniform(t *testing.T) {
	const from, to, n = 10_000_000, 1_000_000_000, 20_000
	draw, err := generator.LogUniform(from, to, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, logs := newSource(3, 0), make([]float64, n)
	for i := range logs {
		logs[i] = math.Log(float64(draw(r)))
	}
	low, high := math.Log(from), math.Log(to)
	if d := distance(logs, func(x float64) float64 { return (x - low) / (high - low) }); d > 2.2/math.Sqrt(n) {
		t.Errorf("%g away from the distribution", d)
	}
}

// TestF46BoundedHyperperiodsAndPriorities: with constrained deadlines, Audsley finds an order of priorities exactly if the
// deadline monotonic order is one, and hyperperiods stay below the bound.
func TestF46BoundedHyperperiodsAndPriorities(t *testing.T) {
	const hyperperiod, sets = 360_360, 300
	draw, err := generator.Dividing(hyperperiod, 500, 50_000)
	if err != nil {
		t.Fatal(err)
	}
	feasible := 0
	for n := range uint64(sets) {
		r := newSource(4, n)
		loads, err := generator.UUniFast(r, 5, .8)
		if err != nil {
			t.Fatal(err)
		}
		var s analysis.Set
		for _, u := range loads {
			period := draw(r)
			c := generator.ExecutionTime(period, u)
			d := generator.ConstrainedDeadline(r, c, period)
			if d < c || d > period {
				t.Fatalf("deadline %d of (%d,%d)", d, c, period)
			}
			s = append(s, analysis.Task{C: c, T: period, D: d})
		}
		if h := analysis.Hyperperiod(s).Int64(); h > hyperperiod || hyperperiod%h != 0 {
			t.Fatalf("hyperperiod %d, want a divisor of %d", h, hyperperiod)
		}
		order, found := analysis.Audsley(s)
		if dm := fits(t, s.Pick(analysis.DeadlineMonotonic(s))); dm != found || found && !fits(t, s.Pick(order)) {
			t.Fatalf("%+v: deadline monotonic fits: %v, Audsley finds %v: %v", s, dm, order, found)
		}
		if found {
			feasible++
		}
	}
	if feasible < sets/10 || feasible > sets*9/10 {
		t.Errorf("%d of %d sets are feasible: the sets show little", feasible, sets)
	}
}

// fits reports whether every response time is within its deadline.
func fits(t *testing.T, s analysis.Set) bool {
	t.Helper()
	for i := range s {
		if r, err := analysis.ResponseTime(s, i); err != nil || r > s[i].D {
			return false
		}
	}
	return true
}

func TestWrongGrowingSetsAreRefused(t *testing.T) {
	r := newSource(5, 0)
	for want, draw := range map[string]func() error{
		"utilizations: 0 to 0.5":       func() error { _, err := generator.Kato(r, 1, 0, .5); return err },
		"utilizations: 0.6 to 0.5":     func() error { _, err := generator.Kato(r, 1, .6, .5); return err },
		"utilization: NaN":             func() error { _, err := generator.Kato(r, math.NaN(), .1, .5); return err },
		"utilization: 101":             func() error { _, err := generator.Kato(r, 101, .1, .5); return err },
		"compute: 0":                   func() error { _, err := generator.Ripoll(r, 0, 1, 1, 1); return err },
		"deadline: -1":                 func() error { _, err := generator.Ripoll(r, 1, -1, 1, 1); return err },
		"period: 9223372036854775807":  func() error { _, err := generator.Ripoll(r, 1, 1, math.MaxInt64, 1); return err },
		"utilization: 0 is":            func() error { _, err := generator.Ripoll(r, 1, 1, 1, 0); return err },
		"utilization: 1000 tasks do":   func() error { _, err := generator.Ripoll(r, 1, 1, 1<<50, 1); return err },
		"hyperperiod: 0 is":            func() error { _, err := generator.Dividing(0, 1, 10); return err },
		"hyperperiod: no divisor of 7": func() error { _, err := generator.Dividing(7, 2, 6); return err },
		"period: 5 to 1":               func() error { _, err := generator.Dividing(7, 5, 1); return err },
	} {
		if err := draw(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

package sim_test

import (
	"math"
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// works are the execution times that n jobs of 10 ms at most are given.
func works(t *testing.T, e sim.Execution, n int64, seed uint64) []sim.Time {
	t.Helper()
	s := &sim.System{Duration: sim.Time(n) * 10 * ms, Seed: seed, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, WCET: 10 * ms, Period: 10 * ms, Jobs: n, Execution: e},
	}}
	jobs, _ := run(t, s, "EDF")
	all := make([]sim.Time, len(jobs))
	for i, j := range jobs {
		all[i] = j.Executed
	}
	return all
}

func mean(values []sim.Time) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(len(values))
}

// TestF35NormalExecutionTimes are clamped to 0 and the WCET, have their mean, and are the same for the same seed.
func TestF35NormalExecutionTimes(t *testing.T) {
	const n, deviation = 20_000, 1500 * us
	got := works(t, sim.Normal{Mean: 5 * ms, Deviation: deviation}, n, 1)
	if m := mean(got); math.Abs(m-float64(5*ms)) > 3*float64(deviation)/math.Sqrt(n) {
		t.Errorf("mean %.0f, want about 5 ms", m)
	}
	within := 0
	for _, v := range got {
		if v > 5*ms-deviation && v < 5*ms+deviation {
			within++
		}
	}
	if share := float64(within) / n; math.Abs(share-.6827) > 3*math.Sqrt(.6827*.3173/n) {
		t.Errorf("%.4f within one deviation, want about .6827", share)
	}
	if again := works(t, sim.Normal{Mean: 5 * ms, Deviation: deviation}, n, 1); !slices.Equal(got, again) {
		t.Error("another run with the same seed differs")
	}
	if other := works(t, sim.Normal{Mean: 5 * ms, Deviation: deviation}, n, 2); slices.Equal(got, other) {
		t.Error("another seed makes no difference")
	}
}

// TestQ11DrawnExecutionTimesAreInRange however wide the distribution is.
func TestQ11DrawnExecutionTimesAreInRange(t *testing.T) {
	for name, e := range map[string]sim.Execution{
		"normal":               sim.Normal{Mean: 5 * ms, Deviation: 20 * ms},
		"normal of a constant": sim.Normal{Mean: 11 * ms},
		"uniform":              sim.Uniform{Least: 9 * ms, Most: 30 * ms},
		"history":              sim.NewHistogram([]sim.Time{-ms, 40 * ms}),
	} {
		got := works(t, e, 1000, 1)
		if least, most := slices.Min(got), slices.Max(got); least < 0 || most != 10*ms {
			t.Errorf("%s: %d to %d, want 0 or more, the WCET among them, and nothing beyond", name, least, most)
		}
	}
}

// TestF36UniformExecutionTimes, by the chi-squared statistic of 50 classes: .999 of all samples are below 85.4.
func TestF36UniformExecutionTimes(t *testing.T) {
	const n, classes, limit = 20_000, 50, 85.4
	var seen [classes]float64
	for _, v := range works(t, sim.Uniform{Least: 0, Most: 10*ms - 1}, n, 5) {
		seen[v*classes/(10*ms)]++
	}
	if x := chiSquared(seen[:], func(int) float64 { return n / classes }); x > limit {
		t.Errorf("chi squared %.1f, want at most %.1f", x, limit)
	}
}

// TestF36HistogramsAreReplayed: execution times come as often as they were observed. Chi squared of 4 degrees of
// freedom is below 18.5 in .999 of all samples.
func TestF36HistogramsAreReplayed(t *testing.T) {
	const n, limit = 20_000, 18.5
	observed := []sim.Time{3 * ms, ms, ms, 2 * ms, ms, 7 * ms, 3 * ms, 9 * ms, ms, ms}
	values := []sim.Time{ms, 2 * ms, 3 * ms, 7 * ms, 9 * ms}
	times := []float64{5, 1, 2, 1, 1}
	seen := make([]float64, len(values))
	for _, v := range works(t, sim.NewHistogram(observed), n, 9) {
		at := slices.Index(values, v)
		if at < 0 {
			t.Fatalf("drew %d, which was never observed", v)
		}
		seen[at]++
	}
	if x := chiSquared(seen, func(i int) float64 { return n * times[i] / 10 }); x > limit {
		t.Errorf("chi squared %.1f of %v, want at most %.1f", x, seen, limit)
	}
	if got := works(t, sim.NewHistogram(nil), 3, 1); !slices.Equal(got, []sim.Time{10 * ms, 10 * ms, 10 * ms}) {
		t.Errorf("without observations %v, want the WCET", got)
	}
}

func chiSquared(seen []float64, want func(int) float64) float64 {
	sum := 0.0
	for i, n := range seen {
		sum += (n - want(i)) * (n - want(i)) / want(i)
	}
	return sum
}

package statistics_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/statistics"
)

func timesOf(values ...sim.Time) *statistics.Times {
	t := &statistics.Times{}
	for _, v := range values {
		t.Add(v)
	}
	return t
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// TestF42ResponseTimesOfARecordedRun are those that Python's statistics module computes of (26,70)(62,100) ms: mean,
// pstdev, and quantiles with the method inclusive, which is the default of NumPy's percentile.
func TestF42ResponseTimesOfARecordedRun(t *testing.T) {
	const ms = sim.Millisecond
	s := &sim.System{Duration: 700*ms - 1, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		{ID: 1, WCET: 26 * ms, Period: 70 * ms}, {ID: 2, WCET: 62 * ms, Period: 100 * ms, Deadline: 118 * ms},
	}}
	c := statistics.NewCollector(s)
	if _, err := sim.Run(context.Background(), s, sched.NewRM(), c); err != nil {
		t.Fatal(err)
	}
	r := &c.Task(1).Response // 114 102 116 104 118 106 94
	near(t, "mean", r.Mean(), 107714285.71428572, 1e-6)
	near(t, "std", r.Deviation(), 8030553.898602969, 1e-6)
	near(t, "least", float64(r.Least()), 94e6, 0)
	near(t, "most", float64(r.Most()), 118e6, 0)
	for p, want := range map[float64]float64{0: 94e6, 5: 96.4e6, 25: 103e6, 50: 106e6, 75: 115e6, 90: 116.8e6, 99: 117.88e6, 100: 118e6} {
		near(t, "percentile", r.Percentile(p), want, 1e-6)
	}
	if all := c.All(); all.Released != 17 || all.Ended != 17 || all.Missed != 0 || all.Response.Count() != 17 || c.Task(0).Start.Most() != 0 {
		t.Errorf("all: %+v", all)
	}
}

// TestManyTimes: what is summed stays exact; percentiles are at most 1 % too high.
func TestManyTimes(t *testing.T) {
	const n = 100_000
	r := rand.New(rand.NewPCG(1, 2))
	order := r.Perm(n)
	whole, parts := &statistics.Times{}, [3]statistics.Times{}
	for i, v := range order {
		whole.Add(sim.Time(v) * 1000)
		parts[i%3].Add(sim.Time(v) * 1000)
	}
	near(t, "mean", whole.Mean(), 1000*(n-1)/2.0, 0)
	near(t, "std", whole.Deviation(), 1000*math.Sqrt((float64(n)*n-1)/12), 1e-6)
	for _, p := range []float64{1, 10, 50, 90, 99, 99.9} {
		want := p / 100 * n * 1000
		if got := whole.Percentile(p); got < want-1000 || got > want*1.01 {
			t.Errorf("percentile %v = %v, want %v or at most 1 %% more", p, got, want)
		}
	}
	if got := whole.Percentile(100); got != (n-1)*1000 {
		t.Errorf("percentile 100 = %v, want the longest, %v", got, (n-1)*1000)
	}
	merged := &statistics.Times{}
	for i := range parts {
		merged.Merge(&parts[2-i])
	}
	if diff := cmp.Diff(summary(whole), summary(merged)); diff != "" {
		t.Errorf("merged in another order (-whole +merged):\n%s", diff)
	}
}

func TestFewTimesMergeExactly(t *testing.T) {
	a, b := timesOf(5, 1), timesOf(9)
	a.Merge(b)
	a.Merge(&statistics.Times{})
	if diff := cmp.Diff(summary(timesOf(1, 5, 9)), summary(a)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoTimesAreZero(t *testing.T) {
	if diff := cmp.Diff(make([]float64, 7), summary(&statistics.Times{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTheLongestTimesDoNotOverflow their sums.
func TestTheLongestTimesDoNotOverflow(t *testing.T) {
	const longest = sim.Time(1) << 51
	s := timesOf(longest, longest, longest, 0)
	near(t, "mean", s.Mean(), .75*float64(longest), 0)
	near(t, "std", s.Deviation(), math.Sqrt(3)/4*float64(longest), 1)
}

func summary(t *statistics.Times) []float64 {
	return []float64{float64(t.Count()), float64(t.Least()), float64(t.Most()), t.Mean(), t.Deviation(), t.Percentile(50), t.Percentile(99)}
}

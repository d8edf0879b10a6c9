package sim_test

import (
	"math"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestSporadicReleasesKeepTheirDistance: no two come closer than the period, and what they wait longer has the
// mean and the distribution that it should have.
func TestSporadicReleasesKeepTheirDistance(t *testing.T) {
	const period, slack = 5 * ms, 3 * ms
	s := &sim.System{Duration: 100 * sim.Second, Processors: processors(1), Seed: 7, Tasks: []sim.Task{
		{ID: 1, Kind: sim.Sporadic, Offset: 2 * ms, Period: period, Slack: slack, WCET: ms},
	}}
	jobs, _ := run(t, s, "EDF")
	last, sum, longer := 2*ms-period, 0.0, 0
	for _, j := range jobs {
		extra := j.Released - last - period
		if extra < 0 {
			t.Fatalf("job %d comes %d ns after the one before, want at least the period", j.Number, j.Released-last)
		}
		if extra > slack {
			longer++
		}
		sum += float64(extra)
		last = j.Released
	}
	n := float64(len(jobs))
	if mean := sum / n; math.Abs(mean-float64(slack)) > 3*float64(slack)/math.Sqrt(n) {
		t.Errorf("mean slack %.0f ns of %d jobs, want about %d", mean, len(jobs), slack)
	}
	const above = 1 / math.E
	if share := float64(longer) / n; math.Abs(share-above) > 3*math.Sqrt(above*(1-above)/n) {
		t.Errorf("%.3f wait longer than the mean, want about %.3f", share, above)
	}
	if j := jobs[0]; j.Deadline != j.Released+period {
		t.Errorf("relative deadline %d, want the period", j.Deadline-j.Released)
	}
}

// TestF45PoissonSpacedArrivals: without a period the number of releases in a second has variance = mean.
func TestF45PoissonSpacedArrivals(t *testing.T) {
	const seconds, rate = 2000, 50
	s := &sim.System{Duration: seconds * sim.Second, Processors: processors(1), Seed: 3, Tasks: []sim.Task{
		{ID: 1, Kind: sim.Sporadic, Slack: sim.Second / rate},
	}}
	jobs, _ := run(t, s, "FIFO")
	counts := make([]float64, seconds+1)
	for _, j := range jobs {
		counts[j.Released/sim.Second]++
	}
	mean, squares := 0.0, 0.0
	for _, c := range counts[:seconds] {
		mean += c / seconds
	}
	for _, c := range counts[:seconds] {
		squares += (c - mean) * (c - mean) / seconds
	}
	if math.Abs(mean-rate) > 3*math.Sqrt(rate/float64(seconds)) {
		t.Errorf("%.2f releases a second, want about %d", mean, rate)
	}
	if d := squares / mean; math.Abs(d-1) > 4*math.Sqrt(2.0/seconds) {
		t.Errorf("variance/mean = %.3f, want about 1", d)
	}
}

// TestJitterDelaysReleasesNotDeadlines and does not add up.
func TestJitterDelaysReleasesNotDeadlines(t *testing.T) {
	const period, jitter = 10 * ms, 4 * ms
	s := &sim.System{Duration: 10 * sim.Second, Processors: processors(1), Seed: 1, Tasks: []sim.Task{
		{ID: 1, Offset: ms, Period: period, Jitter: jitter, WCET: ms},
	}}
	jobs, _ := run(t, s, "EDF")
	least, most := sim.Never, sim.Time(0)
	for _, j := range jobs {
		due := ms + sim.Time(j.Number-1)*period
		late := j.Released - due
		least, most = min(least, late), max(most, late)
		if j.Deadline != due+period {
			t.Fatalf("job %d: deadline %d, want %d", j.Number, j.Deadline, due+period)
		}
	}
	if least < 0 || most > jitter || least > jitter/20 || most < jitter-jitter/20 {
		t.Errorf("releases %d to %d ns late, want 0 to %d", least, most, jitter)
	}
}

// TestF10SingleJobAndNumberOfJobs: period 0 is one job, and a number of jobs is not exceeded.
func TestF10SingleJobAndNumberOfJobs(t *testing.T) {
	for name, c := range map[string]struct {
		task sim.Task
		want int
	}{
		"period 0":               {sim.Task{Offset: 3 * ms}, 1},
		"3 jobs":                 {sim.Task{Period: 10 * ms, Jobs: 3}, 3},
		"3 jobs, time for 2":     {sim.Task{Period: 60 * ms, Jobs: 3}, 2},
		"2 of 3 arrivals":        {sim.Task{Kind: sim.Sporadic, Arrivals: []sim.Time{1, 2, 3}, Jobs: 2}, 2},
		"3 drawn arrivals":       {sim.Task{Kind: sim.Sporadic, Period: ms, Slack: ms, Jobs: 3}, 3},
		"released by nobody":     {sim.Task{Kind: sim.Aperiodic}, 0},
		"no job of no arrivals":  {sim.Task{Kind: sim.Sporadic, Period: ms}, 0},
		"as many as there is to": {sim.Task{Period: 10 * ms}, 11},
	} {
		c.task.ID, c.task.WCET = 1, ms
		s := &sim.System{Duration: 100 * ms, Processors: processors(1), Tasks: []sim.Task{c.task}}
		if jobs, _ := run(t, s, "EDF"); len(jobs) != c.want {
			t.Errorf("%s: %d jobs, want %d", name, len(jobs), c.want)
		}
	}
}

func TestQ16PeriodZeroIsOneJob(t *testing.T) {
	s := &sim.System{Duration: 100 * ms, Processors: processors(1), Tasks: []sim.Task{{ID: 1, WCET: ms}}}
	if jobs, totals := run(t, s, "RM"); len(jobs) != 1 || totals.Released != 1 {
		t.Errorf("%d jobs, want 1", len(jobs))
	}
}

package sched_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// feasibleSets is on how many random sets of tasks the optimal schedulers are tried.
const feasibleSets = 1000

// optimal are the schedulers that miss no deadline of any feasible set of periodic tasks; EPDF and EDHS are not.
var optimal = []string{
	"PD2", "ER-PD2", "LLREF", "LRE-TL", "DP-WRAP", "BF", "NVNLF", "RUN", "WC-RUN", "U-EDF", "WC-U-EDF", "EKG",
}

// feasibleSet makes tasks with whole microseconds that need at most all of the processors, and none more than
// one. Every other set needs all of them, exactly. Two of a hundred are long.
func feasibleSet(r *rand.Rand, number int) *sim.System {
	processors := 1 + r.IntN(4)
	s := &sim.System{Processors: make([]sim.Processor, processors)}
	long := number%100 < 2
	switch {
	case number%2 == 0 && long:
		partlyLoaded(r, s, 1500)
	case number%2 == 0:
		partlyLoaded(r, s, 200)
	case long:
		fullyLoaded(r, s, 2520)
	default:
		fullyLoaded(r, s, 240)
	}
	r.Shuffle(len(s.Tasks), func(a, b int) { s.Tasks[a], s.Tasks[b] = s.Tasks[b], s.Tasks[a] })
	for i := range s.Tasks {
		s.Tasks[i].ID = i + 1
	}
	return s
}

// partlyLoaded draws utilizations by UUniFast-Discard (Davis and Burns 2011) and periods from a thirtieth of the
// longest one to that, in microseconds, log-uniformly.
func partlyLoaded(r *rand.Rand, s *sim.System, longest int64) {
	n := len(s.Processors) + 1 + r.IntN(5)
	total := float64(len(s.Processors)) * (0.6 + 0.4*r.Float64())
	var shares []float64
	for len(shares) < n {
		shares = shares[:0]
		rest := total
		for i := n; i > 0; i-- {
			next := 0.0
			if i > 1 {
				next = rest * math.Pow(r.Float64(), 1/float64(i-1))
			}
			if rest-next > 1 {
				break
			}
			shares = append(shares, rest-next)
			rest = next
		}
	}
	for _, u := range shares {
		period := sim.Time(float64(longest) / 30 * math.Exp(r.Float64()*math.Log(30)))
		s.Tasks = append(s.Tasks, sim.Task{Period: period * sim.Microsecond, WCET: sim.Time(u*float64(period)) * sim.Microsecond})
	}
	if r.IntN(2) == 0 {
		for i := range s.Tasks {
			s.Tasks[i].Offset = r.Int64N(longest) * sim.Microsecond
		}
	}
	s.Duration = 3 * longest / 2 * sim.Microsecond
}

// fullyLoaded draws periods that divide the whole, in microseconds, and lets the last tasks have what is left.
func fullyLoaded(r *rand.Rand, s *sim.System, whole int64) {
	var divisors []int64
	for d := range int64(40) {
		if whole%(d+1) == 0 {
			divisors = append(divisors, d+1)
		}
	}
	left := whole * int64(len(s.Processors)) // in parts of a processor
	for range len(s.Processors) + r.IntN(6) {
		period := whole / divisors[r.IntN(len(divisors))]
		wcet := 1 + r.Int64N(period)
		if cost := wcet * (whole / period); cost < left {
			left -= cost
			s.Tasks = append(s.Tasks, sim.Task{Period: period * sim.Microsecond, WCET: wcet * sim.Microsecond})
		}
	}
	for left > 0 {
		wcet := min(left, whole)
		left -= wcet
		s.Tasks = append(s.Tasks, sim.Task{Period: whole * sim.Microsecond, WCET: wcet * sim.Microsecond})
	}
	s.Duration = whole * sim.Microsecond // then everything begins again
}

// TestF24OptimalSchedulersMissNothingThatCanBeMet is also for F23, F25 and F26.
func TestF24OptimalSchedulersMissNothingThatCanBeMet(t *testing.T) {
	for _, name := range optimal {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for number := range feasibleSets {
				s := feasibleSet(rand.New(rand.NewPCG(11, uint64(number))), number)
				jobs, totals := run(t, name, s)
				checkSchedule(t, s, jobs, totals)
				if totals.Missed > 0 {
					t.Fatalf("set %d: %d of %d jobs missed: %d processors, %v", number, totals.Missed, totals.Released, len(s.Processors), s.Tasks)
				}
			}
		})
	}
}

// TestSporadicTasksWhoseDensitiesFitMissNothing holds for those that do not have to know releases beforehand, as
// far as times are much longer than a nanosecond.
func TestSporadicTasksWhoseDensitiesFitMissNothing(t *testing.T) {
	for _, name := range []string{"PD2", "ER-PD2", "LLREF", "LRE-TL", "DP-WRAP", "BF", "U-EDF", "WC-U-EDF"} {
		missNothing(t, name, sporadicSet)
	}
}

func TestDeadlinesBeforePeriodsAreMetIfDensitiesFit(t *testing.T) {
	for _, name := range optimal {
		missNothing(t, name, constrainedSet)
	}
}

func missNothing(t *testing.T, name string, set func(*rand.Rand) *sim.System) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		r := rand.New(rand.NewPCG(13, 14))
		for number := range feasibleSets / 10 {
			s := set(r)
			if _, totals := run(t, name, s); totals.Missed > 0 {
				t.Fatalf("set %d: %d of %d jobs missed: %d processors, %v", number, totals.Missed, totals.Released, len(s.Processors), s.Tasks)
			}
		}
	})
}

// constrainedSet makes tasks with deadlines from half of the period on, in which they fit.
func constrainedSet(r *rand.Rand) *sim.System {
	s := feasibleSet(r, 2)
	for i := range s.Tasks {
		t := &s.Tasks[i]
		half := t.Period / 2 / sim.Microsecond
		t.Deadline = (half + 1 + r.Int64N(half)) * sim.Microsecond
		t.WCET = t.WCET / 2 / sim.Microsecond * sim.Microsecond
	}
	return s
}

// sporadicSet makes tasks that need nine tenths of the processors, each released at least its period after the job
// before.
func sporadicSet(r *rand.Rand) *sim.System {
	s := feasibleSet(r, 2)
	for i := range s.Tasks {
		task := &s.Tasks[i]
		task.WCET = task.WCET * 9 / 10 / sim.Microsecond * sim.Microsecond
		task.Kind = sim.Sporadic
		for at := task.Offset; at < s.Duration; at += task.Period + r.Int64N(1+task.Period/sim.Microsecond)*sim.Microsecond {
			task.Arrivals = append(task.Arrivals, at)
		}
		task.Offset = 0
	}
	return s
}

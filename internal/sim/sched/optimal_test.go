package sched_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// optimal are the schedulers that miss no deadline of any feasible set of periodic tasks.
var optimal = []string{"LLREF", "LRE-TL", "NVNLF", "DP-WRAP", "BF", "PD2", "ER-PD2", "U-EDF", "WC-U-EDF", "RUN", "WC-RUN", "EKG"}

// feasibleSet makes tasks with whole microseconds that need at most all of the processors, and none more than
// one. Every other set needs all of them, exactly.
func feasibleSet(r *rand.Rand, number int) *sim.System {
	processors := 1 + r.IntN(4)
	s := &sim.System{Processors: make([]sim.Processor, processors)}
	if number%2 == 0 {
		partlyLoaded(r, s)
	} else {
		fullyLoaded(r, s)
	}
	r.Shuffle(len(s.Tasks), func(a, b int) { s.Tasks[a], s.Tasks[b] = s.Tasks[b], s.Tasks[a] })
	for i := range s.Tasks {
		s.Tasks[i].ID = i + 1
	}
	return s
}

// partlyLoaded draws utilizations by UUniFast-Discard (Davis and Burns 2011) and periods of 0.05 to 3 ms,
// log-uniformly.
func partlyLoaded(r *rand.Rand, s *sim.System) {
	n := len(s.Processors) + 1 + r.IntN(8)
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
		period := sim.Time(50 * math.Exp(r.Float64()*math.Log(60)))
		s.Tasks = append(s.Tasks, sim.Task{Period: period * sim.Microsecond, WCET: sim.Time(u*float64(period)) * sim.Microsecond})
	}
	if r.IntN(2) == 0 {
		for i := range s.Tasks {
			s.Tasks[i].Offset = r.Int64N(1000) * sim.Microsecond
		}
	}
	s.Duration = 6 * sim.Millisecond
}

// fullyLoaded draws periods that divide 2.52 ms and lets the last tasks have what is left.
func fullyLoaded(r *rand.Rand, s *sim.System) {
	const whole = 2520
	left := int64(whole * len(s.Processors)) // in parts of a processor
	for range len(s.Processors) + r.IntN(6) {
		period := whole / []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 18, 20, 21, 24, 28, 35, 40}[r.IntN(20)]
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
	s.Duration = 2 * whole * sim.Microsecond
}

func TestOptimalSchedulersMissNothingThatCanBeMet(t *testing.T) {
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

const feasibleSets = 1000

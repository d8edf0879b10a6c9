package sched_test

import (
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestSharesAreRoundedUpOnlyWhereThereIsRoom has sets that leave just so many nanoseconds free that they are, and some
// that leave too few.
func TestSharesAreRoundedUpOnlyWhereThereIsRoom(t *testing.T) {
	for _, name := range []string{"U-EDF", "LRE-TL"} {
		for number := range feasibleSets / 2 {
			s := almostFullSet(rand.New(rand.NewPCG(17, uint64(number))), sim.Time(number%3))
			jobs, totals := run(t, name, s)
			checkSchedule(t, s, jobs, totals)
			if totals.Missed > 0 {
				t.Fatalf("%s: set %d: %d of %d jobs missed: %d processors, %v", name, number, totals.Missed, totals.Released, len(s.Processors), s.Tasks)
			}
		}
	}
}

// almostFullSet makes tasks that need all of 2 to 8 processors but for the share of a nanosecond of every task and
// processor in the window of each.
func almostFullSet(r *rand.Rand, share sim.Time) *sim.System {
	s := &sim.System{Processors: make([]sim.Processor, 2+r.IntN(7))}
	fullyLoaded(r, s, 240)
	more := sim.Time(len(s.Tasks)*len(s.Processors)) * share / 2
	for i := range s.Tasks {
		s.Tasks[i].ID = i + 1
		s.Tasks[i].WCET = max(1, s.Tasks[i].WCET-more)
	}
	return s
}

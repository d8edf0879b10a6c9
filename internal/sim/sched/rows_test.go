package sched_test

import (
	"math/rand/v2"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// TestF18GlobalPrioritiesCanBeWrong: two light tasks push a heavy one aside on both processors; fixed priorities
// can be chosen better. A small and a large number mean the opposite for Genode.
func TestF18GlobalPrioritiesCanBeWrong(t *testing.T) {
	for name, heavy := range map[string]int64{"RM": 0, "FP": -1, "Genode-FP": 1} {
		s := dhall()
		s.Tasks[2].Priority = heavy
		if _, totals := run(t, name, s); totals.Missed == 0 {
			t.Errorf("%s misses no deadline in Dhall's example", name)
		}
	}
	for name, heavy := range map[string]int64{"FP": 1, "Genode-FP": -1} {
		s := dhall()
		s.Tasks[2].Priority = heavy
		if _, totals := run(t, name, s); totals.Missed != 0 {
			t.Errorf("%s misses %d deadlines although the heavy task comes first", name, totals.Missed)
		}
	}
}

// TestF25WorkConservingVariantsIdleLess and end jobs no later on the whole, as they use time that the plain ones leave.
func TestF25WorkConservingVariantsIdleLess(t *testing.T) {
	for plain, conserving := range map[string]string{"RUN": "WC_RUN", "U_EDF": "WC_U_EDF"} {
		var late, early sim.Time
		for number := range 60 {
			s := feasibleSet(rand.New(rand.NewPCG(25, uint64(number))), 2)
			a, _ := run(t, plain, s)
			b, totals := run(t, conserving, s)
			if totals.Missed > 0 {
				t.Fatalf("%s: set %d: %d jobs missed", conserving, number, totals.Missed)
			}
			checkWork(t, conserving, s, b)
			late, early = late+responses(a), early+responses(b)
		}
		if early >= late {
			t.Errorf("responses under %s come to %d ns, under %s to %d", conserving, early, plain, late)
		}
	}
}

func responses(jobs []ran) (sum sim.Time) {
	for _, j := range jobs {
		if j.Ended != sim.Never {
			sum += j.Response()
		}
	}
	return sum
}

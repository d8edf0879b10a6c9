package analysis_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// set makes tasks of rows (C, T) with D = T, or (C, T, D).
func set(rows ...[]int64) analysis.Set {
	var s analysis.Set
	for _, r := range rows {
		t := analysis.Task{C: r[0], T: r[1], D: r[1]}
		if len(r) > 2 {
			t.D = r[2]
		}
		s = append(s, t)
	}
	return s
}

func TestResponseTimesOfTheTextbooks(t *testing.T) {
	cases := map[string]struct {
		set  analysis.Set
		want []int64
	}{
		"Burns":                     {set([]int64{3, 7}, []int64{3, 12}, []int64{5, 20}), []int64{3, 6, 20}},
		"Burns and Wellings A":      {set([]int64{10, 30}, []int64{10, 40}, []int64{12, 50}), []int64{10, 20, -1}},
		"Burns and Wellings B":      {set([]int64{4, 16}, []int64{5, 40}, []int64{32, 80}), []int64{4, 9, 58}},
		"Burns and Wellings C":      {set([]int64{5, 20}, []int64{10, 40}, []int64{40, 80}), []int64{5, 15, 80}},
		"above the bound, yet safe": {set([]int64{40, 100}, []int64{40, 150}, []int64{100, 350}), []int64{40, 80, 300}},
		"three tasks":               {set([]int64{1, 4}, []int64{2, 6}, []int64{3, 13}), []int64{1, 3, 10}},
		"rate monotonic fails":      {set([]int64{2, 5}, []int64{4, 7}), []int64{2, -1}},
		"four tasks":                {set([]int64{1, 3}, []int64{1, 5}, []int64{1, 6}, []int64{2, 10}), []int64{1, 2, 3, 9}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := analysis.ResponseTimes(tc.set)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("response times (-want +got):\n%s", diff)
			}
			if ok == slices.Contains(tc.want, -1) {
				t.Errorf("schedulable = %v", ok)
			}
		})
	}
}

func TestBusyPeriodWithADeadlineBeyondThePeriod(t *testing.T) {
	got, err := analysis.BusyPeriod(set([]int64{26, 70}, []int64{62, 100, 200}), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{114, 102, 116, 104, 118, 106, 94}, got); diff != "" {
		t.Errorf("Lehoczky's example (-want +got):\n%s", diff)
	}
}

func TestJitterAndBlockingMakeResponsesLonger(t *testing.T) {
	s := set([]int64{3, 7}, []int64{3, 12}, []int64{5, 25})
	s[0].J, s[1].B = 1, 2
	got, ok := analysis.ResponseTimes(s)
	if diff := cmp.Diff([]int64{4, 11, 20}, got); diff != "" || !ok {
		t.Errorf("schedulable %v, response times (-want +got):\n%s", ok, diff)
	}
}

func TestBounds(t *testing.T) {
	for n, want := range map[int]float64{1: 1, 2: .828427, 3: .779763, 4: .756828, 5: .743492, 10: .717735} {
		if got := analysis.LiuLaylandBound(n); math.Abs(got-want) > 1e-6 {
			t.Errorf("LiuLaylandBound(%d) = %f, want %f", n, got, want)
		}
	}
	dhall := set([]int64{1, 10}, []int64{1, 10}, []int64{10, 11})
	cases := map[string]struct{ got, want bool }{
		"Liu and Layland, just below":              {analysis.LiuLayland(set([]int64{41, 100}, []int64{41, 100})), true},
		"Liu and Layland, just above":              {analysis.LiuLayland(set([]int64{42, 100}, []int64{41, 100})), false},
		"hyperbolic, at the border":                {analysis.Hyperbolic(set([]int64{1, 2}, []int64{1, 3})), true},
		"hyperbolic, beyond":                       {analysis.Hyperbolic(set([]int64{1, 2}, []int64{334, 1000})), false},
		"a short deadline is not for bounds":       {analysis.LiuLayland(set([]int64{1, 10, 5})), false},
		"Dhall's effect, GFB":                      {analysis.GFB(dhall, 2), false},
		"Dhall's effect, EDF-US":                   {analysis.EDFUS(dhall, 2), true},
		"RM-US on two":                             {analysis.RMUS(set([]int64{1, 2}, []int64{1, 2}), 2), true},
		"RM-US on two, too much":                   {analysis.RMUS(set([]int64{1, 2}, []int64{1, 2}, []int64{1, 100}), 2), false},
		"partitioned EDF":                          {analysis.PartitionedEDF(set([]int64{1, 2}, []int64{1, 2}, []int64{1, 2}), 2), true},
		"partitioned EDF of heavy tasks":           {analysis.PartitionedEDF(set([]int64{2, 3}, []int64{2, 3}, []int64{2, 3}), 2), false},
		"three of two thirds on two, if optimally": {analysis.Feasible(set([]int64{2, 3}, []int64{2, 3}, []int64{2, 3}), 2), true},
	}
	for name, tc := range cases {
		if tc.got != tc.want {
			t.Errorf("%s: %v", name, tc.got)
		}
	}
}

func TestHyperperiod(t *testing.T) {
	if got := analysis.Hyperperiod(set([]int64{3, 7}, []int64{3, 12}, []int64{5, 20})); got.Int64() != 420 {
		t.Errorf("hyperperiod = %v, want 420", got)
	}
	primes := set([]int64{1, 9007199254740881}, []int64{1, 9007199254740847}, []int64{1, 9007199254740761})
	if got := analysis.Hyperperiod(primes); got.BitLen() < 150 {
		t.Errorf("hyperperiod of three large primes = %v", got)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for want, s := range map[string]analysis.Set{
		"there are no tasks": nil,
		"tasks[1].C: 0":      set([]int64{1, 2}, []int64{0, 2}),
		"tasks[0].T: -1":     {{C: 1, T: -1, D: 1}},
		"tasks[0].J: -5":     {{C: 1, T: 2, D: 2, J: -5}},
	} {
		if err := s.Check(); !errors.Is(err, analysis.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// random makes a set of up to six tasks; deadlines from C up to T, or twice T.
func random(r *rand.Rand, stretch int64) analysis.Set {
	var s analysis.Set
	for range 1 + r.IntN(6) {
		period := 2 + r.Int64N(60)
		c := 1 + r.Int64N(max(1, period/2))
		s = append(s, analysis.Task{C: c, T: period, D: c + r.Int64N(stretch*period-c+1)})
	}
	return s
}

func TestEDFIsTheDemandCriterion(t *testing.T) {
	r, feasible := rand.New(rand.NewPCG(1, 2)), 0
	for range 5000 {
		s := random(r, 2)
		want := s.Utilization().Cmp(analysis.Set{{C: 1, T: 1, D: 1}}.Utilization()) <= 0
		end := min(analysis.Hyperperiod(s).Int64()+120, 20_000)
		for at := int64(1); want && at <= end; at++ {
			want = s.Demand(at) <= at
		}
		if want && analysis.Hyperperiod(s).Int64() > 20_000 {
			continue // too long for brute force
		}
		if got := analysis.EDF(s); got != want {
			t.Fatalf("EDF(%v) = %v, brute force says %v", s, got, want)
		}
		if want {
			feasible++
		}
	}
	if feasible < 300 {
		t.Errorf("only %d feasible sets: the test says too little", feasible)
	}
}

func TestWhatFixedPrioritiesMeetEDFMeets(t *testing.T) {
	r, met := rand.New(rand.NewPCG(3, 4)), 0
	for range 5000 {
		s := random(r, 2)
		if _, ok := analysis.ResponseTimes(s); ok {
			met++
			if !analysis.EDF(s) {
				t.Fatalf("%v is safe under fixed priorities but not under EDF", s)
			}
		}
	}
	if met < 300 {
		t.Errorf("only %d sets are safe: the test says too little", met)
	}
}

func TestAudsleyFindsAnOrderIfThereIsOne(t *testing.T) {
	r, found := rand.New(rand.NewPCG(5, 6)), 0
	for range 2000 {
		s := random(r, 2)
		if len(s) > 5 {
			continue
		}
		order, ok := analysis.Audsley(s)
		if want := anyOrder(s, nil, 0); ok != want {
			t.Fatalf("Audsley(%v) = %v, trying all orders says %v", s, ok, want)
		}
		if !ok {
			continue
		}
		found++
		if _, safe := analysis.ResponseTimes(s.Pick(order)); !safe {
			t.Fatalf("order %v of %v is not safe", order, s)
		}
		if _, dm := analysis.ResponseTimes(s.Pick(analysis.DeadlineMonotonic(s))); dm && !ok {
			t.Fatalf("deadline monotonic is safe for %v", s)
		}
	}
	if found < 200 {
		t.Errorf("only %d sets have an order: the test says too little", found)
	}
}

// anyOrder tries every order of priorities.
func anyOrder(s analysis.Set, taken []int, used uint) bool {
	if len(taken) == len(s) {
		_, ok := analysis.ResponseTimes(s.Pick(taken))
		return ok
	}
	for i := range s {
		if used&(1<<i) == 0 && anyOrder(s, append(slices.Clone(taken), i), used|1<<i) {
			return true
		}
	}
	return false
}

// FuzzAnalysis: no test panics or hangs, whatever the numbers, and the tests that imply another do.
func FuzzAnalysis(f *testing.F) {
	f.Add(int64(3), int64(7), int64(7), int64(3), int64(12), int64(12), int64(0), uint8(2))
	f.Add(int64(1), int64(1)<<53, int64(1), int64(1)<<52, int64(1)<<53, int64(1)<<53, int64(5), uint8(1))
	f.Fuzz(func(t *testing.T, c1, t1, d1, c2, t2, d2, j int64, m uint8) {
		s := analysis.Set{{C: c1, T: t1, D: d1, J: j}, {C: c2, T: t2, D: d2}}
		if s.Check() != nil || t1/c1 > 1000 || t2/c2 > 1000 {
			return
		}
		processors := int(m%8) + 1
		_, fixed := analysis.ResponseTimes(s)
		if fixed && !analysis.EDF(s) && j == 0 {
			t.Errorf("%v: safe under fixed priorities but not under EDF", s)
		}
		for _, bounds := range []func(analysis.Set, int) ([]int64, bool){analysis.GlobalEDF, analysis.GlobalFixedPriority, analysis.GlobalFixedPriorityGuan} {
			if all, ok := bounds(s, processors); ok && (all[0] > d1 || all[1] > d2) {
				t.Errorf("%v: bounds %v beyond a deadline", s, all)
			}
		}
		if analysis.BCL(s, processors) && !analysis.BCLIterative(s, processors) {
			t.Errorf("%v on %d: BCL accepts what its refinement refuses", s, processors)
		}
		_, _, _ = analysis.BAK(s, processors), analysis.GFB(s, processors), analysis.PartitionedEDF(s, processors)
	})
}

package variant_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

func interval(from, to int64) *v1alpha1.IntegerInterval {
	return &v1alpha1.IntegerInterval{From: ptr(from), To: ptr(to)}
}

// drawn has five variants and a draw of each kind.
func drawn(seed *int64) *v1alpha1.TaskSetSpec {
	spec := campaign(v1alpha1.Sweep{Task: "load", Attribute: "caps", Range: between(1, 5, 1)})
	spec.Seed = seed
	spec.Draws = []v1alpha1.Draw{
		{Task: "hello", Attribute: "pkg", Choice: js(`"hey"`, `"pi"`, `"idle"`)},
		{Task: "hello", Attribute: "priority", Uniform: interval(1, 127)},
		{Task: "load", Attribute: "config.arg1", LogUniform: interval(1, 1000)},
	}
	return spec
}

// TestDrawsAreWhatAnybodyElseComputes compares with a program in Python that follows the documentation.
func TestDrawsAreWhatAnybodyElseComputes(t *testing.T) {
	want := []string{"1 pi 100 928", "2 hey 51 247", "3 hey 25 302", "4 idle 41 1", "5 pi 45 3"}
	if diff := cmp.Diff(want, values(t, drawn(ptr(int64(42))))); diff != "" {
		t.Errorf("variants of seed 42 (-want +got):\n%s", diff)
	}
	if got := variant.SeedOf("6f1c5b8e-0000-4000-8000-000000000001"); got != 6618526776339569 {
		t.Errorf("seed of the UID: %d", got)
	}
}

func TestDrawsReachTheTasks(t *testing.T) {
	s, err := variant.Build(drawn(ptr(int64(42))))
	if err != nil {
		t.Fatal(err)
	}
	tasks := at(t, s, 3)
	if got := fmt.Sprint(tasks[0].Pkg, " ", tasks[0].Priority, " ", tasks[1].Caps, " ", tasks[1].Config[0].Text); got != "idle 41 4 1" {
		t.Errorf("tasks of variant 3: %s", got)
	}
}

func TestSeed(t *testing.T) {
	fallback := variant.DefaultSeed(42)
	cases := map[string]struct {
		spec       *v1alpha1.TaskSetSpec
		options    []variant.Option
		want       int64
		wantRandom bool
	}{
		"the campaign's own":           {drawn(ptr(int64(7))), []variant.Option{fallback}, 7, true},
		"0 is a seed of its own":       {drawn(ptr(int64(0))), []variant.Option{fallback}, 0, true},
		"otherwise the default":        {drawn(nil), []variant.Option{fallback}, 42, true},
		"0 when there is no default":   {drawn(nil), nil, 0, true},
		"nothing is random in a sweep": {campaign(), []variant.Option{fallback}, 42, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := variant.Build(tc.spec, tc.options...)
			if err != nil {
				t.Fatal(err)
			}
			if seed, random := s.Seed(); seed != tc.want || random != tc.wantRandom {
				t.Errorf("seed %d, random %v; want %d, %v", seed, random, tc.want, tc.wantRandom)
			}
		})
	}
	if cmp.Equal(values(t, drawn(ptr(int64(1)))), values(t, drawn(ptr(int64(2))))) {
		t.Error("two seeds make the same variants")
	}
}

// TestDistributions counts 20,000 draws; the seed is fixed, so that the test always has the same answer.
func TestDistributions(t *testing.T) {
	const n = 20000
	log := func(from, to float64) float64 { return math.Log(to/from) / math.Log(1001) }
	cases := map[string]struct {
		draw v1alpha1.Draw
		want map[string]float64 // class to probability
		in   func(caps uint32) string
	}{
		"uniform": {
			v1alpha1.Draw{Uniform: interval(5, 9)},
			map[string]float64{"5": 0.2, "6": 0.2, "7": 0.2, "8": 0.2, "9": 0.2},
			func(caps uint32) string { return fmt.Sprint(caps) },
		},
		"choice, one of them listed twice": {
			v1alpha1.Draw{Choice: js("1", "7", "7")},
			map[string]float64{"1": 1. / 3, "7": 2. / 3},
			func(caps uint32) string { return fmt.Sprint(caps) },
		},
		"logUniform": {
			v1alpha1.Draw{LogUniform: interval(1, 1000)},
			map[string]float64{"1": log(1, 10), "2": log(10, 100), "3": log(100, 1000), "4": log(1000, 1001)},
			func(caps uint32) string { return fmt.Sprint(len(fmt.Sprint(caps))) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := campaign(v1alpha1.Sweep{Task: "hello", Attribute: "config.n", Range: between(1, n, 1)})
			tc.draw.Task, tc.draw.Attribute = "load", "caps"
			spec.Draws = []v1alpha1.Draw{tc.draw}
			s, err := variant.Build(spec)
			if err != nil {
				t.Fatal(err)
			}
			counts := map[string]int{}
			for i := range uint64(n) {
				counts[tc.in(at(t, s, i)[1].Caps)]++
			}
			for class, p := range tc.want {
				got, sigma := float64(counts[class]), math.Sqrt(n*p*(1-p))
				if math.Abs(got-n*p) > 4*sigma {
					t.Errorf("%s: %g of %d, want about %g", class, got, n, n*p)
				}
				delete(counts, class)
			}
			if len(counts) > 0 {
				t.Errorf("there is more: %v", counts)
			}
		})
	}
}

func TestLogUniformKeepsItsBounds(t *testing.T) {
	for name, bounds := range map[string]*v1alpha1.IntegerInterval{
		"one number":         interval(7, 7),
		"the largest number": interval(1<<63-1, 1<<63-1),
		"everything":         interval(1, 1<<63-1),
	} {
		t.Run(name, func(t *testing.T) {
			spec := campaign(v1alpha1.Sweep{Task: "hello", Attribute: "config.n", Range: between(1, 1000, 1)})
			spec.Draws = []v1alpha1.Draw{{Task: "load", Attribute: "config.x", LogUniform: bounds}}
			for _, v := range values(t, spec) {
				var n, x int64
				if _, err := fmt.Sscan(v, &n, &x); err != nil || x < *bounds.From || x > *bounds.To {
					t.Fatalf("variant %q is not within %d to %d: %v", v, *bounds.From, *bounds.To, err)
				}
			}
		})
	}
}

func TestBuildRefusesDraws(t *testing.T) {
	sweep := v1alpha1.Sweep{Task: "load", Attribute: "caps", Values: js("1")}
	cases := map[string]struct {
		draws []v1alpha1.Draw
		want  string
	}{
		"of a task that is not there":  {[]v1alpha1.Draw{{Task: "x", Attribute: "caps", Choice: js("1")}}, `spec.draws[0].task: "x"`},
		"of nothing":                   {[]v1alpha1.Draw{{Task: "load", Attribute: "cores"}}, `spec.draws[0]: give exactly one of`},
		"of two kinds":                 {[]v1alpha1.Draw{{Task: "load", Attribute: "cores", Choice: js("1"), Uniform: interval(1, 2)}}, `spec.draws[0]: give exactly one of`},
		"of what is swept":             {[]v1alpha1.Draw{{Task: "load", Attribute: "caps", Choice: js("1")}}, `spec.draws[0].attribute: "caps" overlaps "caps" of spec.sweeps[0]`},
		"of what is drawn already":     {[]v1alpha1.Draw{{Task: "load", Attribute: "cores", Choice: js("1")}, {Task: "load", Attribute: "cores", Choice: js("1")}}, `of spec.draws[0]`},
		"of a text as a number":        {[]v1alpha1.Draw{{Task: "load", Attribute: "cores", Choice: js("1", `"2"`)}}, `spec.draws[0].choice[1]: "2"`},
		"beyond what the attribute is": {[]v1alpha1.Draw{{Task: "load", Attribute: "cores", Uniform: interval(0, 1025)}}, `spec.draws[0].uniform.to: 1025`},
		"of an interval without end":   {[]v1alpha1.Draw{{Task: "load", Attribute: "cores", Uniform: &v1alpha1.IntegerInterval{From: ptr(int64(1))}}}, `spec.draws[0].uniform: give both`},
		"of the logarithm of 0":        {[]v1alpha1.Draw{{Task: "load", Attribute: "cores", LogUniform: interval(0, 5)}}, `spec.draws[0].logUniform.from: 0`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := campaign(sweep)
			spec.Draws = tc.draws
			if _, err := variant.Build(spec); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

func TestDrawsOfOneVariantDoNotDependOnOthers(t *testing.T) {
	s, err := variant.Build(drawn(ptr(int64(3))))
	if err != nil {
		t.Fatal(err)
	}
	before := string(taskset.Description(at(t, s, 4)))
	at(t, s, 0)
	if diff := cmp.Diff(before, string(taskset.Description(at(t, s, 4)))); diff != "" {
		t.Errorf("variant 4 changed (-before +after):\n%s", diff)
	}
}

package variant_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

func zipped(s v1alpha1.Sweep, name string) v1alpha1.Sweep {
	s.Zip = name
	return s
}

// sweep varies an attribute of load.
func sweep(attribute string, from, to int64) v1alpha1.Sweep {
	return v1alpha1.Sweep{Task: "load", Attribute: attribute, Range: between(from, to, 1)}
}

func listed(attribute string, alternatives ...string) v1alpha1.Sweep {
	return v1alpha1.Sweep{Task: "load", Attribute: attribute, Values: js(alternatives...)}
}

func TestZippedSweepsAdvanceTogether(t *testing.T) {
	cases := map[string]struct {
		order  v1alpha1.Order
		sweeps []v1alpha1.Sweep
		want   []string
	}{
		"a range and values": {
			"", []v1alpha1.Sweep{zipped(sweep("caps", 1, 3), "z"), zipped(listed("config.x", "7", "8", "9"), "z")},
			[]string{"1 7", "2 8", "3 9"},
		},
		"at the place of the first of them": {
			"", []v1alpha1.Sweep{zipped(sweep("caps", 1, 2), "z"), sweep("cores", 5, 6), zipped(listed("config.x", "7", "8"), "z")},
			[]string{"1 5 7", "1 6 7", "2 5 8", "2 6 8"},
		},
		"of the first in taskgen's order": {
			v1alpha1.OrderTaskgen, []v1alpha1.Sweep{zipped(sweep("priority", 1, 2), "z"), sweep("cores", 5, 6), zipped(listed("config.x", "7", "8"), "z")},
			[]string{"1 5 7", "1 6 7", "2 5 8", "2 6 8"},
		},
		"two zips multiply": {
			"", []v1alpha1.Sweep{
				zipped(sweep("caps", 1, 2), "a"), zipped(sweep("cores", 1, 2), "b"),
				zipped(sweep("coreOffset", 1, 2), "a"), zipped(sweep("priority", 1, 2), "b"),
			},
			[]string{"1 1 1 1", "1 2 1 2", "2 1 2 1", "2 2 2 2"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := campaign(tc.sweeps...)
			spec.Order = tc.order
			if diff := cmp.Diff(tc.want, values(t, spec)); diff != "" {
				t.Errorf("variants (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRepetitionsFollowEachOther(t *testing.T) {
	spec := campaign(sweep("caps", 1, 2))
	spec.Repeat = 3
	if diff := cmp.Diff([]string{"1", "2", "1", "2", "1", "2"}, values(t, spec)); diff != "" {
		t.Errorf("variants (-want +got):\n%s", diff)
	}
	once := drawn(ptr(int64(42)))
	twice := drawn(ptr(int64(42)))
	twice.Repeat = 2
	want := slices.Concat(values(t, once), values(t, once))
	if diff := cmp.Diff(want, values(t, twice)); diff != "" {
		t.Errorf("a repetition with draws (-want +got):\n%s", diff)
	}
}

func TestASampleHasNoCombinationTwice(t *testing.T) {
	spec := campaign(sweep("caps", 1, 10), sweep("cores", 1, 10))
	spec.Seed = ptr(int64(1))
	spec.Sample = &v1alpha1.Sample{Count: 40}
	got := values(t, spec)
	if len(got) != 40 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 40 {
		t.Errorf("40 combinations are wanted, each once: %v", got)
	}
	if slices.IsSorted(got) {
		t.Errorf("they are not at random: %v", got)
	}
	spec.Sample.Count = 20
	if diff := cmp.Diff(got[:20], values(t, spec)); diff != "" {
		t.Errorf("a smaller sample is not the beginning of a larger one (-want +got):\n%s", diff)
	}
	spec.Seed = ptr(int64(2))
	if cmp.Equal(got[:20], values(t, spec)) {
		t.Error("another seed makes the same sample")
	}
}

func TestWithDrawsASampleGoesRound(t *testing.T) {
	spec := campaign(sweep("caps", 1, 4))
	spec.Draws = []v1alpha1.Draw{{Task: "load", Attribute: "config.x", Uniform: interval(0, 1<<60)}}
	spec.Sample = &v1alpha1.Sample{Count: 10}
	got := values(t, spec)
	if len(slices.Compact(slices.Sorted(slices.Values(got)))) != 10 {
		t.Errorf("10 different variants are wanted: %v", got)
	}
	counts := map[string]int{}
	for _, v := range got[:8] {
		counts[strings.Fields(v)[0]]++
	}
	if diff := cmp.Diff(map[string]int{"1": 2, "2": 2, "3": 2, "4": 2}, counts); diff != "" {
		t.Errorf("combinations in the first two rounds (-want +got):\n%s", diff)
	}
}

func TestASpaceOf128BitsIsSampled(t *testing.T) {
	wide := between(0, 1<<62-1, 1)
	spec := campaign(
		v1alpha1.Sweep{Task: "load", Attribute: "config.x", Range: wide},
		v1alpha1.Sweep{Task: "load", Attribute: "config.y", Range: wide}, sweep("caps", 1, 16),
	)
	spec.Sample = &v1alpha1.Sample{Count: 1<<63 - 2}
	s, err := variant.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Count(); got.Cmp(big.NewInt(1<<63-2)) != 0 {
		t.Errorf("count %s", got)
	}
	for _, n := range []uint64{0, 1, 1 << 40, 1<<63 - 3} {
		if got, err := s.IndexOf(s.Values(n)); err != nil || got != n {
			t.Errorf("index of the values of variant %d: %d, %v", n, got, err)
		}
	}
	if _, err := s.At(1<<63 - 2); err == nil {
		t.Error("the variant after the last one exists")
	}
}

// TestIndexOfIsTheInverseOfValues, whatever multiplies, advances together, is sampled or repeated.
func TestIndexOfIsTheInverseOfValues(t *testing.T) {
	attributes := []string{"priority", "caps", "config.arg1", "config.new.leaf", "quota", "cores"}
	rapid.Check(t, func(t *rapid.T) {
		spec := campaign()
		spec.Order = rapid.SampledFrom([]v1alpha1.Order{v1alpha1.OrderGiven, v1alpha1.OrderTaskgen}).Draw(t, "order")
		points := int64(1)
		chosen := rapid.Permutation(attributes).Draw(t, "attributes")
		for len(chosen) > 0 && rapid.Bool().Draw(t, "more") {
			size := rapid.Int64Range(1, 5).Draw(t, "size")
			together := 1
			if len(chosen) > 1 && rapid.Bool().Draw(t, "zip") {
				together = 2
			}
			for _, attribute := range chosen[:together] {
				s := sweep(attribute, 10, 9+size)
				if rapid.Bool().Draw(t, "listed") {
					s.Range = nil
					for i := range size {
						s.Values = append(s.Values, js(fmt.Sprint(100-i))...)
					}
				}
				if together > 1 {
					s.Zip = fmt.Sprint("zip-", len(chosen))
				}
				spec.Sweeps = append(spec.Sweeps, s)
			}
			points, chosen = points*size, chosen[together:]
		}
		once := points
		if rapid.Bool().Draw(t, "sample") {
			once = rapid.Int64Range(1, points).Draw(t, "count")
			spec.Sample = &v1alpha1.Sample{Count: once}
		}
		spec.Repeat = rapid.Int32Range(0, 3).Draw(t, "repeat")
		s, err := variant.Build(spec)
		if err != nil {
			t.Fatal(err)
		}
		if want := once * int64(max(spec.Repeat, 1)); s.Count().Int64() != want {
			t.Fatalf("count %s, want %d", s.Count(), want)
		}
		for n := range s.Count().Uint64() {
			got, err := s.IndexOf(s.Values(n))
			if err != nil || got != n%uint64(once) {
				t.Fatalf("index of the values of variant %d: %d, %v; want %d", n, got, err, n%uint64(once))
			}
		}
	})
}

func TestIndexOfSaysWhatIsWrong(t *testing.T) {
	spec := campaign(sweep("caps", 2, 9), zipped(sweep("cores", 1, 3), "z"), zipped(listed("config.x", "1", "2", "3"), "z"))
	spec.Sweeps[0].Range.Step = 3
	spec.Sample = &v1alpha1.Sample{Count: 1}
	s, err := variant.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	all := func(caps, cores, x string) []variant.Assignment {
		return []variant.Assignment{{"load", "config.x", x}, {"load", "caps", caps}, {"load", "cores", cores}, {"hello", "more", "1"}}
	}
	cases := map[string]struct {
		values []variant.Assignment
		want   string
	}{
		"a value is missing":               {all("2", "1", "1")[:2], "spec.sweeps[1]: the value of load.cores is missing"},
		"a value between two of a range":   {all("3", "1", "1"), "spec.sweeps[0]: load.caps never has the value 3"},
		"a value below a range":            {all("1", "1", "1"), "load.caps never has the value 1"},
		"a value beyond a range":           {all("11", "1", "1"), "load.caps never has the value 11"},
		"a value that is no number":        {all("two", "1", "1"), "load.caps never has the value two"},
		"a number in another spelling":     {all("02", "1", "1"), "load.caps never has the value 02"},
		"values that are never together":   {all("2", "1", "2"), "spec.sweeps[1]: load.cores never has the value 1, or not together"},
		"a listed value that is not there": {all("2", "3", "4"), "spec.sweeps[1]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if n, err := s.IndexOf(tc.values); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("variant %d, error %v; want an error that says %q", n, err, tc.want)
			}
		})
	}
	outside := 0
	for _, caps := range []string{"2", "5", "8"} {
		for _, x := range []string{"1", "2", "3"} {
			if _, err := s.IndexOf(all(caps, x, x)); err != nil && strings.Contains(err.Error(), "not among the 1 that are run") {
				outside++
			}
		}
	}
	if outside != 8 {
		t.Errorf("%d of 9 combinations are outside a sample of 1, want 8", outside)
	}
}

func TestBuildRefusesSizes(t *testing.T) {
	cases := map[string]struct {
		change func(*v1alpha1.TaskSetSpec)
		want   string
	}{
		"a zip of different lengths": {func(s *v1alpha1.TaskSetSpec) {
			s.Sweeps = []v1alpha1.Sweep{zipped(sweep("caps", 1, 3), "z"), zipped(sweep("cores", 1, 4), "z")}
		}, `spec.sweeps[1].zip: "z" has 4 values here and 3 in spec.sweeps[0]`},
		"a zip of one":           {func(s *v1alpha1.TaskSetSpec) { s.Sweeps[0].Zip = "z" }, `spec.sweeps[0].zip: no other sweep has the zip "z"`},
		"a sample of nothing":    {func(s *v1alpha1.TaskSetSpec) { s.Sample = &v1alpha1.Sample{Count: 0} }, `spec.sample.count: 0 is out of range; use at least 1`},
		"a sample without count": {func(s *v1alpha1.TaskSetSpec) { s.Sample = &v1alpha1.Sample{} }, `spec.sample.count: 0 is out of range; use at least 1`},
		"a sample of more than there is": {func(s *v1alpha1.TaskSetSpec) { s.Sample = &v1alpha1.Sample{Count: 4} },
			`spec.sample.count: 4 is more than the 3 combinations`},
		"a negative repetition": {func(s *v1alpha1.TaskSetSpec) { s.Repeat = -1 }, `spec.repeat: -1`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := campaign(sweep("caps", 1, 3))
			tc.change(spec)
			if _, err := variant.Build(spec); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

package interval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAddJoinsNeighbours(t *testing.T) {
	cases := map[string]struct {
		add  []uint64
		want []Interval
	}{
		"nothing":                       {nil, nil},
		"one number":                    {[]uint64{5}, []Interval{{5, 6}}},
		"neighbours to the right":       {[]uint64{5, 6}, []Interval{{5, 7}}},
		"neighbours to the left":        {[]uint64{6, 5}, []Interval{{5, 7}}},
		"the gap between two is filled": {[]uint64{5, 7, 6}, []Interval{{5, 8}}},
		"apart":                         {[]uint64{9, 1}, []Interval{{1, 2}, {9, 10}}},
		"the same twice":                {[]uint64{3, 3}, []Interval{{3, 4}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var s Set
			for _, n := range tc.add {
				s.Add(n)
			}
			if diff := cmp.Diff(tc.want, s.Intervals()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSetBehavesLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Set
		model := map[uint64]bool{}
		for _, n := range rapid.SliceOf(rapid.Uint64Range(0, 60)).Draw(t, "numbers") {
			if fresh := s.Add(n); fresh == model[n] {
				t.Fatalf("Add(%d) = %v, but it was in the set: %v", n, fresh, model[n])
			}
			model[n] = true
		}
		if got := s.Count(); got != uint64(len(model)) {
			t.Fatalf("Count() = %d, want %d", got, len(model))
		}
		for n := range uint64(62) {
			if s.Has(n) != model[n] {
				t.Fatalf("Has(%d) = %v, want %v", n, s.Has(n), model[n])
			}
			want := n
			for model[want] {
				want++
			}
			if got := s.NextMissing(n); got != want {
				t.Fatalf("NextMissing(%d) = %d, want %d", n, got, want)
			}
		}
		for i, p := range s.Intervals() {
			if p.Lo >= p.Hi || i > 0 && s.parts[i-1].Hi >= p.Lo {
				t.Fatalf("intervals are not sorted, disjoint and apart: %v", s.Intervals())
			}
		}
	})
}

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
		number := rapid.Uint64Range(0, 60)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if fresh := s.Add(n); fresh == model[n] {
					t.Fatalf("Add(%d) = %v, but it was in the set: %v", n, fresh, model[n])
				}
				model[n] = true
			},
			"add a range": func(t *rapid.T) {
				lo, hi := number.Draw(t, "lo"), number.Draw(t, "hi")
				var want uint64
				for n := lo; n < hi; n++ {
					if !model[n] {
						want++
					}
					model[n] = true
				}
				if got := s.AddRange(lo, hi); got != want {
					t.Fatalf("AddRange(%d, %d) = %d, want %d", lo, hi, got, want)
				}
			},
			"remove": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if was := s.Remove(n); was != model[n] {
					t.Fatalf("Remove(%d) = %v, but it was in the set: %v", n, was, model[n])
				}
				delete(model, n)
			},
			"": func(t *rapid.T) { agree(t, &s, model) },
		})
	})
}

// agree compares everything that can be asked of the set with a map.
func agree(t *rapid.T, s *Set, model map[uint64]bool) {
	if got := s.Count(); got != uint64(len(model)) {
		t.Fatalf("Count() = %d, want %d", got, len(model))
	}
	var below, end uint64
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
		if got := s.CountIn(0, n); got != below {
			t.Fatalf("CountIn(0, %d) = %d, want %d", n, got, below)
		}
		if got, want := s.CountIn(n, 62), s.Count()-below; got != want {
			t.Fatalf("CountIn(%d, 62) = %d, want %d", n, got, want)
		}
		if model[n] {
			if first, any := s.First(); below == 0 && (!any || first != n) {
				t.Fatalf("First() = %d, %v; want %d", first, any, n)
			}
			below, end = below+1, n+1
		}
	}
	if s.End() != end || s.Parts() != len(s.Intervals()) {
		t.Fatalf("End() = %d, want %d; %d parts", s.End(), end, s.Parts())
	}
	for i, p := range s.Intervals() {
		if p.Lo >= p.Hi || i > 0 && s.parts[i-1].Hi >= p.Lo {
			t.Fatalf("intervals are not sorted, disjoint and apart: %v", s.Intervals())
		}
	}
}

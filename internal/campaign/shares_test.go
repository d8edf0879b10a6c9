package campaign

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// served is one target that always has work of all campaigns, for so many turns, and returns the time that each
// campaign had.
func served(t *rapid.T, s *shares, of []*running, turns int, took func(i int) time.Duration) []time.Duration {
	had := make([]time.Duration, len(of))
	for range turns {
		for _, c := range of {
			s.wants(c.share, true)
		}
		c := s.next(of)
		i := index(t, of, c)
		guessed := s.begin(c.share)
		d := took(i)
		s.used(c.share, guessed, d)
		had[i] += d
	}
	return had
}

func index(t *rapid.T, of []*running, c *running) int {
	for i := range of {
		if of[i] == c {
			return i
		}
	}
	t.Fatal("somebody else was served")
	return -1
}

func TestSharesOfTimeConvergeToTheWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int32Range(1, 10), 1, 5).Draw(t, "weights")
		var s shares
		var of []*running
		var sum int32
		longest := make([]time.Duration, len(weights))
		for i, w := range weights {
			of = append(of, &running{share: s.join(7, w)})
			sum += w
			longest[i] = time.Duration(rapid.IntRange(1, 1000).Draw(t, fmt.Sprint("longest of ", i))) * time.Millisecond
		}
		had := served(t, &s, of, 2000, func(i int) time.Duration {
			return longest[i]/2 + time.Duration(rapid.Int64Range(0, int64(longest[i]/2)).Draw(t, "took"))
		})
		var total time.Duration
		slack := 0.0 // nobody can be off by more than one turn of each
		for i := range had {
			total += had[i]
			slack = max(slack, longest[i].Seconds())
		}
		for i := range had {
			fair := total.Seconds() * float64(weights[i]) / float64(sum)
			if off := math.Abs(had[i].Seconds() - fair); off > 3*slack {
				t.Errorf("weight %d of %v had %s of %s: %.2f s off", weights[i], weights, had[i], total, off)
			}
		}
	})
}

func TestAHigherPriorityGoesFirst(t *testing.T) {
	var s shares
	low, high := &running{share: s.join(0, 1000)}, &running{share: s.join(1, 1)}
	for range 100 {
		if s.next([]*running{low, high}) != high {
			t.Fatal("a lower priority was served while there was work of a higher one")
		}
		s.used(high.share, s.begin(high.share), time.Hour)
	}
	if s.next([]*running{low}) != low || s.next(nil) != nil {
		t.Error("a free target goes to whoever has work")
	}
}

func TestANewcomerHasNoClaimToThePast(t *testing.T) {
	var s shares
	old := &running{share: s.join(0, 1)}
	s.wants(old.share, true)
	for range 1000 {
		s.used(old.share, s.begin(old.share), time.Second)
	}
	young := &running{share: s.join(0, 1)}
	s.wants(young.share, true)
	var turns int
	for range 10 {
		c := s.next([]*running{old, young})
		if c == young {
			turns++
		}
		s.used(c.share, s.begin(c.share), time.Second)
	}
	if turns < 5 || turns > 6 {
		t.Errorf("the newcomer had %d of ten turns", turns)
	}
}

func TestWhoHadNoWorkHasNoClaimToThatTime(t *testing.T) {
	var s shares
	a, b := &running{share: s.join(0, 1)}, &running{share: s.join(0, 1)}
	of := []*running{a, b}
	s.wants(a.share, true)
	s.wants(b.share, false)
	for range 1000 {
		s.used(a.share, s.begin(a.share), time.Second)
	}
	s.wants(b.share, true)
	inARow := 0
	for s.next(of) == b && inARow < 10 {
		s.used(b.share, s.begin(b.share), time.Second)
		inARow++
	}
	if inARow > 2 {
		t.Errorf("it was served %d times in a row", inARow)
	}
}

// Eight targets become free at once: they do not all go to the same campaign although nobody has used any time.
func TestSimultaneousTurnsAreShared(t *testing.T) {
	var s shares
	of := []*running{{share: s.join(0, 1)}, {share: s.join(0, 1)}}
	var turns [2]int
	for range 8 {
		c := s.next(of)
		s.begin(c.share)
		for i := range of {
			if of[i] == c {
				turns[i]++
			}
		}
	}
	if turns != [2]int{4, 4} {
		t.Errorf("turns %v", turns)
	}
}

// Package interval is a set of numbers kept as half-open intervals: progress through a space of any
// size costs memory by the number of gaps, not by the number of members. It is pure.
package interval

import (
	"slices"
	"sort"
)

// Interval is [Lo, Hi): Lo belongs to it, Hi does not.
type Interval struct{ Lo, Hi uint64 }

// Set is a set of numbers. The zero Set is empty. It is not safe for concurrent use.
type Set struct {
	parts []Interval // sorted, disjoint, not touching
	count uint64
}

// Add puts n into the set and reports whether it was new.
func (s *Set) Add(n uint64) bool { return s.AddRange(n, n+1) == 1 }

// AddRange puts the numbers of [lo, hi) into the set and returns how many of them were new.
func (s *Set) AddRange(lo, hi uint64) uint64 {
	if lo >= hi {
		return 0
	}
	first := s.search(lo) // the first part that ends at lo or later: it may grow to the right
	last, fresh := first, hi-lo
	joined := Interval{lo, hi}
	for ; last < len(s.parts) && s.parts[last].Lo <= hi; last++ {
		p := s.parts[last]
		joined = Interval{min(joined.Lo, p.Lo), max(joined.Hi, p.Hi)}
		if both := min(hi, p.Hi); both > max(lo, p.Lo) {
			fresh -= both - max(lo, p.Lo)
		}
	}
	if last == first+1 {
		s.parts[first] = joined // the common case, without any move
	} else {
		s.parts = slices.Replace(s.parts, first, last, joined)
	}
	s.count += fresh
	return fresh
}

// Remove takes n out of the set and reports whether it was in it.
func (s *Set) Remove(n uint64) bool {
	i := s.search(n + 1)
	if i == len(s.parts) || s.parts[i].Lo > n {
		return false
	}
	var rest []Interval
	if p := s.parts[i]; p.Lo < n {
		rest = append(rest, Interval{p.Lo, n})
	}
	if p := s.parts[i]; n+1 < p.Hi {
		rest = append(rest, Interval{n + 1, p.Hi})
	}
	s.parts = slices.Replace(s.parts, i, i+1, rest...)
	s.count--
	return true
}

// search finds the first part that ends at n or later.
func (s *Set) search(n uint64) int {
	return sort.Search(len(s.parts), func(i int) bool { return s.parts[i].Hi >= n })
}

// Has reports whether n is in the set.
func (s *Set) Has(n uint64) bool {
	i := s.search(n + 1)
	return i < len(s.parts) && s.parts[i].Lo <= n
}

// Count is the number of members.
func (s *Set) Count() uint64 { return s.count }

// CountIn is the number of members in [lo, hi).
func (s *Set) CountIn(lo, hi uint64) uint64 {
	var n uint64
	for i := s.search(lo); i < len(s.parts) && s.parts[i].Lo < hi; i++ {
		if from, to := max(lo, s.parts[i].Lo), min(hi, s.parts[i].Hi); from < to {
			n += to - from
		}
	}
	return n
}

// Parts is the number of intervals.
func (s *Set) Parts() int { return len(s.parts) }

// First is the smallest member; false when there is none.
func (s *Set) First() (uint64, bool) {
	if len(s.parts) == 0 {
		return 0, false
	}
	return s.parts[0].Lo, true
}

// End is the smallest number that is larger than every member.
func (s *Set) End() uint64 {
	if len(s.parts) == 0 {
		return 0
	}
	return s.parts[len(s.parts)-1].Hi
}

// NextMissing is the smallest number >= from that is not in the set.
func (s *Set) NextMissing(from uint64) uint64 {
	i := s.search(from + 1)
	if i < len(s.parts) && s.parts[i].Lo <= from {
		return s.parts[i].Hi
	}
	return from
}

// Intervals returns the members as sorted, disjoint intervals that do not touch.
func (s *Set) Intervals() []Interval { return slices.Clone(s.parts) }

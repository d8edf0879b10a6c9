// Package interval is a set of numbers kept as half-open intervals: progress through a space of any
// size costs memory by the number of gaps, not by the number of members. It is pure.
package interval

import "slices"

// Interval is [Lo, Hi): Lo belongs to it, Hi does not.
type Interval struct{ Lo, Hi uint64 }

// Set is a set of numbers. The zero Set is empty. It is not safe for concurrent use.
type Set struct {
	parts []Interval // sorted, disjoint, not touching
	count uint64
}

// Add puts n into the set and reports whether it was new.
func (s *Set) Add(n uint64) bool {
	// i is the first interval that ends at or after n: the only one that n can extend to the right.
	i, _ := slices.BinarySearchFunc(s.parts, n, func(p Interval, n uint64) int {
		if p.Hi < n {
			return -1
		}
		return 1
	})
	if i < len(s.parts) && s.parts[i].Lo <= n && n < s.parts[i].Hi {
		return false
	}
	s.count++
	left := i < len(s.parts) && s.parts[i].Hi == n
	right := i
	if left {
		right = i + 1
	}
	touches := right < len(s.parts) && s.parts[right].Lo == n+1
	switch {
	case left && touches:
		s.parts[i].Hi = s.parts[right].Hi
		s.parts = slices.Delete(s.parts, right, right+1)
	case left:
		s.parts[i].Hi = n + 1
	case touches:
		s.parts[right].Lo = n
	default:
		s.parts = slices.Insert(s.parts, i, Interval{n, n + 1})
	}
	return true
}

// Has reports whether n is in the set.
func (s *Set) Has(n uint64) bool {
	_, found := slices.BinarySearchFunc(s.parts, n, func(p Interval, n uint64) int {
		switch {
		case p.Hi <= n:
			return -1
		case p.Lo > n:
			return 1
		}
		return 0
	})
	return found
}

// Count is the number of members.
func (s *Set) Count() uint64 { return s.count }

// NextMissing is the smallest number >= from that is not in the set.
func (s *Set) NextMissing(from uint64) uint64 {
	for _, p := range s.parts {
		if p.Lo <= from && from < p.Hi {
			return p.Hi
		}
		if p.Lo > from {
			break
		}
	}
	return from
}

// Intervals returns the members as sorted, disjoint intervals that do not touch.
func (s *Set) Intervals() []Interval { return slices.Clone(s.parts) }

package addresspool

import (
	"net/netip"
	"time"
)

// search is one set of addresses, and how far its sweep has come. Addresses that have never answered are
// visited in rounds and not remembered.
type search struct {
	key    string
	ranges *Ranges
	check  Check
	gone   bool // removed, or replaced

	hosts map[netip.Addr]*job // that are remembered
	sweep *job

	cursor  netip.Addr // the last address of the round that was visited; invalid: none yet
	waiting int        // checks of the sweep that are under way
	over    bool       // every address of the round was visited
	rounds  int        // that are complete
}

func newSearch(key string, ranges *Ranges, check Check) *search {
	s := &search{key: key, ranges: ranges, check: check, hosts: map[netip.Addr]*job{}}
	s.sweep = &job{search: s, index: -1}
	return s
}

// visit is the next address of the round; false at its end. It leaves out those that are remembered, and
// stops when there are too many of these.
func (s *search) visit(most int) (netip.Addr, bool) {
	for len(s.hosts) < most {
		var more bool
		if s.cursor.IsValid() {
			s.cursor, more = s.ranges.After(s.cursor)
		} else {
			s.cursor, more = s.ranges.First()
		}
		if !more {
			break
		}
		if _, known := s.hosts[s.cursor]; !known {
			s.waiting++
			return s.cursor, true
		}
	}
	s.over = true
	return netip.Addr{}, false
}

// round ends a round when everything of it was visited and has come back, and returns the pause before the
// next one.
func (s *search) round(first, longest time.Duration) (pause time.Duration, ended bool) {
	if !s.over || s.waiting > 0 {
		return 0, false
	}
	s.rounds++
	s.over, s.cursor = false, netip.Addr{}
	return back(first, longest, s.rounds), true
}

// keep remembers a host.
func (s *search) keep(addr netip.Addr) *job {
	j := &job{search: s, host: &host{Host: Host{Addr: addr}}, index: -1}
	s.hosts[addr] = j
	return j
}

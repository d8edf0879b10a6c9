package addresspool

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Check looks at one address: nil says that it answers. It gets a ctx that ends in time.
type Check func(ctx context.Context, addr netip.Addr) error

// ScannerOptions of a Scanner. The zero value of each field means its default.
type ScannerOptions struct {
	// Concurrency is how many addresses are looked at at a time, all sets together. Default: 64.
	Concurrency int
	// Timeout of a check. Default: 2 s.
	Timeout time.Duration
	// Recheck is the pause between two checks of an address that answers. Default: 30 s.
	Recheck time.Duration
	// First is the pause after a round in which addresses that never answered were visited, and after the
	// first failure of one that did; it doubles each time, up to Longest. Defaults: 1 s and 30 s.
	First, Longest time.Duration
	// TakenFirst is the pause after a first report that an address is in use; it doubles with each further one, up
	// to TakenLongest, and begins anew when twice that time has passed without any. Defaults: 30 s and 10 min.
	TakenFirst, TakenLongest time.Duration
	// Forget is how long an address that is silent is remembered; later it is visited like any other.
	// Default: 1 h.
	Forget time.Duration
	// MaxHosts is how many addresses of a set are remembered; with so many, no others are visited.
	// Default: 16,384.
	MaxHosts int
	// Rand spreads all pauses by a fifth in both directions. Default: seeded at random.
	Rand *rand.Rand
	// Changed is told when a state of a set has changed. It must not block. Default: nobody.
	Changed func(key string)
}

// MaxAddresses is the size of the largest set that a Scanner takes: a class A network.
const MaxAddresses = 1 << 24

// Scanner goes through any number of sets of addresses, again and again, and keeps those that answer. Its
// memory grows with the addresses that have answered, not with those that it visits. It may be used from any
// number of goroutines.
type Scanner struct {
	o      ScannerOptions
	pauses pauses
	wake   chan struct{}

	mu       sync.Mutex
	searches map[string]*search
	queue    queue
	running  int // checks
}

// NewScanner makes a Scanner; it begins with Start.
func NewScanner(o ScannerOptions) *Scanner {
	setDefault(&o.Concurrency, 64)
	setDefault(&o.Timeout, 2*time.Second)
	setDefault(&o.Recheck, 30*time.Second)
	setDefault(&o.First, time.Second)
	setDefault(&o.Longest, 30*time.Second)
	setDefault(&o.TakenFirst, 30*time.Second)
	setDefault(&o.TakenLongest, 10*time.Minute)
	setDefault(&o.Forget, time.Hour)
	setDefault(&o.MaxHosts, 1<<14)
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Changed == nil {
		o.Changed = func(string) {}
	}
	return &Scanner{
		o: o, wake: make(chan struct{}, 1), searches: map[string]*search{},
		pauses: pauses{recheck: o.Recheck, silentFirst: o.First, silentLongest: o.Longest, takenFirst: o.TakenFirst, takenLongest: o.TakenLongest},
	}
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// real is the clock: the time-outs of checks know no other.
var real = clock.RealClock{}

// Set has the addresses of a set looked at by check, from now on. For the same addresses it only changes the
// check; of others it keeps what it knows. Sets with more than MaxAddresses are refused.
func (s *Scanner) Set(key string, ranges *Ranges, check Check) error {
	if n := ranges.Count(); n.Cmp(big.NewInt(MaxAddresses)) > 0 {
		return fmt.Errorf("%s has %v addresses, but at most %d are scanned; name smaller networks", ranges, n, MaxAddresses)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.searches[key]
	if old != nil && old.ranges.Equal(ranges) {
		old.check = check
		return nil
	}
	fresh := newSearch(key, ranges, check)
	if old != nil {
		s.drop(old)
		for addr, j := range old.hosts {
			if ranges.Contains(addr) {
				kept := fresh.keep(addr)
				*kept.host = *j.host
				s.queue.put(kept, j.host.Next)
			}
		}
	}
	s.searches[key] = fresh
	s.queue.put(fresh.sweep, real.Now())
	s.nudge()
	return nil
}

// Remove ends the scan of a set and forgets what is known of it.
func (s *Scanner) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.searches[key]; old != nil {
		s.drop(old)
		delete(s.searches, key)
	}
}

// drop takes a search out of the queue; s.mu is held.
func (s *Scanner) drop(old *search) {
	old.gone = true
	s.queue.drop(old.sweep)
	for _, j := range old.hosts {
		s.queue.drop(j)
	}
}

// Found are the addresses of a set that answer, in order.
func (s *Scanner) Found(key string) []netip.Addr {
	var all []netip.Addr
	for _, h := range s.Hosts(key) {
		if h.State == Answers {
			all = append(all, h.Addr)
		}
	}
	return all
}

// Hosts are the addresses of a set that are remembered, in order.
func (s *Scanner) Hosts(key string) []Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.searches[key]
	if set == nil {
		return nil
	}
	all := make([]Host, 0, len(set.hosts))
	for _, j := range set.hosts {
		all = append(all, j.host.Host)
	}
	slices.SortFunc(all, func(a, b Host) int { return a.Addr.Compare(b.Addr) })
	return all
}

// State is what is known of an address; false: nothing, so far it has never answered.
func (s *Scanner) State(key string, addr netip.Addr) (Host, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.searches[key]; set != nil {
		if j := set.hosts[addr.Unmap()]; j != nil {
			return j.host.Host, true
		}
	}
	return Host{}, false
}

// Taken takes note that somebody found an address in use: it accepts connections and says nothing, because it
// serves another client. It is not found again before its next check, which comes late. Addresses that do not
// belong to the set are ignored.
func (s *Scanner) Taken(key string, addr netip.Addr) {
	s.mu.Lock()
	addr = addr.Unmap()
	set := s.searches[key]
	if set == nil || !set.ranges.Contains(addr) {
		s.mu.Unlock()
		return
	}
	j := set.hosts[addr]
	if j == nil {
		j = set.keep(addr)
	}
	now := real.Now()
	changed, pause := j.host.inUse(now, s.pauses)
	s.plan(j, now, pause)
	s.mu.Unlock()
	s.nudge()
	if changed {
		s.o.Changed(key)
	}
}

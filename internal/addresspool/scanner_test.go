package addresspool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/genode-operator/genode-operator/internal/addresspool"
)

// street is a row of addresses, some of which answer. Its Check takes latency, or the whole time that it has.
type street struct {
	latency time.Duration

	mu      sync.Mutex
	up      map[netip.Addr]bool
	visits  map[netip.Addr][]time.Time
	at      int // checks under way
	most    int
	changes map[string]int
}

func newStreet(up ...string) *street {
	s := &street{up: map[netip.Addr]bool{}, visits: map[netip.Addr][]time.Time{}, changes: map[string]int{}}
	for _, text := range up {
		s.up[netip.MustParseAddr(text)] = true
	}
	return s
}

var errNobody = errors.New("nobody there")

func (s *street) check(ctx context.Context, addr netip.Addr) error {
	s.mu.Lock()
	s.visits[addr] = append(s.visits[addr], time.Now())
	s.at++
	s.most = max(s.most, s.at)
	s.mu.Unlock()
	select {
	case <-time.After(s.latency):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at--
	if s.up[addr] {
		return nil
	}
	return errNobody
}

func (s *street) turn(text string, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up[netip.MustParseAddr(text)] = up
}

// seen is how often an address was visited.
func (s *street) seen(addr netip.Addr) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.visits[addr])
}

// told is how often a change of a set was told.
func (s *street) told(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes[key]
}

// gaps are the seconds between the visits of an address, to the nearest second.
func (s *street) gaps(text string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []int
	v := s.visits[netip.MustParseAddr(text)]
	for i := 1; i < len(v); i++ {
		all = append(all, int(v[i].Sub(v[i-1]).Round(time.Second)/time.Second))
	}
	return all
}

// scan runs a scanner over the street in a bubble of time; use is called while it runs.
func scan(t *testing.T, s *street, o addresspool.ScannerOptions, use func(t *testing.T, scanner *addresspool.Scanner)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Changed = func(key string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changes[key]++
		}
		if o.Rand == nil {
			o.Rand = rand.New(rand.NewPCG(1, 2))
		}
		scanner := addresspool.NewScanner(o)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := scanner.Start(ctx); err != nil {
				t.Error(err)
			}
		})
		use(t, scanner)
		cancel()
		running.Wait()
	})
}

func set(t *testing.T, scanner *addresspool.Scanner, key, include string, check addresspool.Check) {
	t.Helper()
	if err := scanner.Set(key, parse(t, include), check); err != nil {
		t.Fatal(err)
	}
}

func states(hosts []addresspool.Host) string {
	var all []string
	for _, h := range hosts {
		all = append(all, fmt.Sprintf("%v %s", h.Addr, h.State))
	}
	return strings.Join(all, ", ")
}

func TestThoseThatAnswerAreFound(t *testing.T) {
	s := newStreet("127.0.0.1", "127.0.0.3", "127.0.0.6")
	scan(t, s, addresspool.ScannerOptions{}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.0/29", s.check)
		set(t, scanner, "b", "127.0.0.2-127.0.0.3", s.check)
		synctest.Wait()
		if got := fmt.Sprint(scanner.Found("a"), scanner.Found("b"), scanner.Found("c")); got != "[127.0.0.1 127.0.0.3 127.0.0.6] [127.0.0.3] []" {
			t.Errorf("found %v", got)
		}
		if a, b := s.told("a"), s.told("b"); a != 3 || b != 1 {
			t.Errorf("told of %d and %d changes", a, b)
		}
		if _, known := scanner.State("a", netip.MustParseAddr("127.0.0.2")); known {
			t.Error("an address is remembered that never answered")
		}
		if h, known := scanner.State("a", netip.MustParseAddr("::ffff:127.0.0.3")); !known || h.State != addresspool.Answers || !h.Since.Equal(time.Now()) {
			t.Errorf("state = %+v, %v", h, known)
		}
	})
}

func TestSilentAddressesAreVisitedLessAndLessOften(t *testing.T) {
	s := newStreet()
	scan(t, s, addresspool.ScannerOptions{}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.1-127.0.0.2", s.check)
		time.Sleep(150 * time.Second)
		gaps := s.gaps("127.0.0.2")
		for i, want := range []int{1, 2, 4, 8, 16, 30, 30} {
			if i >= len(gaps) || gaps[i] < want*7/10 || gaps[i] > want*13/10 {
				t.Fatalf("pauses of %v s, want about 1 2 4 8 16 30 30", gaps)
			}
		}
		if slices.Equal(gaps[:4], []int{1, 2, 4, 8}) && slices.Equal(gaps[5:7], []int{30, 30}) {
			t.Error("the pauses are not spread")
		}
		s.turn("127.0.0.2", true)
		time.Sleep(40 * time.Second)
		if got := scanner.Found("a"); len(got) != 1 {
			t.Errorf("found %v: the one that came up is missing", got)
		}
	})
}

func TestAHostThatGoesSilentComesBack(t *testing.T) {
	s := newStreet("127.0.0.1")
	scan(t, s, addresspool.ScannerOptions{Recheck: 10 * time.Second}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.1", s.check)
		time.Sleep(35 * time.Second)
		if got := s.gaps("127.0.0.1"); len(got) < 2 || slices.Min(got) < 8 || slices.Max(got) > 12 {
			t.Errorf("checked again after %v s", got)
		}
		s.turn("127.0.0.1", false)
		time.Sleep(13 * time.Second)
		if got := states(scanner.Hosts("a")); got != "127.0.0.1 Silent" || len(scanner.Found("a")) != 0 {
			t.Errorf("hosts = %v", got)
		}
		s.turn("127.0.0.1", true)
		time.Sleep(10 * time.Second)
		if got := states(scanner.Hosts("a")); got != "127.0.0.1 Answers" || s.told("a") != 3 {
			t.Errorf("hosts = %v after %d changes", got, s.told("a"))
		}
	})
}

func TestALongSilenceIsForgotten(t *testing.T) {
	s := newStreet("127.0.0.1")
	scan(t, s, addresspool.ScannerOptions{Forget: time.Minute}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.1", s.check)
		synctest.Wait()
		s.turn("127.0.0.1", false)
		time.Sleep(3 * time.Minute)
		if got := states(scanner.Hosts("a")); got != "" {
			t.Errorf("hosts = %v", got)
		}
		s.turn("127.0.0.1", true)
		time.Sleep(40 * time.Second)
		if got := states(scanner.Hosts("a")); got != "127.0.0.1 Answers" {
			t.Errorf("hosts = %v", got)
		}
	})
}

// A class B network that does not answer costs no memory and 64 goroutines, and holds no other set up.
func TestAHugeSilentNetworkHoldsNobodyUp(t *testing.T) {
	s := newStreet("127.0.0.5")
	s.latency = time.Hour
	small := newStreet("10.0.0.5")
	scan(t, s, addresspool.ScannerOptions{}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "huge", "172.16.0.0/16", s.check)
		synctest.Wait()
		set(t, scanner, "small", "10.0.0.0/28", small.check)
		time.Sleep(3 * time.Second)
		if got := states(scanner.Hosts("small")); got != "10.0.0.5 Answers" {
			t.Errorf("small set: %v", got)
		}
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(scanner.Hosts("huge")) != 0 || s.most > 64 || s.most < 60 {
			t.Errorf("%d remembered, %d at a time", len(scanner.Hosts("huge")), s.most)
		}
		if n := len(s.visits); n < 1800 || n > 2100 {
			t.Errorf("%d addresses in 63 s of 64 checks of 2 s", n)
		}
		for addr, v := range s.visits {
			if len(v) > 1 {
				t.Fatalf("%v was visited again before all were", addr)
			}
		}
	})
}

func TestAHostInUseIsLeftAlone(t *testing.T) {
	s := newStreet("127.0.0.1")
	scan(t, s, addresspool.ScannerOptions{}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.1", s.check)
		host := netip.MustParseAddr("127.0.0.1")
		for i, want := range []float64{30, 60, 120, 240, 480, 600, 600} {
			synctest.Wait()
			visited := s.seen(host)
			scanner.Taken("a", host)
			h, _ := scanner.State("a", host)
			if h.State != addresspool.InUse || !strings.Contains(h.Error, "serves another client") || len(scanner.Found("a")) != 0 {
				t.Fatalf("after report %d: %+v", i+1, h)
			}
			if pause := time.Until(h.Next).Seconds(); pause < want*0.8 || pause > want*1.2 {
				t.Errorf("after report %d it is left alone for %v s, want about %v s", i+1, pause, want)
			}
			time.Sleep(time.Until(h.Next))
			synctest.Wait()
			if got := s.seen(host) - visited; got != 1 || len(scanner.Found("a")) != 1 {
				t.Fatalf("%d checks, found %v", got, scanner.Found("a"))
			}
		}
		time.Sleep(21 * time.Minute)
		scanner.Taken("a", host)
		if h, _ := scanner.State("a", host); time.Until(h.Next) > 36*time.Second {
			t.Error("what was long ago was not forgiven")
		}
	})
}

func TestAReportIsNewerThanACheckThatBeganBefore(t *testing.T) {
	s := newStreet("127.0.0.1", "127.0.0.2")
	s.latency = time.Second
	scan(t, s, addresspool.ScannerOptions{Recheck: 10 * time.Second, Rand: rand.New(rand.NewPCG(3, 4))}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.1-127.0.0.2", s.check)
		host := netip.MustParseAddr("127.0.0.1")
		time.Sleep(500 * time.Millisecond) // in its first check
		scanner.Taken("a", host)
		time.Sleep(time.Second)
		if got := states(scanner.Hosts("a")); got != "127.0.0.1 InUse, 127.0.0.2 Answers" {
			t.Errorf("hosts = %v", got)
		}
		other := netip.MustParseAddr("127.0.0.2")
		h, _ := scanner.State("a", other)
		time.Sleep(time.Until(h.Next) + 500*time.Millisecond) // in its second
		scanner.Taken("a", other)
		time.Sleep(550 * time.Millisecond)
		if h, _ := scanner.State("a", other); h.State != addresspool.InUse || len(scanner.Found("a")) != 0 {
			t.Errorf("after the old check: %+v", h)
		}
		scanner.Taken("a", netip.MustParseAddr("127.0.0.3"))
		scanner.Taken("b", host)
		if n := len(scanner.Hosts("a")); n != 2 {
			t.Errorf("%d hosts after reports about strangers", n)
		}
	})
}

func TestAnotherSetKeepsWhatIsKnown(t *testing.T) {
	s := newStreet("127.0.0.1", "127.0.0.2", "127.0.0.3")
	scan(t, s, addresspool.ScannerOptions{}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "127.0.0.1-127.0.0.2", s.check)
		synctest.Wait()
		set(t, scanner, "a", "127.0.0.1 127.0.0.2", s.check)
		synctest.Wait()
		if n := s.seen(netip.MustParseAddr("127.0.0.1")); n != 1 {
			t.Errorf("the same addresses were visited %d times", n)
		}
		set(t, scanner, "a", "127.0.0.2-127.0.0.4", s.check)
		if got := states(scanner.Hosts("a")); got != "127.0.0.2 Answers" {
			t.Errorf("kept %v", got)
		}
		synctest.Wait()
		if got := states(scanner.Hosts("a")); got != "127.0.0.2 Answers, 127.0.0.3 Answers" {
			t.Errorf("hosts = %v", got)
		}
		scanner.Remove("a")
		scanner.Remove("a")
		before := s.seen(netip.MustParseAddr("127.0.0.2"))
		time.Sleep(5 * time.Minute)
		if s.seen(netip.MustParseAddr("127.0.0.2")) != before || len(scanner.Hosts("a")) != 0 {
			t.Error("a removed set is still scanned")
		}
	})
}

func TestMoreThanCanBeRememberedAreNotVisited(t *testing.T) {
	s := newStreet()
	for i := range 256 {
		s.turn(fmt.Sprintf("10.0.0.%d", i), true)
	}
	scan(t, s, addresspool.ScannerOptions{MaxHosts: 20, Concurrency: 4}, func(t *testing.T, scanner *addresspool.Scanner) {
		set(t, scanner, "a", "10.0.0.0/24", s.check)
		time.Sleep(2 * time.Minute)
		if n := len(scanner.Found("a")); n < 20 || n > 24 {
			t.Errorf("%d found", n)
		}
	})
}

func TestSetsThatNoScanGoesThroughAreRefused(t *testing.T) {
	scanner := addresspool.NewScanner(addresspool.ScannerOptions{})
	for _, include := range []string{"fd00::/64", "10.0.0.0-11.0.0.0", "fd00::-fd00::1:0:0:ff:ffff"} {
		if err := scanner.Set("a", parse(t, include), nil); err == nil || !strings.Contains(err.Error(), "at most 16777216 are scanned; name smaller networks") {
			t.Errorf("%s: %v", include, err)
		}
	}
	if err := scanner.Set("a", parse(t, "10.0.0.0-10.255.255.255"), nil); err != nil {
		t.Error(err)
	}
}

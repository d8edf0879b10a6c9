package echo

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pinger returns one that may send; without the right to, the test cannot run.
func pinger(t *testing.T, addr netip.Addr) *Pinger {
	t.Helper()
	p := New(Options{})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.Ping(limit(t, 10*time.Second), addr); errors.Is(err, ErrNotPermitted) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return p
}

func limit(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestHostsAnswer(t *testing.T) {
	if _, err := os.Stat("/proc/net/if_inet6"); err == nil {
		pinger(t, netip.MustParseAddr("::1"))
	}
	p := pinger(t, netip.MustParseAddr("127.0.0.1"))
	if err := p.Ping(limit(t, 10*time.Second), netip.MustParseAddr("::ffff:127.0.0.1")); err != nil {
		t.Error(err)
	}
}

// A thousand hosts are asked at the same time through one socket, and cost no goroutine afterwards.
func TestAFleetSharesOneSocket(t *testing.T) {
	p := pinger(t, netip.MustParseAddr("127.0.0.1"))
	before := runtime.NumGoroutine()
	ctx := limit(t, 20*time.Second)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if err := p.Ping(ctx, netip.AddrFrom4([4]byte{127, 0, 1 + byte(i/250), 1 + byte(i%250)})); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(p.sockets); n != 1 || len(p.waiting) != 0 {
		t.Errorf("%d sockets, %d requests waiting", n, len(p.waiting))
	}
	if n := runtime.NumGoroutine(); n > before+5 { // some that have called Done may not be gone yet
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

// wire is a socket under control of the test.
type wire struct {
	requests chan packet
	replies  chan packet
	refuse   error // of every request
}

type packet struct {
	message []byte
	addr    netip.Addr
}

func newWire() *wire { return &wire{requests: make(chan packet, 100), replies: make(chan packet)} }

func (w *wire) WriteTo(message []byte, to netip.Addr) error {
	if w.refuse == nil {
		w.requests <- packet{message, to}
	}
	return w.refuse
}

func (w *wire) ReadFrom(buffer []byte) (int, netip.Addr, error) {
	p, open := <-w.replies
	if !open {
		return 0, netip.Addr{}, net.ErrClosed
	}
	return copy(buffer, p.message), p.addr, nil
}

// Close may be called once only, as the socket's owner does.
func (w *wire) Close() error {
	close(w.replies)
	return nil
}

// answer makes the reply to a request.
func answer(request []byte) []byte {
	reply := slices.Clone(request)
	reply[0] = 0 // echo reply; nobody checks the sum but the system
	return reply
}

var host = netip.MustParseAddr("127.0.0.1")

// ping starts a Ping over the wire.
func ping(ctx context.Context, p *Pinger) (result chan error) {
	result = make(chan error, 1)
	go func() { result <- p.Ping(ctx, host) }()
	return result
}

func TestOnlyTheHostsOwnReplyCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		p := New(Options{})
		p.open = func(family) (packets, error) { return w, nil }
		result := ping(t.Context(), p)
		asked := <-w.requests
		good := answer(asked.message)
		for name, wrong := range map[string]packet{
			"our own request":      {asked.message, host},
			"another host's reply": {good, netip.MustParseAddr("127.0.0.2")},
			"another cookie":       {slices.Concat(good[:8], make([]byte, 8), good[16:]), host},
			"another number":       {slices.Concat(good[:16], make([]byte, 8)), host},
			"a short token":        {good[:20], host},
			"no token":             {good[:8], host},
			"half a header":        {good[:3], host},
			"nothing":              {nil, host},
			"unreachable":          {append([]byte{3, 1}, good[2:]...), host},
		} {
			w.replies <- wrong
			synctest.Wait()
			select {
			case err := <-result:
				t.Fatalf("%s ended the ping: %v", name, err)
			default:
			}
		}
		w.replies <- packet{good, host}
		if err := <-result; err != nil {
			t.Error(err)
		}
		w.replies <- packet{good, host} // a second time, to nobody
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestALostRequestIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		p := New(Options{Resend: 100 * time.Millisecond})
		p.open = func(family) (packets, error) { return w, nil }
		began := time.Now()
		result := ping(t.Context(), p)
		first, second := <-w.requests, <-w.requests
		if d := time.Since(began); d != 100*time.Millisecond || !slices.Equal(first.message, second.message) {
			t.Errorf("sent again after %v", d)
		}
		w.replies <- packet{answer(first.message), host}
		if err := <-result; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		if err := p.Ping(ctx, host); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "ping 127.0.0.1: no reply") {
			t.Errorf("error = %v", err)
		}
		if n := len(w.requests); n != 3 {
			t.Errorf("%d requests in 250 ms", n)
		}
		if len(p.waiting) != 0 {
			t.Error("a request that was given up is remembered")
		}
		_ = p.Close()
	})
}

func TestASocketThatFailsIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newWire(), newWire()
		wires := []*wire{first, second}
		p := New(Options{})
		p.open = func(family) (packets, error) {
			w := wires[0]
			wires = wires[1:]
			return w, nil
		}
		result := ping(t.Context(), p)
		<-first.requests
		p.giveUp(v4, first)
		asked := <-second.requests
		second.replies <- packet{answer(asked.message), host}
		if err := <-result; err != nil {
			t.Error(err)
		}
		_ = p.Close()
	})
}

func TestErrors(t *testing.T) {
	p := New(Options{})
	w := newWire()
	w.refuse = errors.New("network is unreachable")
	p.open = func(family) (packets, error) { return w, nil }
	if err := p.Ping(t.Context(), host); !errors.Is(err, w.refuse) {
		t.Errorf("error = %v", err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := p.Ping(t.Context(), host); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error after Close = %v", err)
	}
	closed := New(Options{})
	denied := errors.New("denied")
	closed.open = func(family) (packets, error) { return nil, denied }
	if err := closed.Ping(t.Context(), host); !errors.Is(err, denied) {
		t.Errorf("error = %v", err)
	}
}

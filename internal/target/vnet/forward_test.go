package vnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

const guestPort = 3001

// forward forwards a port of the loopback interface until the test ends.
func forward(t testing.TB, n *Network) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Forward(ctx, l, guestPort) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Forward = %v, want nil", err)
		}
	})
	return l.Addr()
}

func dialForward(t testing.TB, addr net.Addr) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// wantReset connects and wants a reset, be it that early that connecting already tells of it.
func wantReset(t testing.TB, addr net.Addr) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr.String(), patience)
	if err == nil {
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client sees %v, want a reset", err)
	}
}

// forwarding is a network with a guest whose port is served by handle and forwarded.
func forwarding(t testing.TB, cfg Config, handle func(net.Conn)) (*served, net.Addr) {
	t.Helper()
	cfg.MAC = someMAC
	s := serve(t, cfg)
	g := join(t, s, someMAC, guest15)
	if handle != nil {
		g.listen(guestPort, handle)
	}
	return s, forward(t, s.Network)
}

// hold keeps a connection open until the other side ends it, and sends its own end then.
func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestForwardHalfCloseByClient(t *testing.T) {
	s, addr := forwarding(t, Config{}, func(c net.Conn) {
		all, err := io.ReadAll(c) // ends with the client's end of stream
		if err == nil {
			_, _ = c.Write(append([]byte("got "), all...))
		}
	})
	c := dialForward(t, addr)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 40000)
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, append([]byte("got "), sent...)) {
		t.Errorf("read %d bytes, %v, want what was sent (%d bytes) after %q", len(got), err, len(sent), "got ")
	}
	within(t, "the connection is forgotten", func() bool { return s.OpenConnections() == 0 })
}

func TestForwardHalfCloseByGuest(t *testing.T) {
	heard := make(chan []byte, 1)
	_, addr := forwarding(t, Config{}, func(c net.Conn) {
		_, _ = c.Write([]byte("bye"))
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
		all, _ := io.ReadAll(c)
		heard <- all
	})
	c := dialForward(t, addr)
	if got, err := io.ReadAll(c); err != nil || string(got) != "bye" {
		t.Fatalf("read %q, %v, want the guest's bye and its end", got, err)
	}
	if _, err := c.Write([]byte("still here")); err != nil {
		t.Fatalf("write after the guest's end of stream: %v", err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; string(got) != "still here" {
		t.Errorf("the guest heard %q, want what was sent after its own end", got)
	}
}

func TestForwardPassesResets(t *testing.T) {
	t.Run("of the client", func(t *testing.T) {
		ended := make(chan error, 1)
		_, addr := forwarding(t, Config{}, func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, 2))
			_, err := c.Read(make([]byte, 1))
			ended <- err
		})
		c := dialForward(t, addr)
		if _, err := c.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		reset(c)
		if err := translate(<-ended); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the guest reads %v, want a reset", err)
		}
	})
	t.Run("of the guest", func(t *testing.T) {
		cut := make(chan struct{})
		s := serve(t, Config{MAC: someMAC})
		g := join(t, s, someMAC, guest15)
		g.listen(guestPort, func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, 2))
			for _, e := range g.stack.RegisteredEndpoints() {
				e.Abort()
			}
			close(cut)
		})
		c := dialForward(t, forward(t, s.Network))
		if _, err := c.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		<-cut
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client reads %v, want a reset", err)
		}
	})
	t.Run("of a port that refuses", func(t *testing.T) {
		s, addr := forwarding(t, Config{}, nil)
		wantReset(t, addr)
		within(t, "the connection is forgotten", func() bool { return s.OpenConnections() == 0 })
	})
}

func TestResetConnections(t *testing.T) {
	ended := make(chan error, 3)
	s, addr := forwarding(t, Config{}, func(c net.Conn) {
		_, err := io.Copy(io.Discard, c) // the stack tells an error once: to the first read after it
		ended <- translate(err)
	})
	var clients []*net.TCPConn
	for range 3 {
		c := dialForward(t, addr)
		if _, err := c.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	within(t, "three connections are forwarded", func() bool { return s.OpenConnections() == 3 && established(s.Network) == 3 })
	s.ResetConnections()
	for _, c := range clients {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a client reads %v, want a reset", err)
		}
		if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the guest reads %v, want a reset", err)
		}
	}
	within(t, "no connection is forwarded", func() bool { return s.OpenConnections() == 0 })
	c := dialForward(t, addr)
	if _, err := c.Write([]byte("hi")); err != nil {
		t.Errorf("a connection after the reset: %v", err)
	}
	within(t, "a new connection is forwarded", func() bool { return established(s.Network) == 1 })
}

// established is the number of relays that the guest has accepted.
func established(n *Network) int {
	n.relays.mu.Lock()
	defer n.relays.mu.Unlock()
	count := 0
	for r := range n.relays.open {
		r.mu.Lock()
		if r.guest != nil {
			count++
		}
		r.mu.Unlock()
	}
	return count
}

func TestForwardIsBounded(t *testing.T) {
	t.Run("by refusing the next", func(t *testing.T) {
		s, addr := forwarding(t, Config{MaxConnections: 2}, hold)
		dialForward(t, addr)
		dialForward(t, addr)
		within(t, "two are open", func() bool { return s.OpenConnections() == 2 })
		wantReset(t, addr)
		if got := s.OpenConnections(); got != 2 {
			t.Errorf("%d connections are open, want 2", got)
		}
	})
	t.Run("by giving up one that the client has left and the guest keeps", func(t *testing.T) {
		stay := make(chan struct{})
		s, addr := forwarding(t, Config{MaxConnections: 2}, func(c net.Conn) {
			_, _ = c.Write([]byte("hi"))
			<-stay
		})
		defer close(stay)
		kept, left := dialForward(t, addr), dialForward(t, addr)
		_ = left.CloseWrite()
		within(t, "the client's end is noticed", func() bool {
			s.relays.mu.Lock()
			defer s.relays.mu.Unlock()
			return s.relays.longestHalfDoneLocked() != nil
		})
		for _, c := range []net.Conn{kept, dialForward(t, addr)} {
			if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
				t.Errorf("a connection that is in use reads %v, want the guest's greeting", err)
			}
		}
		if _, err := io.ReadAll(left); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the one that was left reads %v, want a reset", err)
		}
	})
}

func TestForwardEndsWithItsConnections(t *testing.T) {
	s := serve(t, Config{MAC: someMAC})
	g := join(t, s, someMAC, guest15)
	g.listen(guestPort, hold)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Forward(context.Background(), l, guestPort) }()
	c := dialForward(t, l.Addr())
	within(t, "the guest accepts", func() bool { return established(s.Network) == 1 })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Forward on a closed network = %v, want net.ErrClosed", err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client reads %v, want a reset", err)
	}
}

func TestDialGuest(t *testing.T) {
	s := serve(t, Config{})
	g := join(t, s, someMAC, guest15)
	g.listen(guestPort, func(c net.Conn) { _, _ = io.Copy(c, c) })
	c, err := s.DialGuest(t.Context(), guestPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v, want what was written", got, err)
	}
	if err := c.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := c.Read(got); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("read past the deadline: %v, want a time-out", err)
	}
	if _, err := s.DialGuest(t.Context(), guestPort+1); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial a closed port: %v, want ECONNREFUSED", err)
	}
}

func TestDialGuestThatIsAway(t *testing.T) {
	cases := map[string]struct {
		cfg    Config
		joined bool
	}{
		"no guest was ever there":        {},
		"no guest, but its MAC is known": {cfg: Config{MAC: someMAC}},
		"a guest that is silent":         {cfg: Config{MAC: someMAC}, joined: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tc.cfg)
			if tc.joined {
				join(t, s, someMAC, guest15).setMute(true)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			if c, err := s.DialGuest(ctx, guestPort); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("dial = %v, %v, want the context's error", c, err)
			}
		})
	}
	t.Run("until it comes", func(t *testing.T) {
		s := serve(t, Config{})
		done := make(chan error, 1)
		go func() {
			c, err := s.DialGuest(context.Background(), guestPort)
			if err == nil {
				err = c.Close()
			}
			done <- err
		}()
		join(t, s, someMAC, guest15).listen(guestPort, hold)
		if err := <-done; err != nil && !errors.Is(err, syscall.ECONNREFUSED) { // refused: dialled before it listened
			t.Errorf("dial = %v, want success", err)
		}
	})
	t.Run("on a closed network", func(t *testing.T) {
		s := serve(t, Config{})
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DialGuest(t.Context(), guestPort); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dial = %v, want net.ErrClosed", err)
		}
	})
}

func BenchmarkForward(b *testing.B) {
	s, addr := forwarding(b, Config{}, hold)
	c := dialForward(b, addr)
	if err := c.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := c.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Stats().Dropped), "dropped")
	b.ReportMetric(float64(s.stack.Stats().TCP.Retransmits.Value()), "resent")
}

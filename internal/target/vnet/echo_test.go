package vnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

var guest15 = netip.MustParseAddr("10.0.2.15")

// echoes collects what Echoes reports until the test ends.
func echoes(t testing.TB, n *Network, interval time.Duration) <-chan Echo {
	t.Helper()
	got := make(chan Echo, 4096)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Echoes(ctx, interval, func(e Echo) { got <- e }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Echoes = %v, want nil", err)
		}
	})
	return got
}

// nextEcho is the next one that fits.
func nextEcho(t testing.TB, got <-chan Echo, fits func(Echo) bool) Echo {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-got:
			if fits(e) {
				return e
			}
		case <-late:
			t.Fatal("the echo did not come")
		}
	}
}

func isReply(e Echo) bool   { return !e.Received.IsZero() }
func isRequest(e Echo) bool { return e.Received.IsZero() }

func TestGuestAnswersEchoes(t *testing.T) {
	cases := map[string]struct {
		cfg       Config
		mac       net.HardwareAddr
		addr      netip.Addr
		announces bool
	}{
		"a guest whose MAC is known":          {cfg: Config{MAC: someMAC}, mac: someMAC, addr: guest15},
		"a guest whose MAC must be asked for": {mac: someMAC, addr: guest15},
		"a guest with another MAC than told":  {cfg: Config{MAC: someMAC}, mac: anotherMAC, addr: guest15},
		"a guest in a subnet of its own": {
			cfg: Config{
				Subnet: netip.MustParsePrefix("192.168.217.0/24"), Gateway: netip.MustParseAddr("192.168.217.20"),
				Guest: netip.MustParseAddr("192.168.217.21"),
			},
			mac: someMAC, addr: netip.MustParseAddr("192.168.217.21"),
		},
		"a guest with an undeclared static address that announces itself": {
			cfg: Config{MAC: someMAC}, mac: someMAC, addr: netip.MustParseAddr("10.0.2.77"), announces: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tc.cfg)
			g := join(t, s, tc.mac, tc.addr)
			if tc.announces {
				g.send(announcement(tc.mac, tc.addr))
			}
			got := echoes(t, s.Network, 20*time.Millisecond)
			first, second := nextEcho(t, got, isReply), nextEcho(t, got, isReply)
			if first.Seq == second.Seq {
				t.Errorf("two replies to request %d, want one each", first.Seq)
			}
			if want := first.Received.Sub(first.Sent); first.RoundTrip != want || want <= 0 {
				t.Errorf("round trip = %s, want %s and more than nothing", first.RoundTrip, want)
			}
			if mac, ok := s.GuestMAC(); !ok || mac.String() != tc.mac.String() {
				t.Errorf("GuestMAC = %v, %v, want %v", mac, ok, tc.mac)
			}
			if s.GuestAddr() != tc.addr {
				t.Errorf("GuestAddr = %v, want %v", s.GuestAddr(), tc.addr)
			}
		})
	}
}

// announcement is a gratuitous ARP request.
func announcement(from net.HardwareAddr, addr netip.Addr) []byte {
	b := arpRequest(addr, addr)
	copy(b[6:], from)
	copy(b[ethSize+8:], from)
	return b
}

func TestRequestsGoOnWithoutAGuest(t *testing.T) {
	s := serve(t, Config{})
	got := echoes(t, s.Network, time.Millisecond)
	a, b := nextEcho(t, got, isRequest), nextEcho(t, got, isRequest)
	if b.Seq != a.Seq+1 {
		t.Errorf("sequence numbers %d, %d, want each one more", a.Seq, b.Seq)
	}
	if a.Sent.IsZero() || b.Sent.Before(a.Sent) {
		t.Errorf("sent at %v, then %v", a.Sent, b.Sent)
	}
	if _, ok := s.GuestMAC(); ok {
		t.Error("a MAC is known without a guest")
	}
}

// The interval is an hour: only what happens when a guest appears can make a second request.
func TestAppearingGuestIsSentAnEchoAtOnce(t *testing.T) {
	s := serve(t, Config{})
	got := echoes(t, s.Network, time.Hour)
	nextEcho(t, got, isRequest)
	for _, mac := range []net.HardwareAddr{someMAC, anotherMAC} { // the second replaces the first
		g := join(t, s, mac, guest15)
		g.send(announcement(mac, guest15))
		nextEcho(t, got, isReply)
	}
}

func TestSilentGuestThatComesBackAnswersTheNextEcho(t *testing.T) {
	s := serve(t, Config{})
	g := join(t, s, someMAC, guest15)
	got := echoes(t, s.Network, 10*time.Millisecond)
	nextEcho(t, got, isReply)
	g.setMute(true)
	silent := 0
	nextEcho(t, got, func(e Echo) bool {
		if isReply(e) {
			silent = 0
		} else {
			silent++
		}
		return silent > 20
	})
	g.setMute(false)
	back := nextEcho(t, got, isRequest).Seq + 1 // sent after the guest is back: earlier ones may be on their way
	reply := nextEcho(t, got, func(e Echo) bool { return isReply(e) && int16(e.Seq-back) >= 0 })
	if reply.Seq-back > 5 { // generous: this machine may be busy
		t.Errorf("first reply is to request %d, want one close to %d", reply.Seq, back)
	}
}

func TestReconnectingGuestWithAnotherMAC(t *testing.T) {
	s := serve(t, Config{})
	first := join(t, s, someMAC, guest15)
	got := echoes(t, s.Network, 10*time.Millisecond)
	nextEcho(t, got, isReply)
	second := join(t, s, anotherMAC, guest15) // replaces the first, which is not closed
	before := nextEcho(t, got, isRequest).Seq
	within(t, "the new MAC is known", func() bool {
		mac, _ := s.GuestMAC()
		return mac.String() == second.mac.String()
	})
	nextEcho(t, got, func(e Echo) bool { return isReply(e) && e.Seq > before })
	if _, err := first.conn.Read(make([]byte, 1)); err == nil {
		t.Error("the replaced connection still delivers, want it closed")
	}
}

func TestLateAndDoubleReplies(t *testing.T) {
	e := &echoer{}
	at := time.Now()
	e.sent[7] = outstanding{seq: 7, at: at}
	e.sent[8] = outstanding{seq: 8 + remembered, at: at}
	if got, ok := e.match(echoReply{seq: 7, at: at.Add(9 * time.Second)}); !ok || got.RoundTrip != 9*time.Second {
		t.Errorf("late reply = %+v, %v, want a round trip of 9 s", got, ok)
	}
	if _, ok := e.match(echoReply{seq: 7, at: at.Add(10 * time.Second)}); ok {
		t.Error("a second reply counts, want the first only")
	}
	if _, ok := e.match(echoReply{seq: 8, at: at}); ok {
		t.Error("a reply to a forgotten request counts for the one in its place")
	}
	if _, ok := e.match(echoReply{seq: 9, at: at}); ok {
		t.Error("a reply without a request counts")
	}
}

func TestEchoesEnd(t *testing.T) {
	s := serve(t, Config{})
	if err := s.Echoes(t.Context(), 0, func(Echo) {}); err == nil {
		t.Error("an interval of 0 is taken, want an error")
	}
	done := make(chan error, 1)
	go func() { done <- s.Echoes(context.Background(), time.Hour, func(Echo) {}) }()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Echoes on a closed network = %v, want net.ErrClosed", err)
	}
}

// A request and its reply cost no memory: at fast settings there are a hundred a second, for years.
func TestEchoAllocatesNothing(t *testing.T) {
	n, err := New(Config{MAC: someMAC})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	w, qemu := pipe(t)
	go func() { _, _ = io.Copy(io.Discard, qemu) }()
	n.link.wire.Store(w)
	n.guest.seen(mac(someMAC), guest15)
	e, err := n.newEchoer()
	if err != nil {
		t.Fatal(err)
	}
	reply := fromGuest("10.0.2.15", "10.0.2.2", header.ICMPv4ProtocolNumber, make([]byte, icmpEchoSize))
	m := header.ICMPv4(header.IPv4(reply[ethSize:]).Payload())
	m.SetIdent(e.ident)
	if got := testing.AllocsPerRun(1000, func() {
		m.SetSequence(e.request(n).Seq)
		n.handle(w, reply)
		if _, ok := e.match(<-e.replies); !ok {
			t.Fatal("the reply does not count")
		}
	}); got >= 1 {
		t.Errorf("%v allocations for an echo, want none", got)
	}
}

func BenchmarkEcho(b *testing.B) {
	s := serve(b, Config{MAC: someMAC})
	join(b, s, someMAC, guest15)
	got := echoes(b, s.Network, time.Millisecond)
	nextEcho(b, got, isReply)
	var sum time.Duration
	replies := 0
	b.ReportAllocs()
	for b.Loop() {
		sum += nextEcho(b, got, isReply).RoundTrip
		replies++
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(replies), "µs/roundtrip")
}

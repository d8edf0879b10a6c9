package vnet

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Garbage ends the connection that it came on, and the next guest is served.
func TestGarbageEndsOnlyTheConnection(t *testing.T) {
	cases := map[string][]byte{
		"a huge length":             sized(1<<32 - 1),
		"a length beyond QEMU's":    sized(maxFrame + 1),
		"something that is no QEMU": []byte("GET / HTTP/1.1\r\nHost: guest\r\n\r\n"),
	}
	s := serve(t, Config{})
	for name, garbage := range cases {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("unix", s.path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.Write(garbage); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
				t.Errorf("read after garbage: %v, want the connection to be closed", err)
			}
		})
	}
	join(t, s, someMAC, guest15)
	nextEcho(t, echoes(t, s.Network, 20*time.Millisecond), isReply)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// A flood of ARP, DHCP and echo replies from ever new addresses leaves nothing behind, and the guest is
// still found where it said it was first.
func TestFloodLeavesNothingBehind(t *testing.T) {
	s := serve(t, Config{})
	g := join(t, s, someMAC, guest15)
	got := echoes(t, s.Network, 20*time.Millisecond)
	nextEcho(t, got, isReply)
	const flood = 2000
	before := s.Stats().Received
	for i := range flood {
		mac := net.HardwareAddr{2, 0, 0, 0, byte(i >> 8), byte(i)}
		addr := netip.AddrFrom4([4]byte{10, 0, 2, byte(16 + i%200)})
		switch i % 4 {
		case 0:
			g.send(announcement(mac, addr))
		case 1:
			b := arpRequest(addr, gateway2)
			copy(b[6:], mac)
			copy(b[ethSize+8:], mac)
			g.send(b)
		case 2:
			g.send(dhcpFrame(mac, dhcpMessage(t, dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover)).ToBytes()))
		default:
			g.send(fromGuest(addr.String(), "10.0.2.2", header.ICMPv4ProtocolNumber, make([]byte, 8)))
		}
	}
	within(t, "the flood is read", func() bool { return s.Stats().Received >= before+flood })
	neighbors, err := s.stack.Neighbors(nicID, header.IPv4ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	if len(neighbors) > 300 { // the stack keeps those whose ARP requests it answered, up to the subnet's size
		t.Errorf("%d neighbours after the flood", len(neighbors))
	}
	if s.GuestAddr() != guest15 {
		t.Errorf("the guest is looked for at %s, want %s", s.GuestAddr(), guest15)
	}
	nextEcho(t, got, isReply)
}

// Frames with random faults, TCP segments of an open connection among them, stop neither echoes nor connections.
func TestDamagedFramesDoNoHarm(t *testing.T) {
	s, addr := forwarding(t, Config{}, hold)
	c := dialForward(t, addr)
	within(t, "the guest accepts", func() bool { return established(s.Network) == 1 })
	evil := join(t, s, someMAC, guest15) // replaces the guest, with its MAC and address
	evil.setMute(true)
	got := echoes(t, s.Network, 20*time.Millisecond)
	rng := rand.New(rand.NewPCG(1, 2))
	seeds := [][]byte{tcpFrame(), announcement(someMAC, guest15), dhcpFrame(someMAC, dhcpMessage(t).ToBytes())}
	stop := time.Now().Add(time.Second)
	for i := 0; i < 20000 && time.Now().Before(stop); i++ {
		select {
		case f := <-evil.frames: // sent back with the addresses turned round, it fits an open connection
			seeds = append(seeds[:3], turnedRound(f))
			if i%1000 == 0 {
				_, _ = c.Write([]byte("more"))
			}
		default:
		}
		evil.send(damaged(rng, seeds[rng.IntN(len(seeds))]))
	}
	evil.end()
	join(t, s, someMAC, guest15)
	nextEcho(t, got, isReply)
	if s.Stats().Panics != 0 {
		t.Errorf("%d frames broke their handler", s.Stats().Panics)
	}
}

// turnedRound is a frame with its addresses exchanged.
func turnedRound(frame []byte) []byte {
	b := append([]byte(nil), frame...)
	copy(b[:6], frame[6:12])
	copy(b[6:12], someMAC)
	if header.Ethernet(b).Type() == header.IPv4ProtocolNumber && len(b) >= ethSize+24 {
		copy(b[ethSize+12:], frame[ethSize+16:ethSize+20])
		copy(b[ethSize+16:], frame[ethSize+12:ethSize+16])
		copy(b[ethSize+20:], frame[ethSize+22:ethSize+24])
		copy(b[ethSize+22:], frame[ethSize+20:ethSize+22])
	}
	return b
}

// damaged is a frame with some bytes changed behind the addresses, and sometimes cut off.
func damaged(rng *rand.Rand, frame []byte) []byte {
	b := append([]byte(nil), frame...)
	for range rng.IntN(4) {
		b[12+rng.IntN(len(b)-12)] = byte(rng.Uint32())
	}
	if rng.IntN(8) == 0 {
		b = b[:rng.IntN(len(b))]
	}
	return b
}

func TestPanicCostsTheFrame(t *testing.T) {
	s := serve(t, Config{})
	s.guest.moved = func(place, place) { panic("broken") }
	g := join(t, s, someMAC, guest15)
	g.send(announcement(someMAC, guest15))
	within(t, "the panic is counted", func() bool { return s.Stats().Panics > 0 })
	g.send(dhcpFrame(someMAC, dhcpMessage(t, dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover)).ToBytes()))
	g.await(func(frame []byte) bool { return header.Ethernet(frame).Type() == header.IPv4ProtocolNumber })
}

// A QEMU that does not read holds up neither echoes nor dials, and costs no more than the backlog.
func TestQEMUThatDoesNotRead(t *testing.T) {
	s := serve(t, Config{MAC: someMAC})
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	got := echoes(t, s.Network, 50*time.Microsecond)
	within(t, "frames are dropped", func() bool {
		for len(got) > 0 {
			<-got
		}
		return s.Stats().Dropped > 100
	})
	w := s.link.wire.Load()
	w.mu.Lock()
	if len(w.urgent) > maxUrgent || len(w.backlog) > 0 {
		t.Errorf("%d bytes of echoes and %d others wait, want at most %d and none", len(w.urgent), len(w.backlog), maxUrgent)
	}
	w.mu.Unlock()
	// Once it reads, frames come whole and in order.
	frames := newFrameReader(conn, 1500)
	for range 50 {
		if frame, err := frames.next(); err != nil || len(frame) < 42 {
			t.Fatalf("frame of %d bytes, %v, want whole ones", len(frame), err)
		}
	}
}

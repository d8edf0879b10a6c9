package vnet

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

var testDHCP = dhcpServer{
	subnet: netip.MustParsePrefix("10.0.2.0/24"), gateway: netip.MustParseAddr("10.0.2.2"), guest: guest15, mtu: 1500,
}

func dhcpMessage(t testing.TB, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(someMAC)}, mods...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDHCPAnswers(t *testing.T) {
	kind := dhcpv4.WithMessageType
	wants := func(ip string) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.ParseIP(ip)))
	}
	cases := map[string]struct {
		request     []dhcpv4.Modifier
		want        dhcpv4.MessageType
		wantGranted bool
	}{
		"a discovery is offered the address": {[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeDiscover)}, dhcpv4.MessageTypeOffer, false},
		"a request for the address is granted": {
			[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeRequest), wants("10.0.2.15")}, dhcpv4.MessageTypeAck, true,
		},
		"a renewal is granted": {
			[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeRequest), dhcpv4.WithClientIP(net.ParseIP("10.0.2.15"))}, dhcpv4.MessageTypeAck, true,
		},
		"a request for another address is refused": {
			[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeRequest), wants("10.0.2.16")}, dhcpv4.MessageTypeNak, false,
		},
		"a request for another server is not for us": {
			[]dhcpv4.Modifier{
				kind(dhcpv4.MessageTypeRequest), wants("10.0.2.15"),
				dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.ParseIP("10.0.2.9"))),
			}, dhcpv4.MessageTypeNone, false,
		},
		"a guest with an address of its own is told the rest": {
			[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeInform), dhcpv4.WithClientIP(net.ParseIP("10.0.2.77"))}, dhcpv4.MessageTypeAck, false,
		},
		"a release needs no answer":       {[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeRelease)}, dhcpv4.MessageTypeNone, false},
		"a message of no type needs none": {nil, dhcpv4.MessageTypeNone, false},
		"a reply is not a request": {
			[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeDiscover), func(m *dhcpv4.DHCPv4) { m.OpCode = dhcpv4.OpcodeBootReply }},
			dhcpv4.MessageTypeNone, false,
		},
		"a client without an Ethernet address is none of ours": {
			[]dhcpv4.Modifier{kind(dhcpv4.MessageTypeDiscover), dhcpv4.WithHwAddr(net.HardwareAddr{1, 2})}, dhcpv4.MessageTypeNone, false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			request := dhcpMessage(t, tc.request...)
			reply, granted := testDHCP.answer(request.ToBytes())
			got := dhcpv4.MessageTypeNone
			if reply != nil {
				got = reply.MessageType()
			}
			if got != tc.want || granted != tc.wantGranted {
				t.Fatalf("answer %v, granted %v, want %v, %v", got, granted, tc.want, tc.wantGranted)
			}
			if reply == nil {
				return
			}
			if reply.TransactionID != request.TransactionID || !reply.ServerIdentifier().Equal(net.ParseIP("10.0.2.2")) {
				t.Errorf("the reply does not belong to the request: %s", reply.Summary())
			}
			inform := request.MessageType() == dhcpv4.MessageTypeInform
			if hasAddress := !reply.YourIPAddr.IsUnspecified(); hasAddress != (got != dhcpv4.MessageTypeNak && !inform) {
				t.Errorf("address in the reply: %v", reply.YourIPAddr)
			}
		})
	}
}

// A guest without an address takes its lease over the wire, and is talked to there whatever its MAC.
func TestGuestTakesItsLease(t *testing.T) {
	s := serve(t, Config{MAC: someMAC, MTU: 1400})
	for _, mac := range []net.HardwareAddr{someMAC, anotherMAC} {
		g := join(t, s, mac, netip.Addr{})
		offer := g.askDHCP(dhcpMessage(t, dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover)))
		request, err := dhcpv4.NewRequestFromOffer(offer)
		if err != nil {
			t.Fatal(err)
		}
		ack := g.askDHCP(request)
		ones, _ := ack.SubnetMask().Size()
		mtu := dhcpv4.GetUint16
		size, err := mtu(dhcpv4.OptionInterfaceMTU, ack.Options)
		if ack.MessageType() != dhcpv4.MessageTypeAck || !ack.YourIPAddr.Equal(guest15.AsSlice()) || ones != 24 ||
			len(ack.Router()) != 1 || !ack.Router()[0].Equal(net.ParseIP("10.0.2.2")) || err != nil || size != 1400 ||
			ack.IPAddressLeaseTime(0) != 24*time.Hour {
			t.Fatalf("lease = %s, want 10.0.2.15/24 for a day, router 10.0.2.2, MTU 1400", ack.Summary())
		}
		g.setAddr(guest15)
		nextEcho(t, echoes(t, s.Network, 20*time.Millisecond), isReply)
		if got, _ := s.GuestMAC(); got.String() != mac.String() {
			t.Errorf("GuestMAC = %v, want %v", got, mac)
		}
	}
}

// askDHCP sends a message as a guest without an address does, and returns the answer.
func (g *testGuest) askDHCP(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	g.t.Helper()
	g.send(dhcpFrame(g.mac, m.ToBytes()))
	var reply *dhcpv4.DHCPv4
	g.await(func(frame []byte) bool {
		ip := header.IPv4(frame[ethSize:])
		if header.Ethernet(frame).Type() != header.IPv4ProtocolNumber || !ip.IsValid(len(ip)) || !ip.IsChecksumValid() ||
			ip.TransportProtocol() != header.UDPProtocolNumber {
			return false
		}
		udp := header.UDP(ip.Payload())
		if !udp.IsChecksumValid(ip.SourceAddress(), ip.DestinationAddress(), checksumOf(udp.Payload())) {
			g.t.Error("wrong UDP checksum")
		}
		got, err := dhcpv4.FromBytes(udp.Payload())
		if err != nil || udp.DestinationPort() != dhcpClientPort || got.TransactionID != m.TransactionID {
			return false
		}
		reply = got
		return true
	})
	return reply
}

// dhcpFrame is a DHCP message from 0.0.0.0 to everybody.
func dhcpFrame(from net.HardwareAddr, payload []byte) []byte {
	b := newPacket(header.EthernetBroadcastAddress, netip.IPv4Unspecified(), netip.AddrFrom4([4]byte{255, 255, 255, 255}),
		header.UDPProtocolNumber, header.UDPMinimumSize+len(payload))
	copy(b[6:], from)
	udp := header.UDP(header.IPv4(b[ethSize:]).Payload())
	udp.Encode(&header.UDPFields{SrcPort: dhcpClientPort, DstPort: dhcpServerPort, Length: uint16(len(udp))})
	copy(udp.Payload(), payload)
	return b
}

func TestDHCPRenewalIsAnsweredDirectly(t *testing.T) {
	renewal := dhcpMessage(t, dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest), dhcpv4.WithClientIP(guest15.AsSlice()))
	reply, _ := testDHCP.answer(renewal.ToBytes())
	frame := testDHCP.frame(reply)
	if dst := header.IPv4(frame[ethSize:]).DestinationAddress().String(); dst != "10.0.2.15" || string(frame[:6]) != string(someMAC) {
		t.Errorf("the answer goes to %s at %x, want 10.0.2.15 at %s", dst, frame[:6], someMAC)
	}
}

func FuzzDHCP(f *testing.F) {
	f.Add(dhcpMessage(f, dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover)).ToBytes())
	f.Add(dhcpMessage(f, dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest), dhcpv4.WithClientIP(guest15.AsSlice())).ToBytes())
	f.Fuzz(func(t *testing.T, request []byte) {
		reply, granted := testDHCP.answer(request)
		if reply == nil {
			if granted {
				t.Error("granted without a reply")
			}
			return
		}
		if frame := testDHCP.frame(reply); len(frame) > ethSize+testDHCP.mtu {
			t.Errorf("the answer has %d bytes, more than the MTU of %d", len(frame)-ethSize, testDHCP.mtu)
		}
	})
}

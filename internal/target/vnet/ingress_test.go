package vnet

import (
	"net"
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

var gateway2 = netip.MustParseAddr("10.0.2.2")

func testIngress() ingress {
	subnet := netip.MustParsePrefix("10.0.2.0/24")
	return ingress{subnet: subnet, gateway: gateway2, broadcast: broadcastOf(subnet)}
}

func checksumOf(b []byte) uint16 { return checksum.Checksum(b, 0) }

// fromGuest is a packet from some guest to the gateway's MAC.
func fromGuest(src, dst string, protocol tcpip.TransportProtocolNumber, payload []byte) []byte {
	b := newPacket(tcpip.LinkAddress(gatewayMAC), netip.MustParseAddr(src), netip.MustParseAddr(dst), protocol, len(payload))
	copy(b[6:], someMAC)
	copy(header.IPv4(b[ethSize:]).Payload(), payload)
	return b
}

func tcpFrame() []byte {
	return fromGuest("10.0.2.15", "10.0.2.2", header.TCPProtocolNumber, make([]byte, 20))
}

// with is a copy of the frame with one byte changed.
func with(frame []byte, at int, b byte) []byte {
	frame[at] = b
	return frame
}

func TestClassify(t *testing.T) {
	udpTo := func(port uint16, dst string) []byte {
		u := make(header.UDP, header.UDPMinimumSize+4)
		u.Encode(&header.UDPFields{DstPort: port, Length: uint16(len(u))})
		return fromGuest("10.0.2.15", dst, header.UDPProtocolNumber, u)
	}
	icmpOf := func(kind header.ICMPv4Type) []byte {
		return fromGuest("10.0.2.15", "10.0.2.2", header.ICMPv4ProtocolNumber, []byte{byte(kind), 0, 0, 0, 0, 0, 0, 0})
	}
	probe := func(addr string) []byte {
		b := arpRequest(netip.IPv4Unspecified(), netip.MustParseAddr(addr))
		copy(b[6:], someMAC)
		copy(b[ethSize+8:], someMAC)
		return b
	}
	whoHas := func(from net.HardwareAddr, sender, target string) []byte {
		b := arpRequest(netip.MustParseAddr(sender), netip.MustParseAddr(target))
		copy(b[6:], from)
		copy(b[ethSize+8:], from)
		return b
	}
	at := guest15
	cases := map[string]struct {
		frame    []byte
		want     class
		wantFrom netip.Addr
	}{
		"nothing":                                   {nil, classDrop, netip.Addr{}},
		"a header without a packet":                 {tcpFrame()[:ethSize], classDrop, netip.Addr{}},
		"TCP to the gateway":                        {tcpFrame(), classPackets, at},
		"TCP to another machine in the subnet":      {fromGuest("10.0.2.15", "10.0.2.9", header.TCPProtocolNumber, make([]byte, 20)), classDrop, netip.Addr{}},
		"TCP to the pod's network":                  {fromGuest("10.0.2.15", "10.96.0.1", header.TCPProtocolNumber, make([]byte, 20)), classDrop, netip.Addr{}},
		"TCP to loopback":                           {fromGuest("10.0.2.15", "127.0.0.1", header.TCPProtocolNumber, make([]byte, 20)), classDrop, netip.Addr{}},
		"TCP in the name of the gateway":            {fromGuest("10.0.2.2", "10.0.2.2", header.TCPProtocolNumber, make([]byte, 20)), classDrop, netip.Addr{}},
		"TCP from outside of the subnet":            {fromGuest("8.8.8.8", "10.0.2.2", header.TCPProtocolNumber, make([]byte, 20)), classDrop, netip.Addr{}},
		"TCP from the broadcast address":            {fromGuest("10.0.2.255", "10.0.2.2", header.TCPProtocolNumber, make([]byte, 20)), classDrop, netip.Addr{}},
		"a fragment":                                {with(tcpFrame(), ethSize+6, 0x20), classDrop, netip.Addr{}},
		"a later fragment":                          {with(tcpFrame(), ethSize+7, 1), classDrop, netip.Addr{}},
		"a packet that claims to be longer":         {with(tcpFrame(), ethSize+3, 200), classDrop, netip.Addr{}},
		"a header that claims to be longer":         {with(tcpFrame(), ethSize, 0x4f), classDrop, netip.Addr{}},
		"IP version 6":                              {with(tcpFrame(), ethSize, 0x65), classDrop, netip.Addr{}},
		"a frame of IPv6":                           {with(with(tcpFrame(), 12, 0x86), 13, 0xdd), classDrop, netip.Addr{}},
		"a frame for somebody else":                 {with(tcpFrame(), 5, 99), classDrop, netip.Addr{}},
		"a frame from the gateway's MAC":            {append(append(tcpFrame()[:6:6], gatewayMAC...), tcpFrame()[12:]...), classDrop, netip.Addr{}},
		"a frame from a multicast MAC":              {with(tcpFrame(), 6, 0x01), classDrop, netip.Addr{}},
		"an unknown protocol":                       {fromGuest("10.0.2.15", "10.0.2.2", 132, make([]byte, 20)), classDrop, netip.Addr{}},
		"an echo reply":                             {icmpOf(header.ICMPv4EchoReply), classEcho, at},
		"an echo request to the gateway":            {icmpOf(header.ICMPv4Echo), classPackets, at},
		"a redirect":                                {icmpOf(header.ICMPv4Redirect), classDrop, netip.Addr{}},
		"a short ICMP message":                      {fromGuest("10.0.2.15", "10.0.2.2", header.ICMPv4ProtocolNumber, []byte{0, 0}), classDrop, netip.Addr{}},
		"DHCP to everybody":                         {dhcpFrame(someMAC, []byte("x")), classDHCP, netip.Addr{}},
		"DHCP to the gateway":                       {udpTo(67, "10.0.2.2"), classDHCP, at},
		"DHCP to somebody else":                     {udpTo(67, "10.0.2.3"), classDrop, netip.Addr{}},
		"DNS to the gateway":                        {udpTo(53, "10.0.2.2"), classDrop, netip.Addr{}},
		"UDP that claims to be longer":              {with(udpTo(67, "10.0.2.2"), ethSize+20+5, 99), classDrop, netip.Addr{}},
		"UDP that claims to be shorter than itself": {with(udpTo(67, "10.0.2.2"), ethSize+20+5, 3), classDrop, netip.Addr{}},
		"ARP for the gateway":                       {whoHas(someMAC, "10.0.2.15", "10.0.2.2"), classARP, at},
		"ARP for somebody else":                     {whoHas(someMAC, "10.0.2.15", "10.0.2.9"), classNotice, at},
		"ARP in the name of the gateway":            {whoHas(someMAC, "10.0.2.2", "10.0.2.9"), classDrop, netip.Addr{}},
		"ARP from outside of the subnet":            {whoHas(someMAC, "169.254.1.1", "10.0.2.2"), classDrop, netip.Addr{}},
		"ARP with another sender than the frame's":  {with(whoHas(someMAC, "10.0.2.15", "10.0.2.2"), 11, 1), classDrop, netip.Addr{}},
		"a probe for the gateway's address":         {probe("10.0.2.2"), classARP, netip.Addr{}},
		"a probe for its own address":               {probe("10.0.2.15"), classNotice, netip.Addr{}},
		"a short ARP":                               {whoHas(someMAC, "10.0.2.15", "10.0.2.2")[:ethSize+20], classDrop, netip.Addr{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := testIngress().classify(tc.frame)
			if got.class != tc.want || got.from != tc.wantFrom {
				t.Errorf("classify = %v from %v, want %v from %v", got.class, got.from, tc.want, tc.wantFrom)
			}
		})
	}
}

package vnet

import (
	"bytes"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

const (
	dhcpServerPort = 67
	dhcpClientPort = 68
	icmpEchoSize   = 8 // bytes of an echo's header
)

// class says what becomes of a frame from the guest.
type class int

const (
	classDrop    class = iota
	classNotice        // says where the guest is, nothing else
	classEcho          // a reply to an echo request
	classDHCP          // for the DHCP server
	classARP           // for the stack, as ARP
	classPackets       // for the stack, as IPv4
)

// frameNews is what one frame means.
type frameNews struct {
	class class
	// from is the guest's address when the frame tells it, and the zero Addr otherwise.
	from netip.Addr
	// body is the part behind the Ethernet header; behind the UDP header for classDHCP, the ICMP
	// message for classEcho.
	body []byte
}

// ingress judges what comes from the guest. The guest may be hostile: what is not expected is dropped.
type ingress struct {
	subnet    netip.Prefix
	gateway   netip.Addr
	broadcast netip.Addr
}

// classify judges one frame. It is pure, and safe for any content.
func (in ingress) classify(frame []byte) frameNews {
	if len(frame) < ethSize || !isStation(frame[6:12]) {
		return frameNews{}
	}
	if dst := frame[:6]; !bytes.Equal(dst, gatewayMAC) && string(dst) != string(header.EthernetBroadcastAddress) {
		return frameNews{}
	}
	switch header.Ethernet(frame).Type() {
	case header.ARPProtocolNumber:
		return in.arp(frame)
	case header.IPv4ProtocolNumber:
		return in.ipv4(frame[ethSize:])
	default:
		return frameNews{}
	}
}

// arp takes requests for the gateway's address and every frame in which the guest says where it is.
func (in ingress) arp(frame []byte) frameNews {
	body := frame[ethSize:]
	a := header.ARP(body)
	if !a.IsValid() || !bytes.Equal(a.HardwareAddressSender(), frame[6:12]) {
		return frameNews{}
	}
	sender := netip.AddrFrom4([4]byte(a.ProtocolAddressSender()))
	target := netip.AddrFrom4([4]byte(a.ProtocolAddressTarget()))
	from := in.guestAddress(sender)
	if !from.IsValid() && !sender.IsUnspecified() { // unspecified: the guest probes an address before it takes it
		return frameNews{}
	}
	news := frameNews{class: classNotice, from: from, body: body}
	if a.Op() == header.ARPRequest && target == in.gateway {
		news.class = classARP
	}
	return news
}

// ipv4 takes whole packets that are meant for the gateway.
func (in ingress) ipv4(body []byte) frameNews {
	ip := header.IPv4(body)
	if !ip.IsValid(len(body)) || ip.More() || ip.FragmentOffset() != 0 {
		return frameNews{}
	}
	src := netip.AddrFrom4([4]byte(ip.SourceAddressSlice()))
	dst := netip.AddrFrom4([4]byte(ip.DestinationAddressSlice()))
	body = body[:ip.TotalLength()] // the rest is the padding of a short frame
	if ip.TransportProtocol() == header.UDPProtocolNumber {
		return in.udp(body, src, dst)
	}
	from := in.guestAddress(src)
	if dst != in.gateway || !from.IsValid() {
		return frameNews{}
	}
	switch ip.TransportProtocol() {
	case header.TCPProtocolNumber:
		return frameNews{class: classPackets, from: from, body: body}
	case header.ICMPv4ProtocolNumber:
		return icmp(body, from)
	default:
		return frameNews{}
	}
}

func icmp(body []byte, from netip.Addr) frameNews {
	m := header.ICMPv4(header.IPv4(body).Payload())
	if len(m) < icmpEchoSize {
		return frameNews{}
	}
	switch m.Type() {
	case header.ICMPv4EchoReply:
		return frameNews{class: classEcho, from: from, body: m}
	case header.ICMPv4Echo, header.ICMPv4DstUnreachable:
		return frameNews{class: classPackets, from: from, body: body}
	default:
		return frameNews{}
	}
}

// udp takes what is for the DHCP server.
func (in ingress) udp(body []byte, src, dst netip.Addr) frameNews {
	u := header.UDP(header.IPv4(body).Payload())
	if len(u) < header.UDPMinimumSize || u.DestinationPort() != dhcpServerPort {
		return frameNews{}
	}
	if dst != in.gateway && dst != in.broadcast && dst != netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return frameNews{}
	}
	n := int(u.Length())
	if n < header.UDPMinimumSize || n > len(u) {
		return frameNews{}
	}
	return frameNews{class: classDHCP, from: in.guestAddress(src), body: u[header.UDPMinimumSize:n]}
}

// guestAddress is a if the guest may have it, else the zero Addr.
func (in ingress) guestAddress(a netip.Addr) netip.Addr {
	if a == in.gateway || !isHost(in.subnet, a) {
		return netip.Addr{}
	}
	return a
}

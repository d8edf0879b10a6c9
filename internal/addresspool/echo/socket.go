package echo

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// family is IPv4 or IPv6.
type family int

const (
	v4 family = 4
	v6 family = 6
)

func familyOf(addr netip.Addr) family {
	if addr.Is4() {
		return v4
	}
	return v6
}

// Numbers of the protocols, by IANA.
const (
	protocolICMP   = 1
	protocolICMPv6 = 58
)

// request is the message that asks; its sequence number is the end of the token.
func (f family) request(id uint16, token []byte) ([]byte, error) {
	m := icmp.Message{Type: ipv4.ICMPTypeEcho}
	if f == v6 {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	sequence := int(token[len(token)-2])<<8 | int(token[len(token)-1])
	m.Body = &icmp.Echo{ID: int(id), Seq: sequence, Data: token}
	return m.Marshal(nil) // the system adds the checksum of ICMPv6
}

// reply is the token of an answer; false for any other message.
func (f family) reply(message []byte) (token []byte, ok bool) {
	protocol, want := protocolICMP, icmp.Type(ipv4.ICMPTypeEchoReply)
	if f == v6 {
		protocol, want = protocolICMPv6, ipv6.ICMPTypeEchoReply
	}
	m, err := icmp.ParseMessage(protocol, message)
	if err != nil || m.Type != want {
		return nil, false
	}
	body, ok := m.Body.(*icmp.Echo)
	if !ok {
		return nil, false
	}
	return body.Data, true
}

// packets is a socket. Messages are ICMP without the IP header.
type packets interface {
	WriteTo(message []byte, to netip.Addr) error
	ReadFrom(buffer []byte) (n int, from netip.Addr, err error)
	Close() error
}

// socket is one of the system: raw, or for echo requests only.
type socket struct {
	*icmp.PacketConn
	raw bool
}

// open opens a socket that needs no privilege, or else a raw one.
func open(f family) (packets, error) {
	plain, rawNetwork, any := "udp4", "ip4:icmp", "0.0.0.0"
	if f == v6 {
		plain, rawNetwork, any = "udp6", "ip6:ipv6-icmp", "::"
	}
	conn, err := icmp.ListenPacket(plain, any)
	if err == nil {
		return &socket{PacketConn: conn}, nil
	}
	conn, rawErr := icmp.ListenPacket(rawNetwork, any)
	switch {
	case rawErr == nil && f == v6:
		return &socket{PacketConn: conn, raw: true}, repliesOnly(conn)
	case rawErr == nil:
		return &socket{PacketConn: conn, raw: true}, nil
	case errors.Is(err, os.ErrPermission) && errors.Is(rawErr, os.ErrPermission):
		return nil, fmt.Errorf("%w to this process: have its group in sysctl net.ipv4.ping_group_range (\"0 2147483647\" lets everybody), or give it the capability NET_RAW: %w", ErrNotPermitted, err)
	}
	return nil, fmt.Errorf("open a socket for ICMP: %w", errors.Join(err, rawErr))
}

// repliesOnly spares the process everything else that ICMPv6 is used for.
func repliesOnly(conn *icmp.PacketConn) error {
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeEchoReply)
	if err := conn.IPv6PacketConn().SetICMPFilter(&filter); err != nil {
		return errors.Join(fmt.Errorf("filter ICMPv6: %w", err), conn.Close())
	}
	return nil
}

// WriteTo implements packets.
func (s *socket) WriteTo(message []byte, to netip.Addr) error {
	var peer net.Addr = &net.UDPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	if s.raw {
		peer = &net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	}
	_, err := s.PacketConn.WriteTo(message, peer)
	return err
}

// ReadFrom implements packets.
func (s *socket) ReadFrom(buffer []byte) (int, netip.Addr, error) {
	n, peer, err := s.PacketConn.ReadFrom(buffer)
	var ip net.IP
	switch p := peer.(type) {
	case *net.UDPAddr:
		ip = p.IP
	case *net.IPAddr:
		ip = p.IP
	}
	from, _ := netip.AddrFromSlice(ip)
	return n, from, err
}

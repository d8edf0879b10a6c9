package vnet

import (
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// leaseTime is long: nobody else may have the address, and the clock of a restored guest jumps.
const leaseTime = 24 * time.Hour

// dhcpServer has one lease and no state: whoever asks is the guest and gets the guest's address.
type dhcpServer struct {
	subnet  netip.Prefix
	gateway netip.Addr
	guest   netip.Addr
	mtu     int
}

// answer is the reply to a request, or nil for what needs none: garbage, messages for other servers,
// declines and releases. Granted says that the guest may use the address from now on.
func (d dhcpServer) answer(request []byte) (reply *dhcpv4.DHCPv4, granted bool) {
	m, err := dhcpv4.FromBytes(request)
	if err != nil || m.OpCode != dhcpv4.OpcodeBootRequest || len(m.ClientHWAddr) != len(mac{}) {
		return nil, false
	}
	kind := d.decide(m)
	if kind == dhcpv4.MessageTypeNone {
		return nil, false
	}
	reply, err = dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithServerIP(d.gateway.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(d.gateway.AsSlice())))
	if err != nil {
		return nil, false
	}
	if kind == dhcpv4.MessageTypeNak {
		return reply, false
	}
	reply.ClientIPAddr = m.ClientIPAddr
	reply.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(d.subnet.Bits(), 32)))
	reply.UpdateOption(dhcpv4.OptRouter(d.gateway.AsSlice()))
	reply.UpdateOption(dhcpv4.Option{Code: dhcpv4.OptionInterfaceMTU, Value: dhcpv4.Uint16(d.mtu)}) // at most maxMTU
	if m.MessageType() != dhcpv4.MessageTypeInform {
		reply.YourIPAddr = d.guest.AsSlice()
		reply.UpdateOption(dhcpv4.OptIPAddressLeaseTime(leaseTime))
	}
	return reply, m.MessageType() == dhcpv4.MessageTypeRequest // and not refused: see above
}

// decide is the type of the answer, MessageTypeNone for no answer.
func (d dhcpServer) decide(m *dhcpv4.DHCPv4) dhcpv4.MessageType {
	if server := m.ServerIdentifier(); server != nil && !server.Equal(d.gateway.AsSlice()) {
		return dhcpv4.MessageTypeNone
	}
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeInform:
		return dhcpv4.MessageTypeAck
	case dhcpv4.MessageTypeRequest:
		wants := m.RequestedIPAddress()
		if wants == nil || wants.IsUnspecified() {
			wants = m.ClientIPAddr
		}
		if wants.Equal(d.guest.AsSlice()) {
			return dhcpv4.MessageTypeAck
		}
		return dhcpv4.MessageTypeNak // the guest begins anew, and at once
	default:
		return dhcpv4.MessageTypeNone
	}
}

// frame is the reply as an Ethernet frame: to everybody, so that a guest without an address hears it, or
// to the address that the guest has already.
func (d dhcpServer) frame(reply *dhcpv4.DHCPv4) []byte {
	dst := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	to := header.EthernetBroadcastAddress
	if ip, ok := netip.AddrFromSlice(reply.ClientIPAddr.To4()); ok && ip == d.guest && reply.MessageType() == dhcpv4.MessageTypeAck {
		dst, to = ip, mac(reply.ClientHWAddr).link()
	}
	payload := reply.ToBytes()
	size := header.UDPMinimumSize + len(payload)
	b := newPacket(to, d.gateway, dst, header.UDPProtocolNumber, size)
	udp := header.UDP(header.IPv4(b[ethSize:]).Payload())
	udp.Encode(&header.UDPFields{SrcPort: dhcpServerPort, DstPort: dhcpClientPort, Length: uint16(size)}) // below 64 KiB
	copy(udp.Payload(), payload)
	sealUDP(udp, d.gateway, dst)
	return b
}

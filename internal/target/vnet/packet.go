package vnet

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

const timeToLive = 64

// newPacket is a frame from the gateway with its Ethernet and IPv4 headers and room for size bytes behind them.
func newPacket(to tcpip.LinkAddress, src, dst netip.Addr, protocol tcpip.TransportProtocolNumber, size int) []byte {
	b := make([]byte, ethSize+header.IPv4MinimumSize+size)
	header.Ethernet(b).Encode(&header.EthernetFields{
		SrcAddr: tcpip.LinkAddress(gatewayMAC), DstAddr: to, Type: header.IPv4ProtocolNumber,
	})
	ip := header.IPv4(b[ethSize:])
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(header.IPv4MinimumSize + size), // callers stay below 64 KiB
		TTL:         timeToLive, Protocol: uint8(protocol), // protocol numbers are 8 bits
		SrcAddr: tcpip.AddrFrom4(src.As4()), DstAddr: tcpip.AddrFrom4(dst.As4()),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	return b
}

// sealUDP sets the checksum of a datagram whose payload is complete.
func sealUDP(u header.UDP, src, dst netip.Addr) {
	sum := header.PseudoHeaderChecksum(header.UDPProtocolNumber,
		tcpip.AddrFrom4(src.As4()), tcpip.AddrFrom4(dst.As4()), u.Length())
	u.SetChecksum(^u.CalculateChecksum(checksum.Checksum(u.Payload(), sum)))
}

// arpRequest asks everybody for the MAC of addr.
func arpRequest(gateway, addr netip.Addr) []byte {
	b := make([]byte, ethSize+header.ARPSize)
	header.Ethernet(b).Encode(&header.EthernetFields{
		SrcAddr: tcpip.LinkAddress(gatewayMAC), DstAddr: header.EthernetBroadcastAddress, Type: header.ARPProtocolNumber,
	})
	a := header.ARP(b[ethSize:])
	a.SetIPv4OverEthernet()
	a.SetOp(header.ARPRequest)
	copy(a.HardwareAddressSender(), gatewayMAC)
	copy(a.ProtocolAddressSender(), gateway.AsSlice())
	copy(a.ProtocolAddressTarget(), addr.AsSlice())
	return b
}

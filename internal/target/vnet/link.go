package vnet

import (
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// link is the stack's network card. While no guest is connected, what is sent is lost, as with an
// unplugged cable.
type link struct {
	mtu        uint32
	wire       atomic.Pointer[wire]
	dispatcher atomic.Pointer[stack.NetworkDispatcher]
}

var _ stack.LinkEndpoint = (*link)(nil)

// deliver hands one packet to the stack. The body is copied.
func (l *link) deliver(protocol tcpip.NetworkProtocolNumber, body []byte) {
	d := l.dispatcher.Load()
	if d == nil {
		return
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
		Payload: buffer.MakeWithView(buffer.NewViewWithData(body)),
	})
	defer pkt.DecRef()
	(*d).DeliverNetworkPacket(protocol, pkt)
}

// WritePackets implements stack.LinkWriter. It never waits.
func (l *link) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	all := pkts.AsSlice()
	w := l.wire.Load()
	if w == nil {
		return len(all), nil
	}
	for _, pkt := range all {
		w.send(l.frame(pkt)...)
	}
	return len(all), nil // what was dropped was lost on the wire: the stack sends again
}

// frame is the packet with its Ethernet header, in parts.
func (l *link) frame(pkt *stack.PacketBuffer) [][]byte {
	eth := header.Ethernet(pkt.LinkHeader().Push(ethSize))
	eth.Encode(&header.EthernetFields{
		SrcAddr: l.LinkAddress(),
		DstAddr: pkt.EgressRoute.RemoteLinkAddress,
		Type:    pkt.NetworkProtocolNumber,
	})
	return pkt.AsSlices()
}

// Attach implements stack.NetworkLinkEndpoint.
func (l *link) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		l.dispatcher.Store(nil)
		return
	}
	l.dispatcher.Store(&d)
}

// IsAttached implements stack.NetworkLinkEndpoint.
func (l *link) IsAttached() bool { return l.dispatcher.Load() != nil }

// MTU implements stack.NetworkLinkEndpoint.
func (l *link) MTU() uint32 { return l.mtu }

// SetMTU implements stack.NetworkLinkEndpoint; the MTU is that of the configuration.
func (l *link) SetMTU(uint32) {}

// MaxHeaderLength implements stack.NetworkLinkEndpoint.
func (l *link) MaxHeaderLength() uint16 { return ethSize }

// LinkAddress implements stack.NetworkLinkEndpoint.
func (l *link) LinkAddress() tcpip.LinkAddress { return tcpip.LinkAddress(gatewayMAC) }

// SetLinkAddress implements stack.NetworkLinkEndpoint; the address is fixed.
func (l *link) SetLinkAddress(tcpip.LinkAddress) {}

// Capabilities implements stack.NetworkLinkEndpoint. Checksums need no check: a unix socket corrupts nothing.
func (l *link) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityResolutionRequired | stack.CapabilityRXChecksumOffload
}

// ARPHardwareType implements stack.NetworkLinkEndpoint.
func (l *link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareEther }

// AddHeader implements stack.NetworkLinkEndpoint; WritePackets adds the header.
func (l *link) AddHeader(*stack.PacketBuffer) {}

// ParseHeader implements stack.NetworkLinkEndpoint; the header is gone before deliver.
func (l *link) ParseHeader(*stack.PacketBuffer) bool { return true }

// Wait implements stack.NetworkLinkEndpoint; there are no goroutines here.
func (l *link) Wait() {}

// Close implements stack.NetworkLinkEndpoint.
func (l *link) Close() {}

// SetOnCloseAction implements stack.NetworkLinkEndpoint.
func (l *link) SetOnCloseAction(func()) {}

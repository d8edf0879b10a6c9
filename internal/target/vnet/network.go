package vnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	nicID = 1

	// Buffers per connection and direction, in bytes. The way to the guest takes well below a
	// millisecond, so that more would not make it faster.
	minBuffer     = 4 << 10
	defaultBuffer = 128 << 10
	maxBuffer     = 256 << 10

	// Connections that are over are forgotten quickly; the defaults are made for the Internet.
	timeWait = time.Second
	finWait2 = 5 * time.Second
)

// Network is the network of one pod and its guest. Its methods may be called concurrently.
type Network struct {
	cfg     Config
	log     logr.Logger
	stack   *stack.Stack
	link    *link
	ingress ingress
	dhcp    dhcpServer
	guest   *whereabouts
	echoes  echoRegistry
	relays  relayRegistry
	counts  counters

	serving   atomic.Bool
	closeOnce sync.Once
	close     context.CancelFunc
	closed    <-chan struct{} // closed when the network is
	// whenClosed calls f, in a goroutine, once the network is closed; stop takes that back.
	whenClosed func(f func()) (stop func() bool)
}

// New makes a network without a guest; Serve lets one in. A network that is never served must be closed.
// The error names the field of the configuration that is wrong.
func New(cfg Config) (*Network, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("virtual network: %w", err)
	}
	n := &Network{
		cfg: cfg, log: cfg.Log,
		link:    &link{mtu: uint32(cfg.MTU)}, // at most maxMTU
		ingress: ingress{subnet: cfg.Subnet, gateway: cfg.Gateway, broadcast: broadcastOf(cfg.Subnet)},
		dhcp:    dhcpServer{subnet: cfg.Subnet, gateway: cfg.Gateway, guest: cfg.Guest, mtu: cfg.MTU},
		relays:  relayRegistry{limit: cfg.MaxConnections},
	}
	life, end := context.WithCancel(context.Background())
	n.close, n.closed = end, life.Done()
	n.whenClosed = func(f func()) func() bool { return context.AfterFunc(life, f) }
	n.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	if err := n.configureStack(); err != nil {
		n.stack.Destroy()
		return nil, fmt.Errorf("virtual network: %w", err)
	}
	n.guest = newWhereabouts(cfg.Guest, cfg.MAC, n.moved)
	return n, nil
}

// configureStack gives the stack its only address. Forwarding, spoofing and promiscuous mode stay off: the
// stack takes and sends nothing but the gateway's packets.
func (n *Network) configureStack() error {
	if err := n.stack.CreateNIC(nicID, n.link); err != nil {
		return fmt.Errorf("create NIC: %s", err)
	}
	gateway := tcpip.AddrFrom4(n.cfg.Gateway.As4())
	address := tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: gateway, PrefixLen: n.cfg.Subnet.Bits()},
	}
	if err := n.stack.AddProtocolAddress(nicID, address, stack.AddressProperties{}); err != nil {
		return fmt.Errorf("set address %s: %s", n.cfg.Gateway, err)
	}
	subnet := tcpip.AddressWithPrefix{Address: tcpip.AddrFrom4(n.cfg.Subnet.Addr().As4()), PrefixLen: n.cfg.Subnet.Bits()}
	n.stack.SetRouteTable([]tcpip.Route{{Destination: subnet.Subnet(), NIC: nicID}})
	return n.configureTCP()
}

func (n *Network) configureTCP() error {
	sack, moderate := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(false)
	tw, fw := tcpip.TCPTimeWaitTimeoutOption(timeWait), tcpip.TCPLingerTimeoutOption(finWait2)
	for _, option := range []tcpip.SettableTransportProtocolOption{
		&sack, &moderate, &tw, &fw,
		&tcpip.TCPReceiveBufferSizeRangeOption{Min: minBuffer, Default: defaultBuffer, Max: maxBuffer},
		&tcpip.TCPSendBufferSizeRangeOption{Min: minBuffer, Default: defaultBuffer, Max: maxBuffer},
	} {
		if err := n.stack.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return fmt.Errorf("set TCP option %T: %s", option, err)
		}
	}
	return nil
}

// moved makes the guest's new place the stack's only neighbour, for good: an entry that expires would let a
// recovered guest wait for ARP.
func (n *Network) moved(from, to place) {
	if from.addr.IsValid() && from.addr != to.addr {
		_ = n.stack.RemoveNeighbor(nicID, header.IPv4ProtocolNumber, tcpip.AddrFrom4(from.addr.As4())) // fails only when there is none
	}
	if err := n.stack.AddStaticNeighbor(nicID, header.IPv4ProtocolNumber, tcpip.AddrFrom4(to.addr.As4()), to.mac.link()); err != nil {
		n.log.Error(nil, "Rejecting place of guest", "address", to.addr, "mac", net.HardwareAddr(to.mac[:]).String(), "reason", err.String())
		return
	}
	n.log.V(flow).Info("Locating guest", "address", to.addr, "mac", net.HardwareAddr(to.mac[:]).String())
}

// GuestMAC is the guest's MAC: the configured one until the guest shows another, or false while none is known.
func (n *Network) GuestMAC() (net.HardwareAddr, bool) {
	s := n.guest.now()
	if !s.known {
		return nil, false
	}
	return net.HardwareAddr(s.mac[:]), true
}

// GuestAddr is the address at which the guest is talked to: the configured one until the guest shows that it
// has another static one.
func (n *Network) GuestAddr() netip.Addr { return n.guest.now().addr }

// ask sends an ARP request for addr; the answer is noticed like every other frame.
func (n *Network) ask(addr netip.Addr) {
	if w := n.link.wire.Load(); w != nil {
		w.sendUrgent(arpRequest(n.cfg.Gateway, addr))
	}
}

// Close ends the network: every connection is cut, and every method that waits returns. Serve does it when
// its context ends. It may be called more than once; it returns when the stack's goroutines have ended.
func (n *Network) Close() {
	n.closeOnce.Do(func() {
		n.close()
		n.relays.close()
		n.stack.Destroy()
	})
}

// ended is nil when ctx has ended, and else says that the network was closed.
func (n *Network) ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("virtual network: %w", net.ErrClosed)
}

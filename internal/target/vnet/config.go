package vnet

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"

	"github.com/go-logr/logr"
)

const (
	defaultMTU            = 1500
	minMTU                = 576  // every IPv4 host accepts this much
	maxMTU                = 9000 // jumbo frames
	defaultMaxConnections = 256

	gatewayHost = 2  // host part of the gateway's address when none is given
	guestHost   = 15 // host part of the guest's address when none is given
)

// gatewayMAC is the gateway's hardware address. It never changes: a guest that was restored from a
// snapshot still has it in its ARP cache, and must be able to answer without asking again.
var gatewayMAC = net.HardwareAddr{0x52, 0x55, 0x0a, 0x00, 0x02, 0x02}

// Config describes the network. The zero value is QEMU's customary one.
type Config struct {
	// Subnet is the network's IPv4 prefix. Default 10.0.2.0/24.
	Subnet netip.Prefix
	// Gateway is the pod's own address in the network. Default: host 2 of Subnet.
	Gateway netip.Addr
	// Guest is the address that DHCP hands out and that is talked to. Default: host 15 of Subnet. A guest
	// that turns out to have another static address in Subnet is talked to at that one.
	Guest netip.Addr
	// MAC of the guest when it is known. Without it (nil) the address is learned from the guest's
	// frames or by ARP; any MAC is served in both cases.
	MAC net.HardwareAddr
	// MTU in bytes, without the Ethernet header. Default 1500.
	MTU int
	// MaxConnections bounds the connections that are forwarded at the same time. Default 256.
	MaxConnections int
	// Log of what changes: guests that come and go. The zero value is silent.
	Log logr.Logger
}

// complete fills in defaults and says what is wrong with the rest.
func (c Config) complete() (Config, error) {
	if !c.Subnet.IsValid() {
		c.Subnet = netip.MustParsePrefix("10.0.2.0/24")
	}
	c.Subnet = c.Subnet.Masked()
	if !c.Subnet.Addr().Is4() || c.Subnet.Bits() > 30 {
		return c, fmt.Errorf("subnet %s: give an IPv4 prefix of at most 30 bits", c.Subnet)
	}
	if !c.Gateway.IsValid() {
		c.Gateway = host(c.Subnet, gatewayHost)
	}
	if !c.Guest.IsValid() {
		c.Guest = host(c.Subnet, guestHost)
	}
	if c.MTU == 0 {
		c.MTU = defaultMTU
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = defaultMaxConnections
	}
	return c, c.validate()
}

func (c Config) validate() error {
	for _, a := range []struct {
		name string
		addr netip.Addr
	}{{"gateway", c.Gateway}, {"guest", c.Guest}} {
		if !isHost(c.Subnet, a.addr) {
			return fmt.Errorf("%s %s is not a host address in subnet %s: set both so that they fit", a.name, a.addr, c.Subnet)
		}
	}
	if c.Gateway == c.Guest {
		return fmt.Errorf("gateway and guest both have the address %s: give the guest another one", c.Guest)
	}
	if c.MTU < minMTU || c.MTU > maxMTU {
		return fmt.Errorf("MTU %d: give %d to %d bytes", c.MTU, minMTU, maxMTU)
	}
	if c.MaxConnections < 1 {
		return fmt.Errorf("MaxConnections %d: give at least 1", c.MaxConnections)
	}
	if c.MAC != nil && !isStation(c.MAC) {
		return fmt.Errorf("MAC %s: give a unicast address of 6 bytes that is not the gateway's (%s)", c.MAC, gatewayMAC)
	}
	return nil
}

// host is the n-th address of p; it may lie outside of p when p is small.
func host(p netip.Prefix, n byte) netip.Addr {
	a := p.Addr().As4()
	a[3] += n
	return netip.AddrFrom4(a)
}

// isHost is true for an address of p that one machine can have: neither the network's own nor its broadcast address.
func isHost(p netip.Prefix, a netip.Addr) bool {
	return p.Contains(a) && a != p.Addr() && a != broadcastOf(p)
}

// broadcastOf is the directed broadcast address of p.
func broadcastOf(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

// isStation is true for a MAC that a guest may have.
func isStation(mac []byte) bool {
	if len(mac) != 6 || mac[0]&1 != 0 || bytes.Equal(mac, gatewayMAC) {
		return false
	}
	return !bytes.Equal(mac, make([]byte, 6))
}

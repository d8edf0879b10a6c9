//go:build linux

package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
)

// DHCP is asked again after this long without an answer, for ever: a guest may be up before its network.
const dhcpPatience = 400 * time.Millisecond

// uplink finds the first interface other than the loopback, and waits for one as long as ctx lives.
func uplink(ctx context.Context) (netlink.Link, error) {
	for {
		links, err := netlink.LinkList()
		if err != nil {
			return nil, fmt.Errorf("list network interfaces: %w", err)
		}
		for _, l := range links {
			if l.Attrs().Flags&net.FlagLoopback == 0 && l.Attrs().EncapType == "ether" {
				return l, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.New("no network interface: give the machine a virtio-net-pci device")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// network brings up lo and the uplink and returns the guest's address.
func network(ctx context.Context, p params, log logr.Logger) (netip.Prefix, netlink.Link, error) {
	if lo, err := netlink.LinkByName("lo"); err == nil {
		if err := netlink.LinkSetUp(lo); err != nil {
			log.Error(err, "Bringing up the loopback failed")
		}
	}
	found, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	link, err := uplink(found)
	if err != nil {
		return netip.Prefix{}, nil, err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return netip.Prefix{}, nil, fmt.Errorf("bring up %s: %w", link.Attrs().Name, err)
	}
	address, gateway := p.address, p.gateway
	if !address.IsValid() {
		if address, gateway, err = lease(ctx, link.Attrs().Name, log); err != nil {
			return netip.Prefix{}, nil, err
		}
	}
	return address, link, configure(link, address, gateway)
}

// lease asks for an address until it gets one. The lease is kept for good and never renewed: a
// guest that was restored from a snapshot could not tell how old its lease is anyway.
func lease(ctx context.Context, name string, log logr.Logger) (netip.Prefix, netip.Addr, error) {
	for attempt := 1; ; attempt++ {
		address, gateway, err := ask(ctx, name)
		if err == nil || ctx.Err() != nil {
			return address, gateway, err
		}
		log.Info("No address yet, asking again", "attempt", attempt, "error", err.Error())
		select {
		case <-ctx.Done():
		case <-time.After(dhcpPatience / 4): // an error that comes at once
		}
	}
}

func ask(ctx context.Context, name string) (address netip.Prefix, gateway netip.Addr, err error) {
	client, err := nclient4.New(name, nclient4.WithTimeout(dhcpPatience), nclient4.WithRetry(3))
	if err != nil {
		return address, gateway, fmt.Errorf("open DHCP client: %w", err)
	}
	defer func() { _ = client.Close() }() // the lease is had or not by then
	l, err := client.Request(ctx, dhcpv4.WithOption(dhcpv4.OptHostName("refguest")))
	if err != nil {
		return address, gateway, fmt.Errorf("ask for a DHCP lease: %w", err)
	}
	return fromLease(l.ACK)
}

func fromLease(ack *dhcpv4.DHCPv4) (address netip.Prefix, gateway netip.Addr, err error) {
	ip, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	if !ok || ip.IsUnspecified() {
		return address, gateway, errors.New("the DHCP lease has no address")
	}
	bits := 24
	if mask := ack.SubnetMask(); mask != nil {
		bits, _ = mask.Size()
	}
	if routers := ack.Router(); len(routers) > 0 {
		gateway, _ = netip.AddrFromSlice(routers[0].To4())
	}
	return netip.PrefixFrom(ip, bits), gateway, nil
}

func configure(link netlink.Link, address netip.Prefix, gateway netip.Addr) error {
	n := &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), address.Addr().BitLen())}
	if err := netlink.AddrReplace(link, &netlink.Addr{IPNet: n}); err != nil {
		return fmt.Errorf("set address %s: %w", address, err)
	}
	if !gateway.IsValid() {
		return nil
	}
	err := netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: gateway.AsSlice()})
	if err != nil {
		return fmt.Errorf("set gateway %s: %w", gateway, err)
	}
	return nil
}

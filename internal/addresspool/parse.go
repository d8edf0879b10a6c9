package addresspool

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// examples of entries, for errors.
const examples = "write for example 172.25.2.7, 172.25.1.0/24 or 172.25.3.10-172.25.3.20"

// Parse reads which addresses are included and which of them are left out. An entry is an IPv4 or IPv6
// address, a network in CIDR notation, or a range FIRST-LAST with both ends in it.
//
// An included network stands for its hosts: without the network and the broadcast address (IPv4) or the
// subnet-router anycast address (IPv6), unless it has only one or two addresses. An excluded one stands for
// all of its addresses. Errors name every bad entry and what to write instead; no address at all is an error.
func Parse(include, exclude []string) (*Ranges, error) {
	var (
		b    netipx.IPSetBuilder
		errs []error
	)
	for _, text := range include {
		one, network, err := entry(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if network {
			one = hosts(one)
		}
		b.AddRange(one)
	}
	for _, text := range exclude {
		one, _, err := entry(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		b.RemoveRange(one)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	set, err := b.IPSet()
	if err != nil {
		return nil, fmt.Errorf("addresses %q without %q: %w", include, exclude, err)
	}
	if len(set.Ranges()) == 0 {
		return nil, fmt.Errorf("addresses %q without %q: none is left; include more or exclude less", include, exclude)
	}
	return newRanges(set), nil
}

// entry reads one entry; network is true for one in CIDR notation.
func entry(text string) (one netipx.IPRange, network bool, err error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.Contains(text, "/"):
		one, err = cidr(text)
		return one, true, err
	case strings.Contains(text, "-"):
		one, err = span(text)
		return one, false, err
	}
	addr, err := single(text, text)
	return netipx.IPRangeFrom(addr, addr), false, err
}

func cidr(text string) (netipx.IPRange, error) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil && strings.Contains(text, "%"), err == nil && prefix.Addr().Is4In6():
		return netipx.IPRange{}, fmt.Errorf("%q: networks have no zone and are not IPv4 in IPv6 notation; %s", text, examples)
	case err != nil:
		return netipx.IPRange{}, fmt.Errorf("%q is no network: %s", text, examples)
	case prefix != prefix.Masked():
		return netipx.IPRange{}, fmt.Errorf("%q has host bits set: write %s for the network, or %s for the single address", text, prefix.Masked(), prefix.Addr())
	}
	return netipx.RangeOfPrefix(prefix), nil
}

func span(text string) (netipx.IPRange, error) {
	first, last, _ := strings.Cut(text, "-")
	from, err := single(text, first)
	if err != nil {
		return netipx.IPRange{}, err
	}
	to, err := single(text, last)
	switch {
	case err != nil:
		return netipx.IPRange{}, err
	case from.BitLen() != to.BitLen():
		return netipx.IPRange{}, fmt.Errorf("%q: one end is IPv4 and the other IPv6; use the same family", text)
	case to.Less(from):
		return netipx.IPRange{}, fmt.Errorf("%q is reversed: write %s-%s", text, to, from)
	}
	return netipx.IPRangeFrom(from, to), nil
}

// single reads the address in part, which may be a part of an entry.
func single(whole, part string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.TrimSpace(part))
	switch {
	case err != nil:
		return addr, fmt.Errorf("%q is no address, network or range: %s", whole, examples)
	case addr.Zone() != "":
		return addr, fmt.Errorf("%q: an address with a zone means something else on every machine; use one without %q", whole, "%"+addr.Zone())
	case addr.IsUnspecified() || addr.IsMulticast():
		return addr, fmt.Errorf("%q: no single host has the address %s; %s", whole, addr, examples)
	}
	return addr.Unmap(), nil
}

// hosts takes those addresses from the ends of a network that no host has.
func hosts(network netipx.IPRange) netipx.IPRange {
	first, last := network.From(), network.To()
	if first == last || first.Next() == last {
		return network
	}
	if first.Is4() {
		last = last.Prev()
	}
	return netipx.IPRangeFrom(first.Next(), last)
}

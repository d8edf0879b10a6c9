package addresspool

import (
	"iter"
	"math/big"
	"net/netip"
	"sort"
	"strings"

	"go4.org/netipx"
)

// Ranges are addresses without duplicates, in ascending order, IPv4 before IPv6. They do not change and may
// be used from any number of goroutines. Parse makes them; a nil *Ranges is empty.
type Ranges struct {
	set  *netipx.IPSet
	all  []netipx.IPRange
	ends []*big.Int // ends[i] is the number of addresses in all[:i+1]
}

func newRanges(set *netipx.IPSet) *Ranges {
	r := &Ranges{set: set, all: set.Ranges()}
	count := new(big.Int)
	for _, one := range r.all {
		size := new(big.Int).Sub(number(one.To()), number(one.From()))
		count = new(big.Int).Add(count, size.Add(size, big.NewInt(1)))
		r.ends = append(r.ends, count)
	}
	return r
}

// Count is the number of addresses.
func (r *Ranges) Count() *big.Int {
	if r.Empty() {
		return new(big.Int)
	}
	return new(big.Int).Set(r.ends[len(r.ends)-1])
}

// Empty says whether there is no address at all.
func (r *Ranges) Empty() bool { return r == nil || len(r.all) == 0 }

// At is the i-th address, counted from 0, in logarithmic time; false outside 0 <= i < Count.
func (r *Ranges) At(i *big.Int) (netip.Addr, bool) {
	if i.Sign() < 0 || r.Empty() {
		return netip.Addr{}, false
	}
	k := sort.Search(len(r.ends), func(k int) bool { return i.Cmp(r.ends[k]) < 0 })
	if k == len(r.ends) {
		return netip.Addr{}, false
	}
	offset := new(big.Int).Set(i)
	if k > 0 {
		offset.Sub(offset, r.ends[k-1])
	}
	first := r.all[k].From()
	return address(offset.Add(offset, number(first)), first.BitLen()), true
}

// Contains says whether the address is one of them. An IPv4 address in IPv6 notation is an IPv4 address.
func (r *Ranges) Contains(addr netip.Addr) bool { return r != nil && r.set.Contains(addr.Unmap()) }

// Equal says whether both have the same addresses.
func (r *Ranges) Equal(other *Ranges) bool {
	if r.Empty() || other.Empty() {
		return r.Empty() && other.Empty()
	}
	return r.set.Equal(other.set)
}

// All yields the addresses in order.
func (r *Ranges) All() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr, ok := r.First(); ok; addr, ok = r.After(addr) {
			if !yield(addr) {
				return
			}
		}
	}
}

// First is the lowest address; false when there is none.
func (r *Ranges) First() (netip.Addr, bool) {
	if r.Empty() {
		return netip.Addr{}, false
	}
	return r.all[0].From(), true
}

// After is the lowest address above addr, which need not be one of them, in logarithmic time; false when
// there is none.
func (r *Ranges) After(addr netip.Addr) (netip.Addr, bool) {
	if r.Empty() {
		return netip.Addr{}, false
	}
	k := sort.Search(len(r.all), func(k int) bool { return addr.Less(r.all[k].To()) })
	if k == len(r.all) {
		return netip.Addr{}, false
	}
	if first := r.all[k].From(); addr.Less(first) {
		return first, true
	}
	return addr.Next(), true
}

// String lists the ranges as Parse reads them.
func (r *Ranges) String() string {
	if r.Empty() {
		return ""
	}
	parts := make([]string, len(r.all))
	for i, one := range r.all {
		parts[i] = one.String()
		if one.From() == one.To() {
			parts[i] = one.From().String()
		}
	}
	return strings.Join(parts, ",")
}

func number(addr netip.Addr) *big.Int { return new(big.Int).SetBytes(addr.AsSlice()) }

func address(n *big.Int, bits int) netip.Addr {
	addr, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, bits/8)))
	return addr
}

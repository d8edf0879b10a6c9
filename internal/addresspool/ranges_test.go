package addresspool_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/addresspool"
)

func parse(t *testing.T, include ...string) *addresspool.Ranges {
	t.Helper()
	return without(t, strings.Join(include, " "), "")
}

func without(t *testing.T, include, exclude string) *addresspool.Ranges {
	t.Helper()
	r, err := addresspool.Parse(strings.Fields(include), strings.Fields(exclude))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEntries(t *testing.T) {
	for _, test := range []struct{ include, exclude, want, count string }{
		{include: "127.0.0.1", want: "127.0.0.1", count: "1"},
		{include: "127.0.0.0/29", want: "127.0.0.1-127.0.0.6", count: "6"},
		{include: "172.25.1.0/24", want: "172.25.1.1-172.25.1.254", count: "254"},
		{include: "172.25.1.0/30", want: "172.25.1.1-172.25.1.2", count: "2"},
		{include: "172.25.1.0/31", want: "172.25.1.0-172.25.1.1", count: "2"},
		{include: "172.25.1.7/32", want: "172.25.1.7", count: "1"},
		{include: "fd00::/127", want: "fd00::-fd00::1", count: "2"},
		{include: "fd00::/128", want: "fd00::", count: "1"},
		{include: "fd00::/64", want: "fd00::1-fd00::ffff:ffff:ffff:ffff", count: "18446744073709551615"},
		{include: "10.0.0.0/8", want: "10.0.0.1-10.255.255.254", count: "16777214"},
		{include: "fd00::-fd00:0:0:1::", want: "fd00::-fd00:0:0:1::", count: "18446744073709551617"},
		{include: "10.0.0.9-10.0.0.9", want: "10.0.0.9", count: "1"},
		{include: "10.0.0.5-10.0.0.9 10.0.0.7-10.0.0.12 10.0.0.13 10.0.0.5", want: "10.0.0.5-10.0.0.13", count: "9"},
		{include: "fd00::1 10.0.0.2 10.0.0.1", want: "10.0.0.1-10.0.0.2,fd00::1", count: "3"},
		{include: "::ffff:10.0.0.1 10.0.0.1", want: "10.0.0.1", count: "1"},
		{include: "10.0.0.0/24", exclude: "10.0.0.7 10.0.0.64/26 10.0.0.250-10.1.0.0", want: "10.0.0.1-10.0.0.6,10.0.0.8-10.0.0.63,10.0.0.128-10.0.0.249", count: "184"},
	} {
		r := without(t, test.include, test.exclude)
		if r.String() != test.want || r.Count().String() != test.count {
			t.Errorf("%q without %q = %v with %v addresses; want %v with %s", test.include, test.exclude, r, r.Count(), test.want, test.count)
		}
	}
}

func TestErrorsNameTheEntryAndTheRemedy(t *testing.T) {
	for _, test := range []struct{ include, exclude, want string }{
		{include: "10.0.0.1/24", want: `"10.0.0.1/24" has host bits set: write 10.0.0.0/24 for the network, or 10.0.0.1 for the single address`},
		{include: "999.1.1.1", want: `"999.1.1.1" is no address, network or range: write for example 172.25.2.7`},
		{include: "::1/129", want: `"::1/129" is no network: write for example`},
		{include: "10.0.0.9-10.0.0.1", want: `"10.0.0.9-10.0.0.1" is reversed: write 10.0.0.1-10.0.0.9`},
		{include: "10.0.0.9-fd00::1", want: `"10.0.0.9-fd00::1": one end is IPv4 and the other IPv6`},
		{include: "10.0.0.9-", want: `"10.0.0.9-" is no address`},
		{include: "fe80::1%eth0", want: `"fe80::1%eth0": an address with a zone`},
		{include: "fe80::%eth0/64", want: `"fe80::%eth0/64": networks have no zone`},
		{include: "::ffff:10.0.0.0/120", want: `"::ffff:10.0.0.0/120": networks have no zone and are not IPv4 in IPv6`},
		{include: "0.0.0.0", want: `"0.0.0.0": no single host has the address`},
		{include: "224.0.0.1", want: `"224.0.0.1": no single host has the address`},
		{include: "localhost", want: `"localhost" is no address`},
		{include: "10.0.0.1", exclude: "10.0.0.0/8", want: `addresses ["10.0.0.1"] without ["10.0.0.0/8"]: none is left`},
		{include: "", want: `none is left; include more`},
		{include: "10.0.0.1", exclude: "x", want: `"x" is no address`},
		{include: "x y", want: "\"x\" is no address, network or range: write for example 172.25.2.7, 172.25.1.0/24 or 172.25.3.10-172.25.3.20\n\"y\" is"},
	} {
		_, err := addresspool.Parse(strings.Fields(test.include), strings.Fields(test.exclude))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q without %q: error = %v, want %q", test.include, test.exclude, err, test.want)
		}
	}
}

// Whatever is included and excluded, each address of a small world is in when it should be, once, in order,
// and where its index says.
func TestRangesAreTheSetThatTheyDescribe(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	at := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i/256, i%256) }
	const world = 512
	for range 300 {
		var in [world]bool
		lists := make([][]string, 2)
		for k, value := range []bool{true, false} {
			for range 1 + rng.IntN(6) {
				first := rng.IntN(world)
				last := first + rng.IntN(min(40, world-first))
				lists[k] = append(lists[k], at(first)+"-"+at(last))
				for i := first; i <= last; i++ {
					in[i] = value
				}
			}
		}
		var want []netip.Addr
		for i, there := range in {
			if there {
				want = append(want, netip.MustParseAddr(at(i)))
			}
		}
		r, err := addresspool.Parse(lists[0], lists[1])
		if err != nil {
			if len(want) > 0 {
				t.Fatal(err)
			}
			continue
		}
		check(t, r, want)
		for i, there := range in {
			if r.Contains(netip.MustParseAddr(at(i))) != there {
				t.Fatalf("%v: contains %s = %v", r, at(i), !there)
			}
		}
		again, err := addresspool.Parse(strings.Split(r.String(), ","), nil)
		if err != nil || !again.Equal(r) || !r.Equal(again) {
			t.Fatalf("%v read again = %v, %v", r, again, err)
		}
	}
}

func check(t *testing.T, r *addresspool.Ranges, want []netip.Addr) {
	t.Helper()
	all := slices.Collect(r.All())
	if diff := cmp.Diff(want, all, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Fatalf("%v (-want +got):\n%s", r, diff)
	}
	for i, addr := range all {
		if got, ok := r.At(big.NewInt(int64(i))); !ok || got != addr {
			t.Fatalf("%v: At(%d) = %v, %v, want %v", r, i, got, ok, addr)
		}
	}
	if _, ok := r.At(r.Count()); ok || r.Count().Int64() != int64(len(all)) {
		t.Fatalf("%v: counts %v, has %d", r, r.Count(), len(all))
	}
}

func TestHugeNetworksCostNothing(t *testing.T) {
	allocated := testing.AllocsPerRun(10, func() {
		r, err := addresspool.Parse([]string{"fd00::/64", "10.0.0.0/8"}, []string{"fd00::ff"})
		if err != nil {
			t.Fatal(err)
		}
		for range r.All() {
			break
		}
		r.At(new(big.Int).Lsh(big.NewInt(1), 60))
	})
	if allocated > 200 {
		t.Errorf("%v allocations for 2^64 addresses", allocated)
	}
	r := without(t, "fd00::/64 10.0.0.0/8", "fd00::ff")
	last, ok := r.At(new(big.Int).Sub(r.Count(), big.NewInt(1)))
	if !ok || last.String() != "fd00::ffff:ffff:ffff:ffff" {
		t.Errorf("the last address = %v", last)
	}
	if _, more := r.After(last); more {
		t.Error("there is one after the last")
	}
	if next, _ := r.After(netip.MustParseAddr("fd00::fe")); next.String() != "fd00::100" {
		t.Errorf("after the gap comes %v", next)
	}
	if next, _ := r.After(netip.MustParseAddr("11.0.0.0")); next.String() != "fd00::1" {
		t.Errorf("after the IPv4 addresses comes %v", next)
	}
}

func TestNoRangesAreEmpty(t *testing.T) {
	var none *addresspool.Ranges
	if !none.Empty() || none.Count().Sign() != 0 || none.Contains(netip.MustParseAddr("::1")) || none.String() != "" || !none.Equal(nil) {
		t.Error("nil is not empty")
	}
	if _, ok := none.At(new(big.Int)); ok || len(slices.Collect(none.All())) > 0 || none.Equal(parse(t, "::1")) {
		t.Error("nil has an address")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("10.0.0.0/24", "10.0.0.7")
	f.Add("fd00::/64 ::1-::9", "fd00::/65")
	f.Add("1.2.3.4-1.2.3.3", "%")
	f.Add("0.0.0.0/0", "::/0")
	f.Fuzz(func(t *testing.T, include, exclude string) {
		r, err := addresspool.Parse(strings.Fields(include), strings.Fields(exclude))
		if err != nil {
			return
		}
		n := 0
		before := netip.Addr{}
		for addr := range r.All() {
			if n++; n > 300 {
				break
			}
			got, ok := r.At(big.NewInt(int64(n - 1)))
			if !before.Less(addr) || !r.Contains(addr) || !ok || got != addr {
				t.Fatalf("%v: address %d is %v after %v, At gives %v", r, n-1, addr, before, got)
			}
			before = addr
		}
		if r.Count().Cmp(big.NewInt(int64(min(n, 300)))) < 0 || n == 0 {
			t.Fatalf("%v: %v addresses, %d seen", r, r.Count(), n)
		}
	})
}

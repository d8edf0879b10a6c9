package targetpool

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/addresspool"
)

// maxTargets bounds a pool of addresses as the API bounds spec.replicas.
const maxTargets = 10_000

// scan is what is known of the addresses of a pool.
type scan struct {
	ranges *addresspool.Ranges
	err    error        // why spec.addresses cannot be used; ranges is nil then
	found  []netip.Addr // that have answered since the manager began to look
	over   int          // of these, those that are too many
}

// problem says what keeps a pool with so many sessions from being ready whatever its targets do; an empty
// reason: nothing.
func (c *scan) problem(sessions int) (reason, message string) {
	switch {
	case c.err != nil:
		return v1alpha1.ReasonInvalid, c.err.Error()
	case c.over > 0:
		return v1alpha1.ReasonLimitReached, fmt.Sprintf("%d more addresses have answered than the %d targets that a pool may have; split spec.addresses over several pools", c.over, maxTargets)
	case sessions == 0:
		return v1alpha1.ReasonScanning, fmt.Sprintf("none of %s addresses has answered yet", c.ranges.Count())
	}
	return "", ""
}

// addressed are the members of a pool of addresses, in the order of the addresses: those that have
// answered, and those that have a session already and still belong to the pool. Of too many, those that
// have a session stay.
func addressed(s *scope) []member {
	there := map[netip.Addr]bool{}
	for _, ts := range s.sessions {
		addr, err := netip.ParseAddr(ts.Spec.Address)
		if err == nil && s.scan.ranges.Contains(addr) && ts.Name == nameAt(s.pool.Name, addr) {
			there[addr] = true
		}
	}
	var more []netip.Addr
	for _, addr := range s.scan.found {
		if !there[addr] && s.scan.ranges.Contains(addr) {
			more = append(more, addr)
		}
	}
	slices.SortFunc(more, netip.Addr.Compare)
	room := max(maxTargets-len(there), 0)
	s.scan.over = max(len(more)-room, 0)
	for _, addr := range more[:len(more)-s.scan.over] {
		there[addr] = true
	}
	all := make([]member, 0, len(there))
	for _, addr := range slices.SortedFunc(maps.Keys(there), netip.Addr.Compare) {
		all = append(all, member{name: nameAt(s.pool.Name, addr), address: addr.String()})
	}
	return all
}

// nameAt is the name of the session of an address: with dashes in place of dots and colons, and an IPv6
// address written in full.
func nameAt(pool string, addr netip.Addr) string {
	return pool + "-" + strings.NewReplacer(".", "-", ":", "-").Replace(addr.StringExpanded())
}

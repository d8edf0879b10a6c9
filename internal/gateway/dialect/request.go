package dialect

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/genode-operator/genode-operator/internal/gateway"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// Order is how an IPv4 address becomes a number. The API does not say, and both are in use.
type Order bool

// Orders.
const (
	// Pton is the bytes of the network, read by a little-endian machine: 10.0.0.1 is 0x0100000a. The sample clients do it.
	Pton Order = false
	// Host is the number that the address is: 10.0.0.1 is 0x0a000001.
	Host Order = true
)

func (o Order) addr(n uint32) netip.Addr {
	var b [4]byte
	if o == Host {
		binary.BigEndian.PutUint32(b[:], n)
	} else {
		binary.LittleEndian.PutUint32(b[:], n)
	}
	return netip.AddrFrom4(b)
}

func (o Order) number(a netip.Addr) uint32 {
	b := a.As4()
	if o == Host {
		return binary.BigEndian.Uint32(b[:])
	}
	return binary.LittleEndian.Uint32(b[:])
}

// wrong is a request that cannot be understood.
func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %w", table.ErrInvalid, fmt.Errorf(format, args...))
}

// number is a value that has to fit into max.
func number[T ~int32 | ~uint32](field string, value T, max int64) error {
	if v := int64(value); v < 0 || v > max {
		return wrong("%s %d: give a number up to %d", field, v, max)
	}
	return nil
}

// common are the fields that mean the same in both families.
type common struct {
	version, protocol, action int32
	sourcePort, destPort      uint32
}

// apply takes over the fields, and returns what is wrong with the first wrong one.
func (c common) apply(s *table.Spec, source, destination netip.Addr) error {
	for _, err := range []error{
		number("ipVersion", c.version, 1), number("protocolId", c.protocol, math.MaxUint8), number("actionType", c.action, math.MaxUint8),
		number("sourcePort", c.sourcePort, math.MaxUint16), number("destinationPort", c.destPort, math.MaxUint16),
	} {
		if err != nil {
			return err
		}
	}
	six := c.version == int32(v11.IP_VERSION__IPV6)
	if !source.IsValid() || source.Is6() != six {
		return wrong("the source address does not fit ipVersion %d: give 4 bytes with 0, and 16 with 1", c.version)
	}
	if !destination.IsValid() || destination.Is6() != six {
		return wrong("the destination address does not fit ipVersion %d: give 4 bytes with 0, and 16 with 1", c.version)
	}
	s.Tuple.Protocol, s.Action = uint8(c.protocol), table.Action(c.action)
	s.Tuple.Source = netip.AddrPortFrom(source, uint16(c.sourcePort))
	s.Tuple.Destination = netip.AddrPortFrom(destination, uint16(c.destPort))
	return nil
}

// FromV1 understands a request of the later family. What is wrong with it is in the result.
func FromV1(m *v11.SessionRequest, o Order) gateway.Request {
	r := gateway.Request{Spec: table.Spec{
		ID: m.GetSessionId(), IdleTimeout: time.Duration(m.GetCacheTimeout()) * time.Second,
		Tuple: table.Tuple{InLif: strconv.Itoa(int(m.GetInLif())), OutLif: strconv.Itoa(int(m.GetOutLif()))},
	}}
	source, destination := o.addr(m.GetSourceIp()), o.addr(m.GetDestinationIp())
	if m.GetIpVersion() == v11.IP_VERSION__IPV6 {
		source, _ = netip.AddrFromSlice(m.GetSourceIpV6())
		destination, _ = netip.AddrFromSlice(m.GetDestinationIpV6())
	}
	action := m.GetAction()
	r.Err = common{
		version: int32(m.GetIpVersion()), protocol: int32(m.GetProtocolId()), action: int32(action.GetActionType()),
		sourcePort: m.GetSourcePort(), destPort: m.GetDestinationPort(),
	}.apply(&r.Spec, source, destination)
	if r.Err == nil && m.GetParentTunnelType() != v11.PARENT_TUNNEL_TYPE__TUNNEL_NONE {
		r.Err = wrong("parentTunnelType %d: sessions inside of tunnels are not handled here", m.GetParentTunnelType())
	}
	if r.Action.Copies() { // others send one, too, and it means nothing
		r.NextHop = o.addr(action.GetActionNextHop())
		if six, ok := netip.AddrFromSlice(action.GetActionNextHopV6()); ok && six.Is6() {
			r.NextHop = six
		}
	}
	return r
}

// From2020 understands a request of 2020. What is wrong with it is in the result.
func From2020(m *v2020.SessionRequest) gateway.Request {
	r := gateway.Request{Number: true, Spec: table.Spec{Tuple: table.Tuple{InLif: m.GetInLif(), OutLif: m.GetOutLif()}}}
	source, _ := netip.AddrFromSlice(m.GetSourceIp())
	destination, _ := netip.AddrFromSlice(m.GetDestinationIp())
	action := m.GetAction()
	r.Err = common{
		version: int32(m.GetIpVersion()), protocol: int32(m.GetProtocolId()), action: int32(action.GetActionType()),
		sourcePort: m.GetSourcePort(), destPort: m.GetDestinationPort(),
	}.apply(&r.Spec, source, destination)
	if r.Action.Copies() {
		hop, err := netip.ParseAddr(action.GetActionNextHop())
		if err != nil || hop.Zone() != "" {
			hop = netip.Addr{}
		}
		r.NextHop = hop
	}
	return r
}

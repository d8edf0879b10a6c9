package dialect

import (
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// ToV1Request asks for a session in the later family. An error names what it has no room for.
func ToV1Request(s *table.Spec, o Order) (*v11.SessionRequest, error) {
	in, err := lif("inLif", s.Tuple.InLif)
	if err != nil {
		return nil, err
	}
	out, err := lif("outLif", s.Tuple.OutLif)
	if err != nil {
		return nil, err
	}
	m := &v11.SessionRequest{
		SessionId: s.ID, InLif: in, OutLif: out, ProtocolId: v11.PROTOCOL_ID(s.Tuple.Protocol),
		SourcePort: uint32(s.Tuple.Source.Port()), DestinationPort: uint32(s.Tuple.Destination.Port()),
		Action:       &v11.ActionParameters{ActionType: v11.ACTION_TYPE(s.Action)},
		CacheTimeout: uint32(s.IdleTimeout / time.Second),
	}
	source, destination := s.Tuple.Source.Addr(), s.Tuple.Destination.Addr()
	switch {
	case source.Is4() && destination.Is4():
		m.SourceIp, m.DestinationIp = o.number(source), o.number(destination)
	case source.Is6() && destination.Is6():
		m.IpVersion, m.SourceIpV6, m.DestinationIpV6 = v11.IP_VERSION__IPV6, source.AsSlice(), destination.AsSlice()
	default:
		return nil, fmt.Errorf("session %d from %s to %s: both have to be IPv4, or both IPv6", s.ID, source, destination)
	}
	if s.NextHop.Is4() {
		m.Action.ActionNextHop = o.number(s.NextHop)
	} else if s.NextHop.Is6() {
		m.Action.ActionNextHopV6 = s.NextHop.AsSlice()
	}
	return m, nil
}

// lif is a logical interface as a number; 0 for none.
func lif(field, name string) (int32, error) {
	if name == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s %q: this dialect has numbers only", field, name)
	}
	return int32(n), nil
}

// To2020Request asks for a session in the family of 2020. The id and the idle time-out are the server's to choose.
func To2020Request(s *table.Spec) *v2020.SessionRequest {
	m := &v2020.SessionRequest{
		InLif: s.Tuple.InLif, OutLif: s.Tuple.OutLif, ProtocolId: v2020.PROTOCOL_ID(s.Tuple.Protocol),
		SourceIp: s.Tuple.Source.Addr().AsSlice(), SourcePort: uint32(s.Tuple.Source.Port()),
		DestinationIp: s.Tuple.Destination.Addr().AsSlice(), DestinationPort: uint32(s.Tuple.Destination.Port()),
		Action: &v2020.ActionType{ActionType: v2020.ACTION_TYPE(s.Action)},
	}
	if s.Tuple.Source.Addr().Is6() {
		m.IpVersion = v2020.IP_VERSION__IPV6
	}
	if s.NextHop.IsValid() {
		m.Action.ActionNextHop = s.NextHop.String()
	}
	return m
}

// SessionFromV1 is what an answer of the later family says about a session. It does not repeat what was asked for.
func SessionFromV1(m *v11.SessionResponse) table.Session {
	return table.Session{
		Spec: table.Spec{ID: m.GetSessionId()}, State: table.State(m.GetSessionState()), Code: table.CloseCode(m.GetSessionCloseCode()),
		In:    table.Counters{Packets: m.GetInPackets(), Bytes: m.GetInBytes()},
		Out:   table.Counters{Packets: m.GetOutPackets(), Bytes: m.GetOutBytes()},
		Start: moment(m.GetStartTime()), End: moment(m.GetEndTime()),
	}
}

// SessionFrom2020 is what an answer of 2020 says about a session.
func SessionFrom2020(m *v2020.SessionResponse) table.Session {
	return table.Session{
		Spec: table.Spec{ID: m.GetSessionId()}, State: table.State(m.GetSessionState()), Code: table.CloseCode(m.GetSessionCloseCode()),
		In:    table.Counters{Packets: m.GetInPackets(), Bytes: m.GetInBytes()},
		Out:   table.Counters{Packets: m.GetOutPackets(), Bytes: m.GetOutBytes()},
		Start: moment(m.GetStartTime()), End: moment(m.GetEndTime()),
	}
}

// moment is a time of an answer; the zero one for none.
func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

package server

import (
	"context"
	"net/netip"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	gatewayv1 "github.com/genode-operator/genode-operator/internal/gateway/proto/genode/gateway/v1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// own is what the gateway says beyond the public API.
type own struct {
	gatewayv1.UnimplementedGatewayServer
	options *Options
}

// Capabilities says what this gateway can do.
func (w *own) Capabilities(context.Context, *gatewayv1.CapabilitiesRequest) (*gatewayv1.CapabilitiesResponse, error) {
	s := w.options.Sessions.Status()
	answer := &gatewayv1.CapabilitiesResponse{
		Backend: s.Name, BackendReason: s.Reason, IpVersions: []uint32{4}, Protocols: []string{"TCP", "UDP"},
		Capacity: uint64(s.Table.Capacity), OpenSessions: uint64(s.Open),
		DefaultIdleTimeout: durationpb.New(s.Table.IdleTimeout), MaxIdleTimeout: durationpb.New(s.Table.MaxIdleTimeout),
		MaxBatch: uint64(w.options.MaxBatch), UnreportedSessions: uint64(s.Unreported), ForgottenSessions: s.Forgotten,
		Dialects: []string{v2020.SessionTable_ServiceDesc.ServiceName, v2020.SessionStatisticsTable_ServiceDesc.ServiceName},
	}
	if s.IPv6 {
		answer.IpVersions = append(answer.IpVersions, 6)
	}
	for _, a := range s.Actions {
		answer.Actions = append(answer.Actions, a.String())
	}
	for _, d := range dialect.Dialects() {
		answer.Dialects = append(answer.Dialects, d.Service)
	}
	slices.Sort(answer.Dialects)
	return answer, nil
}

// ListSessions walks through the open sessions, so that they are never all in memory.
func (w *own) ListSessions(_ *gatewayv1.ListSessionsRequest, stream grpc.ServerStreamingServer[gatewayv1.Session]) error {
	for cursor := table.FromStart; ; {
		page, next := w.options.Sessions.List(stream.Context(), table.Page{Size: 64, After: cursor})
		for i := range page {
			if err := stream.Send(whole(&page[i])); err != nil {
				return err
			}
		}
		if next == 0 { // there is none, or the only one has the id 0
			return nil
		}
		cursor = next
	}
}

// whole is a session with what was asked for.
func whole(s *table.Session) *gatewayv1.Session {
	m := &gatewayv1.Session{
		Id: s.ID, InLif: s.Tuple.InLif, OutLif: s.Tuple.OutLif, Protocol: table.ProtocolName(s.Tuple.Protocol),
		Source: s.Tuple.Source.String(), Destination: s.Tuple.Destination.String(),
		Action: s.Action.String(), IdleTimeout: durationpb.New(s.IdleTimeout), State: s.State.String(),
		InPackets: s.In.Packets, InBytes: s.In.Bytes, OutPackets: s.Out.Packets, OutBytes: s.Out.Bytes,
		StartTime: timestamppb.New(s.Start),
	}
	if s.NextHop != (netip.Addr{}) {
		m.NextHop = s.NextHop.String()
	}
	if !s.Last.IsZero() {
		m.LastPacketTime = timestamppb.New(s.Last)
	}
	return m
}

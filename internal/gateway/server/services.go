package server

import (
	"context"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
)

// services are the dialects of the later family, each with the names that it has for the same methods.
func services() (all []*grpc.ServiceDesc) {
	base := &v11.SessionTable_ServiceDesc
	for _, d := range dialect.Dialects() {
		service := &grpc.ServiceDesc{ServiceName: d.Service, HandlerType: base.HandlerType, Metadata: base.Metadata}
		for _, m := range base.Methods {
			for _, m.MethodName = range d.Methods(m.MethodName) {
				service.Methods = append(service.Methods, m)
			}
		}
		for _, m := range base.Streams {
			for _, m.StreamName = range d.Methods(m.StreamName) {
				service.Streams = append(service.Streams, m)
			}
		}
		all = append(all, service)
	}
	return all
}

// guardUnary answers a call that panics, so that it ends alone.
func (s *Server) guardUnary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
	defer func() { err = s.rescue(ctx, recover(), err) }()
	return handle(ctx, request)
}

func (s *Server) guardStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() { err = s.rescue(stream.Context(), recover(), err) }()
	return handle(server, stream)
}

func (s *Server) rescue(ctx context.Context, panicked any, err error) error {
	if panicked == nil {
		return err
	}
	method, _ := grpc.Method(ctx)
	s.options.Log.Error(nil, "A call has panicked", "method", method, "panic", panicked, "stack", string(debug.Stack()))
	return status.Error(codes.Internal, "the gateway has made a mistake; its log says more")
}

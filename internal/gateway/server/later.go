package server

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// later is the later family.
type later struct {
	v11.UnimplementedSessionTableServer
	server *Server
}

// AddSession reads a stream to its end before it does anything.
func (l *later) AddSession(stream grpc.ClientStreamingServer[v11.SessionRequest, v11.AddSessionResponse]) error {
	o := &l.server.options
	var requests []gateway.Request
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(requests) == o.MaxBatch {
			return status.Errorf(codes.ResourceExhausted, "a stream may bring %d sessions: use several", o.MaxBatch)
		}
		requests = append(requests, dialect.FromV1(m, o.Order))
	}
	results, err := o.Sessions.Add(stream.Context(), requests, asked(stream.Context(), MetadataAtomic, o.Atomic))
	if err != nil {
		return status.FromContextError(err).Err()
	}
	return stream.SendAndClose(dialect.Batch(results, !o.NoSummary))
}

// GetSession says how a session is.
func (l *later) GetSession(ctx context.Context, id *v11.SessionId) (*v11.SessionResponse, error) {
	s, err := l.server.options.Sessions.Get(ctx, id.GetSessionId())
	return l.answer(id.GetSessionId(), &s, err)
}

// DeleteSession takes a session out.
func (l *later) DeleteSession(ctx context.Context, id *v11.SessionId) (*v11.SessionResponse, error) {
	s, err := l.server.options.Sessions.Delete(ctx, id.GetSessionId())
	return l.answer(id.GetSessionId(), &s, err)
}

func (l *later) answer(id uint64, s *table.Session, err error) (*v11.SessionResponse, error) {
	if refused := l.server.options.refused(err); refused != nil {
		return nil, refused
	}
	if err != nil {
		return &v11.SessionResponse{SessionId: id, RequestStatus: dialect.RequestStatus(err)}, nil
	}
	return dialect.ToV1(s), nil
}

// refused is the error of a call whose answer has no place for it; nil if it has.
func (o *Options) refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case o.NotFound && errors.Is(err, table.ErrUnknown):
		return status.Error(codes.NotFound, err.Error())
	}
	return nil
}

// GetAllSessions is a page of open sessions.
func (l *later) GetAllSessions(ctx context.Context, args *v11.SessionRequestArgs) (*v11.SessionResponses, error) {
	page, next := l.server.options.Sessions.List(ctx, table.Page{Size: args.GetPageSize(), Number: args.GetPage(), After: args.GetStartSession()})
	answer := &v11.SessionResponses{SessionInfo: make([]*v11.SessionResponse, len(page)), Nextkey: next}
	for i := range page {
		answer.SessionInfo[i] = dialect.ToV1(&page[i])
	}
	return answer, nil
}

// GetClosedSessions reports what has closed.
func (l *later) GetClosedSessions(args *v11.SessionRequestArgs, stream grpc.ServerStreamingServer[v11.SessionResponse]) error {
	return l.server.deliver(stream.Context(), int(args.GetPageSize()), func(s *table.Session) error {
		return stream.Send(dialect.ToV1(s))
	})
}

// ShutdownServer ends the server, if that is allowed. A deadline of 0 or less does not wait for anybody.
func (l *later) ShutdownServer(_ context.Context, request *v11.ShutdownRequest) (*v11.ShutdownResponse, error) {
	if !l.server.options.Shutdown {
		return nil, status.Error(codes.PermissionDenied, "clients may not end this gateway: it was started without --allow-shutdown")
	}
	l.server.options.Log.Info("A client ends the gateway", "deadlineSeconds", request.GetDeadline())
	l.server.shutdown(time.Duration(max(0, request.GetDeadline())) * time.Second)
	return &v11.ShutdownResponse{}, nil
}

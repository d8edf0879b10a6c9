package server

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// early is the table of 2020.
type early struct {
	v2020.UnimplementedSessionTableServer
	server *Server
}

// AddSession takes a session, and gives it a number. Of one that is there already, the answer has the number.
func (e *early) AddSession(ctx context.Context, m *v2020.SessionRequest) (*v2020.SessionResponse, error) {
	results, err := e.server.options.Sessions.Add(ctx, []gateway.Request{dialect.From2020(m)}, false)
	if err != nil {
		return nil, status.FromContextError(err).Err()
	}
	r := results[0]
	s := table.Session{Spec: table.Spec{ID: r.ID}, Start: r.Start}
	if r.Err != nil {
		s = table.Session{}
		if duplicate, ok := errors.AsType[*table.DuplicateError](r.Err); ok {
			s.ID = duplicate.Existing
		}
	}
	answer := dialect.To2020(&s)
	answer.RequestStatus = dialect.RequestStatus2020(r.Err)
	return answer, nil
}

// GetSession says how a session is.
func (e *early) GetSession(ctx context.Context, id *v2020.SessionId) (*v2020.SessionResponse, error) {
	s, err := e.server.options.Sessions.Get(ctx, id.GetSessionId())
	return e.answer(id.GetSessionId(), &s, err)
}

// DeleteSession takes a session out.
func (e *early) DeleteSession(ctx context.Context, id *v2020.SessionId) (*v2020.SessionResponse, error) {
	s, err := e.server.options.Sessions.Delete(ctx, id.GetSessionId())
	return e.answer(id.GetSessionId(), &s, err)
}

func (e *early) answer(id uint64, s *table.Session, err error) (*v2020.SessionResponse, error) {
	if refused := e.server.options.refused(err); refused != nil {
		return nil, refused
	}
	if err != nil {
		return &v2020.SessionResponse{SessionId: id, RequestStatus: dialect.RequestStatus2020(err)}, nil
	}
	return dialect.To2020(s), nil
}

// earlyStatistics are the statistics of 2020.
type earlyStatistics struct {
	v2020.UnimplementedSessionStatisticsTableServer
	server *Server
}

// GetAllSessions streams every open session; a stream needs no pages.
func (e *earlyStatistics) GetAllSessions(_ *v2020.StatisticsRequestArgs, stream grpc.ServerStreamingServer[v2020.SessionResponse]) error {
	all, _ := e.server.options.Sessions.List(stream.Context(), table.Page{})
	for i := range all {
		if err := stream.Send(dialect.To2020(&all[i])); err != nil {
			return err
		}
	}
	return nil
}

// GetClosedSessions reports what has closed.
func (e *earlyStatistics) GetClosedSessions(args *v2020.StatisticsRequestArgs, stream grpc.ServerStreamingServer[v2020.SessionResponse]) error {
	return e.server.deliver(stream.Context(), int(args.GetPageSize()), func(s *table.Session) error {
		return stream.Send(dialect.To2020(s))
	})
}

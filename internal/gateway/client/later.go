package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc"

	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// later speaks the later family: the messages are the same on the wire, the names are the dialect's.
type later struct {
	conn    grpc.ClientConnInterface
	dialect dialect.Dialect
	order   dialect.Order
}

// path is a method's name as gRPC has it. Of two, it is the newer one.
func (l *later) path(method string) string {
	names := l.dialect.Methods(method)
	return "/" + l.dialect.Service + "/" + names[len(names)-1]
}

func (l *later) Add(ctx context.Context, specs ...table.Spec) (Added, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	raw, err := l.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, l.path("addSession"))
	if err != nil {
		return Added{}, err
	}
	stream := &grpc.GenericClientStream[v11.SessionRequest, v11.AddSessionResponse]{ClientStream: raw}
	result := Added{Failed: map[uint64]error{}}
	for i := range specs {
		m, err := dialect.ToV1Request(&specs[i], l.order)
		if err != nil {
			return Added{}, err
		}
		if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
			return Added{}, err
		} else if err != nil {
			break // the answer says why
		}
		result.IDs = append(result.IDs, specs[i].ID)
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return Added{}, err
	}
	result.Rejected = answer.GetRequestStatus() != v11.ADD_SESSION_STATUS__SESSION_ACCEPTED
	result.Which = answer.GetErrorStatus()
	if t := answer.GetStartTime(); t != nil {
		result.Start = t.AsTime()
	}
	for _, e := range answer.GetResponseError() {
		result.Failed[e.GetSessionId()] = added(v11.ADD_SESSION_STATUS(e.GetErrorStatus()))
	}
	return result, nil
}

func (l *later) Get(ctx context.Context, id uint64) (table.Session, error) {
	return l.one(ctx, "getSession", id)
}

func (l *later) Delete(ctx context.Context, id uint64) (table.Session, error) {
	return l.one(ctx, "deleteSession", id)
}

// one is a call about one session.
func (l *later) one(ctx context.Context, method string, id uint64) (table.Session, error) {
	answer := &v11.SessionResponse{}
	if err := l.conn.Invoke(ctx, l.path(method), &v11.SessionId{SessionId: id}, answer); err != nil {
		return table.Session{}, called(err)
	}
	if err := requested(answer.GetRequestStatus()); err != nil {
		return table.Session{}, fmt.Errorf("session %d: %w", id, err)
	}
	return dialect.SessionFromV1(answer), nil
}

func (l *later) All(ctx context.Context, p table.Page) (page []table.Session, next uint64, err error) {
	answer := &v11.SessionResponses{}
	if err := l.conn.Invoke(ctx, l.path("getAllSessions"), arguments(p), answer); err != nil {
		return nil, 0, err
	}
	for _, m := range answer.GetSessionInfo() {
		page = append(page, dialect.SessionFromV1(m))
	}
	return page, answer.GetNextkey(), nil
}

func arguments(p table.Page) *v11.SessionRequestArgs {
	return &v11.SessionRequestArgs{PageSize: p.Size, Page: p.Number, StartSession: p.After}
}

func (l *later) Closed(ctx context.Context, most uint32) iter.Seq2[table.Session, error] {
	return func(yield func(table.Session, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		raw, err := l.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, l.path("getClosedSessions"))
		if err != nil {
			yield(table.Session{}, err)
			return
		}
		stream := &grpc.GenericClientStream[v11.SessionRequestArgs, v11.SessionResponse]{ClientStream: raw}
		if err := errors.Join(raw.SendMsg(arguments(table.Page{Size: most})), raw.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
			yield(table.Session{}, err)
			return
		}
		each(stream.Recv, dialect.SessionFromV1, yield)
	}
}

// each yields the sessions of a stream to its end.
func each[M any](receive func() (*M, error), session func(*M) table.Session, yield func(table.Session, error) bool) {
	for {
		m, err := receive()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(table.Session{}, called(err))
			return
		}
		if !yield(session(m), nil) {
			return
		}
	}
}

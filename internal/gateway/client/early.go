package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// early speaks the dialect of 2020.
type early struct {
	table      v2020.SessionTableClient
	statistics v2020.SessionStatisticsTableClient
}

func (e *early) Add(ctx context.Context, specs ...table.Spec) (Added, error) {
	result := Added{Failed: map[uint64]error{}}
	for i := range specs {
		answer, err := e.table.AddSession(ctx, dialect.To2020Request(&specs[i]))
		if err != nil {
			return result, err
		}
		result.IDs = append(result.IDs, answer.GetSessionId())
		if t := answer.GetStartTime(); t != nil {
			result.Start = t.AsTime()
		}
		if err := requested2020(answer.GetRequestStatus()); err != nil {
			result.Failed[uint64(i)] = err
		}
	}
	return result, nil
}

func (e *early) Get(ctx context.Context, id uint64) (table.Session, error) {
	return one(id)(e.table.GetSession(ctx, &v2020.SessionId{SessionId: id}))
}

func (e *early) Delete(ctx context.Context, id uint64) (table.Session, error) {
	return one(id)(e.table.DeleteSession(ctx, &v2020.SessionId{SessionId: id}))
}

// one understands the answer to a call about one session.
func one(id uint64) func(*v2020.SessionResponse, error) (table.Session, error) {
	return func(answer *v2020.SessionResponse, err error) (table.Session, error) {
		if err != nil {
			return table.Session{}, called(err)
		}
		if err := requested2020(answer.GetRequestStatus()); err != nil {
			return table.Session{}, fmt.Errorf("session %d: %w", id, err)
		}
		return dialect.SessionFrom2020(answer), nil
	}
}

func (e *early) All(ctx context.Context, _ table.Page) (all []table.Session, next uint64, err error) {
	stream, err := e.statistics.GetAllSessions(ctx, &v2020.StatisticsRequestArgs{})
	if err != nil {
		return nil, 0, err
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		all = append(all, dialect.SessionFrom2020(m))
	}
}

func (e *early) Closed(ctx context.Context, most uint32) iter.Seq2[table.Session, error] {
	return func(yield func(table.Session, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := e.statistics.GetClosedSessions(ctx, &v2020.StatisticsRequestArgs{PageSize: most})
		if err != nil {
			yield(table.Session{}, err)
			return
		}
		each(stream.Recv, dialect.SessionFrom2020, yield)
	}
}

// Package client asks a session gateway, or another server of the sessionOffload API, in any of its dialects.
package client

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/server"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// Client asks for sessions. Its errors are table.ErrUnknown, table.ErrFull, table.ErrInvalid, gateway.ErrUnavailable and
// ErrExists, where the answer says so, however it says it; and those of gRPC.
type Client interface {
	// Add asks for sessions, and returns what became of each. The dialect of 2020 has no batches: it asks for one after
	// the other, and gets their ids.
	Add(ctx context.Context, specs ...table.Spec) (Added, error)
	// Get says how a session is.
	Get(ctx context.Context, id uint64) (table.Session, error)
	// Delete takes a session out, and returns how it was.
	Delete(ctx context.Context, id uint64) (table.Session, error)
	// All is a page of open sessions, and the cursor of the next one. The dialect of 2020 has no pages.
	All(ctx context.Context, p table.Page) (page []table.Session, next uint64, err error)
	// Closed are the closed sessions that nobody has been told of, at most so many; 0: all. An error is the last thing.
	Closed(ctx context.Context, most uint32) iter.Seq2[table.Session, error]
}

// Added is the answer to Add.
type Added struct {
	IDs    []uint64         // in the order of the request
	Failed map[uint64]error // by id, or with the dialect of 2020 by the place in the request
	// Rejected and Which are the summary, where there is one: whether any has failed, and a bit for each of the first 64.
	Rejected bool
	Which    uint64
	Start    time.Time
}

// Later speaks the later family, in one of its dialects.
func Later(conn grpc.ClientConnInterface, d dialect.Dialect, o dialect.Order) Client {
	return &later{conn: conn, dialect: d, order: o}
}

// Early speaks the dialect of 2020, whose statistics may be elsewhere.
func Early(conn, statistics grpc.ClientConnInterface) Client {
	return &early{table: v2020.NewSessionTableClient(conn), statistics: v2020.NewSessionStatisticsTableClient(statistics)}
}

// Following makes Closed go on: sessions come as they close, until ctx ends.
func Following(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, server.MetadataFollow, "true")
}

// Atomic makes Add take all sessions or none.
func Atomic(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, server.MetadataAtomic, "true")
}

package server

import (
	"context"
	"crypto/tls"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/gateway"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// DefaultMaxBatch is how many sessions a stream may bring. They are kept until it ends: nothing is done half-way.
const DefaultMaxBatch = 1 << 17

// Metadata of a request, by which a client asks for what the API has no words for.
const (
	// MetadataFollow makes getClosedSessions go on: sessions are reported as they close. "true" or "false".
	MetadataFollow = "x-follow"
	// MetadataAtomic makes addSession take all sessions or none. "true" or "false".
	MetadataAtomic = "x-atomic"
)

// Sessions are what is served: a gateway.Gateway, or answers that are canned.
type Sessions interface {
	Add(ctx context.Context, requests []gateway.Request, atomic bool) ([]gateway.Result, error)
	Get(ctx context.Context, id uint64) (table.Session, error)
	Delete(ctx context.Context, id uint64) (table.Session, error)
	List(ctx context.Context, p table.Page) (page []table.Session, next uint64)
	Take(most int) (sessions []table.Session, closings <-chan struct{})
	Return(sessions []table.Session)
	Status() gateway.Status
}

// Options of a Server.
type Options struct {
	Sessions Sessions
	// TLS is for those who come by a secured listener.
	TLS *tls.Config
	// Order is how IPv4 addresses become numbers.
	Order dialect.Order
	// NotFound answers with the status NOT_FOUND when there is no such session, instead of a message that says so.
	NotFound bool
	// Atomic takes all sessions of a stream or none, unless its metadata says otherwise.
	Atomic bool
	// NoSummary leaves out of answers to streams whether any session has failed, as the sample servers do.
	NoSummary bool
	// Shutdown lets clients end the server.
	Shutdown bool
	// MaxBatch is how many sessions a stream may bring. 0 means DefaultMaxBatch.
	MaxBatch int
	Log      logr.Logger
}

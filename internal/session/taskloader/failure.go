package taskloader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/genode-operator/genode-operator/internal/session"
)

// dialFailure says why no connection opened, in the terms of package session.
func dialFailure(ctx context.Context, t session.Target, err error) error {
	kind := session.ErrUnavailable
	var network net.Error
	switch {
	case ctx.Err() != nil:
		kind = ctx.Err()
	case errors.Is(err, syscall.ECONNRESET):
		kind = session.ErrReset
	case errors.As(err, &network) && network.Timeout():
		kind = session.ErrTimeout
	}
	return fmt.Errorf("connect to %s at %s: %w: %w", t.Name, t.Address, kind, err)
}

// failure says why reading or writing failed, in the terms of package session. The end of the connection is
// io.EOF between two items and io.ErrUnexpectedEOF inside one.
func failure(ctx context.Context, doing string, err error) error {
	kind := session.ErrLost
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case errors.Is(err, net.ErrClosed):
		kind = session.ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w: the target closed the connection: %w", doing, kind, err)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		kind = session.ErrTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		kind = session.ErrReset
	}
	return fmt.Errorf("%s: %w: %w", doing, kind, err)
}

package client

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// ErrExists is a session that is there already.
var ErrExists = errors.New("the session exists already")

// added is what a status of a session of a batch says. Some servers put codes of gRPC there.
func added(s v11.ADD_SESSION_STATUS) error {
	kind := map[v11.ADD_SESSION_STATUS]error{
		v11.ADD_SESSION_STATUS__SESSION_ACCEPTED:          nil,
		v11.ADD_SESSION_STATUS__SESSION_TABLE_FULL:        table.ErrFull,
		v11.ADD_SESSION_STATUS__SESSION_TABLE_UNAVAILABLE: gateway.ErrUnavailable,
		v11.ADD_SESSION_STATUS__SESSION_ALREADY_EXISTS:    ErrExists,
		v11.ADD_SESSION_STATUS(codes.AlreadyExists):       ErrExists,
		v11.ADD_SESSION_STATUS(codes.ResourceExhausted):   table.ErrFull,
		v11.ADD_SESSION_STATUS(codes.Internal):            gateway.ErrUnavailable,
	}
	err, known := kind[s]
	switch {
	case !known:
		err = table.ErrInvalid
	case err == nil:
		return nil
	}
	return fmt.Errorf("%w (%s)", err, s)
}

// requested is what the status of one session says.
func requested(s v11.REQUEST_STATUS) error {
	switch s {
	case v11.REQUEST_STATUS__ACCEPTED:
		return nil
	case v11.REQUEST_STATUS__REJECTED_SESSION_NONEXISTENT:
		return fmt.Errorf("%w (%s)", table.ErrUnknown, s)
	case v11.REQUEST_STATUS__REJECTED_SESSION_TABLE_FULL:
		return fmt.Errorf("%w (%s)", table.ErrFull, s)
	case v11.REQUEST_STATUS__REJECTED_SESSION_ALREADY_EXISTS:
		return fmt.Errorf("%w (%s)", ErrExists, s)
	case v11.REQUEST_STATUS__REJECTED_INTERNAL_ERROR:
		return fmt.Errorf("%w (%s)", gateway.ErrUnavailable, s)
	default:
		return fmt.Errorf("%w (%s)", table.ErrInvalid, s)
	}
}

// requested2020 is the same; its values are the first of the later ones.
func requested2020(s v2020.REQUEST_STATUS) error { return requested(v11.REQUEST_STATUS(s)) }

// called is the error of a call.
func called(err error) error {
	if status.Code(err) == codes.NotFound {
		return fmt.Errorf("%w: %w", table.ErrUnknown, err)
	}
	return err
}

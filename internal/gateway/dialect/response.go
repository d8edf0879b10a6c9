package dialect

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/genode-operator/genode-operator/internal/gateway"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// stamp is a time; none for the zero one.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// ToV1 is a session in the later family.
func ToV1(s *table.Session) *v11.SessionResponse {
	return &v11.SessionResponse{
		SessionId: s.ID, InPackets: s.In.Packets, OutPackets: s.Out.Packets, InBytes: s.In.Bytes, OutBytes: s.Out.Bytes,
		SessionState: v11.SESSION_STATE(s.State), SessionCloseCode: v11.SESSION_CLOSE_CODE(s.Code),
		StartTime: stamp(s.Start), EndTime: stamp(s.End),
	}
}

// To2020 is a session in the family of 2020, which has no words for not knowing.
func To2020(s *table.Session) *v2020.SessionResponse {
	state, code := s.State, s.Code
	if state == table.UnknownState {
		state = table.Closed
	}
	if code == table.UnknownCode {
		code = table.NotClosed
	}
	return &v2020.SessionResponse{
		SessionId: s.ID, InPackets: s.In.Packets, OutPackets: s.Out.Packets, InBytes: s.In.Bytes, OutBytes: s.Out.Bytes,
		SessionState: v2020.SESSION_STATE(state), SessionCloseCode: v2020.SESSION_CLOSE_CODE(code),
		StartTime: stamp(s.Start), EndTime: stamp(s.End),
	}
}

// AddStatus is what became of a session of a batch.
func AddStatus(err error) v11.ADD_SESSION_STATUS {
	_, duplicate := errors.AsType[*table.DuplicateError](err)
	switch {
	case err == nil:
		return v11.ADD_SESSION_STATUS__SESSION_ACCEPTED
	case duplicate:
		return v11.ADD_SESSION_STATUS__SESSION_ALREADY_EXISTS
	case errors.Is(err, table.ErrFull):
		return v11.ADD_SESSION_STATUS__SESSION_TABLE_FULL
	case errors.Is(err, gateway.ErrUnavailable):
		return v11.ADD_SESSION_STATUS__SESSION_TABLE_UNAVAILABLE
	default:
		return v11.ADD_SESSION_STATUS__SESSION_REJECTED
	}
}

// RequestStatus is what became of a request for one session, in the later family.
func RequestStatus(err error) v11.REQUEST_STATUS {
	switch {
	case err == nil:
		return v11.REQUEST_STATUS__ACCEPTED
	case errors.Is(err, table.ErrUnknown):
		return v11.REQUEST_STATUS__REJECTED_SESSION_NONEXISTENT
	case errors.Is(err, gateway.ErrUnavailable):
		return v11.REQUEST_STATUS__REJECTED_INTERNAL_ERROR
	default:
		return v11.REQUEST_STATUS__REJECTED
	}
}

// RequestStatus2020 is what became of a request, in the family of 2020.
func RequestStatus2020(err error) v2020.REQUEST_STATUS {
	switch AddStatus(err) {
	case v11.ADD_SESSION_STATUS__SESSION_ACCEPTED:
		return v2020.REQUEST_STATUS__ACCEPTED
	case v11.ADD_SESSION_STATUS__SESSION_ALREADY_EXISTS:
		return v2020.REQUEST_STATUS__REJECTED_SESSION_ALREADY_EXISTS
	case v11.ADD_SESSION_STATUS__SESSION_TABLE_FULL:
		return v2020.REQUEST_STATUS__REJECTED_SESSION_TABLE_FULL
	default:
		if errors.Is(err, table.ErrUnknown) {
			return v2020.REQUEST_STATUS__REJECTED_SESSION_NONEXISTENT
		}
		return v2020.REQUEST_STATUS__REJECTED
	}
}

// Batch is the answer to a stream of sessions: each that failed, by its id and its status. With summary, it also says
// whether any has failed, and which of the first 64, as the API promises; the sample servers do not.
func Batch(results []gateway.Result, summary bool) *v11.AddSessionResponse {
	m := &v11.AddSessionResponse{}
	for i, r := range results {
		if m.StartTime == nil {
			m.StartTime = stamp(r.Start)
		}
		if r.Err == nil {
			continue
		}
		m.ResponseError = append(m.ResponseError, &v11.SessionResponseError{SessionId: r.ID, ErrorStatus: int32(AddStatus(r.Err))})
		if summary {
			m.RequestStatus = v11.ADD_SESSION_STATUS__SESSION_REJECTED
			if i < 64 {
				m.ErrorStatus |= 1 << i
			}
		}
	}
	return m
}

package campaign

import (
	"context"
	"errors"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// Reasons of attempts that did not complete. They are constants of the record.
const (
	ReasonCompleted      = "Completed"
	ReasonSessionLost    = "SessionLost"
	ReasonSessionReset   = "SessionReset"
	ReasonTargetSilent   = "TargetSilent"
	ReasonMalformed      = "MalformedInput"
	ReasonTimedOut       = "TimedOut"
	ReasonUnsupported    = "Unsupported"
	ReasonInvalidVariant = "InvalidVariant"
	ReasonSessionFailed  = "SessionFailed"
	ReasonNotSchedulable = results.ReasonNotSchedulable
)

// reasonOf names an error of a session.
func reasonOf(err error) string {
	for _, r := range []struct {
		err    error
		reason string
	}{
		{session.ErrUnsupported, ReasonUnsupported},
		{session.ErrGarbage, ReasonMalformed},
		{session.ErrReset, ReasonSessionReset},
		{session.ErrLost, ReasonSessionLost},
		{session.ErrTimeout, ReasonTargetSilent},
		{context.DeadlineExceeded, ReasonTimedOut},
	} {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return ReasonSessionFailed
}

// final says whether an attempt is the last one of its variant: it completed, it can never complete,
// or its round is over. A round is as many attempts as the campaign allows; whoever reopens a failed variant
// begins another round, which the number of the attempt alone tells.
func final(r *results.Record, retries int32) bool {
	return r.Succeeded || r.Reason == ReasonUnsupported || r.Reason == ReasonInvalidVariant || r.Attempt%(max(retries, 0)+1) == 0
}

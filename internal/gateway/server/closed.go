package server

import (
	"context"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

const (
	// linger is the time that a stream of reports stays open after the last one. The API has no acknowledgement: a
	// client that breaks the stream meanwhile has not read to its end, and gets the reports again.
	linger = 200 * time.Millisecond
	// doubtful is how many of the newest reports of an endless stream count as not read when it breaks. A report has
	// some 40 bytes: more of them do not fit into a stream's usual window and the queue before it, 64 KiB each.
	doubtful = 4096
)

// deliver reports closed sessions: those that there are, at most so many (0: all), or with MetadataFollow without an end. When
// the stream breaks, what it may not have brought to the client goes back: nothing is lost, but some may come twice.
func (s *Server) deliver(ctx context.Context, most int, send func(*table.Session) error) error {
	follow := asked(ctx, MetadataFollow, false)
	if follow {
		most = 0
	}
	var sent []table.Session
	for {
		sessions, closings := s.options.Sessions.Take(most)
		if len(sessions) == 0 && !follow {
			return nil
		}
		sent = append(sent, sessions...)
		if err := each(sessions, send); err != nil {
			s.options.Sessions.Return(sent)
			return err
		}
		if !follow {
			closings = after(linger)
		} else if len(sent) > 2*doubtful { // not each time: that would cost more than the reports
			sent = slices.Delete(sent, 0, len(sent)-doubtful)
		}
		select {
		case <-ctx.Done():
			s.options.Sessions.Return(sent)
			return status.FromContextError(ctx.Err()).Err()
		case <-s.endless(follow):
			return status.Error(codes.Unavailable, "the gateway is ending")
		case <-closings:
		}
		if !follow {
			return nil
		}
	}
}

// each sends all sessions, up to the first error.
func each(sessions []table.Session, send func(*table.Session) error) error {
	for i := range sessions {
		if err := send(&sessions[i]); err != nil {
			return err
		}
	}
	return nil
}

// endless is closed when endless calls have to end, as the server does; others may come to their own end.
func (s *Server) endless(follow bool) <-chan struct{} {
	if follow {
		return s.ending
	}
	return nil
}

// after is closed when a time is over.
func after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}

// asked is a wish from the metadata of a call; what is not understood counts as not said.
func asked(ctx context.Context, key string, otherwise bool) bool {
	for _, text := range metadata.ValueFromIncomingContext(ctx, key) {
		if wish, err := strconv.ParseBool(text); err == nil {
			return wish
		}
	}
	return otherwise
}

package web

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// Relay makes a WebSocket of a request, which Check has passed, and carries messages between it and another one, until one of the two
// ends, or ctx does. It closes both.
func Relay(ctx context.Context, w http.ResponseWriter, r *http.Request, to *Conn) {
	defer to.drop()
	from, below, err := accept(w, r)
	if err != nil {
		return // it was answered
	}
	blocked := &atomic.Bool{}
	run(ctx, from, below, blocked,
		func(ctx context.Context) error { return carry(ctx, from, to, 0, blocked) },
		func(ctx context.Context) error { return carry(ctx, to, from, stallTime, &atomic.Bool{}) })
	_ = to.Close()
}

// carry copies messages one way; busy is true while the receiver does not take one. It may take each for as
// long as stall; 0: for ever, because a guest may.
func carry(ctx context.Context, from, to *Conn, stall time.Duration, busy *atomic.Bool) error {
	for {
		data, notice, err := from.Read(ctx)
		if err != nil {
			return err
		}
		busy.Store(true)
		err = pass(ctx, to, stall, data, notice)
		busy.Store(false)
		if err != nil {
			return err
		}
	}
}

func pass(ctx context.Context, to *Conn, stall time.Duration, data []byte, notice share.Notice) error {
	if stall > 0 {
		limited, cancel := context.WithTimeout(ctx, stall)
		defer cancel()
		ctx = limited
	}
	if data != nil {
		return to.Write(ctx, data)
	}
	return to.Tell(ctx, notice)
}

package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/genode-operator/genode-operator/internal/session/peer"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// statuses of denials, by reason.
var statuses = map[string]int{
	desk.NoPolicy: http.StatusForbidden, desk.Forbidden: http.StatusForbidden, desk.NoLine: http.StatusNotFound,
	desk.InsufficientQuota: http.StatusTooManyRequests, desk.Busy: http.StatusConflict, desk.Closed: http.StatusServiceUnavailable,
}

// ParseQuery reads what a client asks for from the query of its request: line (default: the first), access
// (default: read) and backlog (default: all that is kept).
func ParseQuery(r *http.Request) (desk.Request, error) {
	q := r.URL.Query()
	out := desk.Request{Line: q.Get("line"), Access: share.Access(q.Get("access")), Backlog: -1}
	if out.Line == "" {
		out.Line = "0"
	}
	switch out.Access {
	case "":
		out.Access = share.Read
	case share.Read, share.Write, share.Steal:
	default:
		return out, fmt.Errorf("access=%.20q: give read, write or steal", q.Get("access"))
	}
	if text := q.Get("backlog"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return out, fmt.Errorf("backlog=%.20q: give a number of bytes, or -1 for all", text)
		}
		out.Backlog = n
	}
	return out, nil
}

// Serve attaches the client of a request to a line and serves it until it leaves, is let go, or ctx ends. The
// error is a *Refused, and nothing was answered, when the desk denies it.
func Serve(ctx context.Context, w http.ResponseWriter, r *http.Request, d *desk.Desk, request desk.Request) error {
	if err := Check(r); err != nil {
		return err
	}
	seat, err := d.Attach(request)
	if err != nil {
		var denied *desk.Denied
		if errors.As(err, &denied) {
			return &Refused{Status: statuses[denied.Reason], Message: denied.Reason + ": " + denied.Message}
		}
		return err
	}
	defer seat.Detach()
	conn, below, err := accept(w, r)
	if err != nil {
		return nil // it was answered
	}
	defer conn.drop()
	blocked := &atomic.Bool{}
	run(ctx, conn, below, blocked,
		func(ctx context.Context) error { return input(ctx, conn, seat, blocked) },
		func(ctx context.Context) error { return output(ctx, conn, seat) })
	return nil
}

// run runs both directions of a connection, and looks after its peer, until one of them ends; then it ends
// the others. The connection is closed then.
func run(ctx context.Context, conn *Conn, below net.Conn, blocked *atomic.Bool, directions ...func(context.Context) error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := append(directions,
		func(ctx context.Context) error { return ping(ctx, conn, blocked) },
		func(ctx context.Context) error { return peer.Watch(ctx, below, stallTime) })
	ended := make(chan error, len(parts))
	var all sync.WaitGroup
	for _, part := range parts {
		all.Go(func() { ended <- part(ctx) })
	}
	if err := <-ended; err == nil || errors.Is(err, io.EOF) {
		_ = conn.Close()
	}
	cancel()
	conn.drop()
	all.Wait()
}

// input gives the guest what the client sends. While it waits for room, blocked is true.
func input(ctx context.Context, conn *Conn, seat *desk.Seat, blocked *atomic.Bool) error {
	for {
		data, notice, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if notice.Event == share.NoticeSize {
			seat.Resize(notice.Columns, notice.Rows)
		}
		if len(data) == 0 {
			continue
		}
		blocked.Store(true)
		_, err = seat.Write(ctx, data)
		blocked.Store(false)
		if err != nil && !errors.Is(err, share.ErrReadOnly) { // a reader's input is thrown away
			return err
		}
	}
}

// output sends what the guest prints, and notices. It ends in order after the last one.
func output(ctx context.Context, conn *Conn, seat *desk.Seat) error {
	for {
		data, notice, err := seat.Next(ctx)
		if err != nil {
			return err
		}
		sending, cancel := context.WithTimeout(ctx, stallTime)
		if data != nil {
			err = conn.Write(sending, data)
		} else {
			err = conn.Tell(sending, notice)
		}
		cancel()
		if err != nil || notice.Event == share.NoticeClosed {
			return err
		}
	}
}

// ping finds peers that vanished behind a proxy. An answer is not expected while nobody reads.
func ping(ctx context.Context, conn *Conn, blocked *atomic.Bool) error {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		asking, cancel := context.WithTimeout(ctx, pingTimeout)
		err := conn.ws.Ping(asking)
		cancel()
		if err != nil && !blocked.Load() {
			return err
		}
	}
}

// accept makes a WebSocket of a request, and finds the connection below it. On an error it has answered.
func accept(w http.ResponseWriter, r *http.Request) (*Conn, net.Conn, error) {
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, nil, err
	}
	return wrap(ws), h.conn, nil
}

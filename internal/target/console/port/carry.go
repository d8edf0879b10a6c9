package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/genode-operator/genode-operator/internal/session/peer"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// piece is how much is read from a client at a time, in bytes.
const piece = 4 << 10

// carry moves bytes both ways until the client leaves or is let go, or ctx ends; its error says which. What
// the client sends is read only when there is room for it, so that its own writes block. Notices before the
// connection are sent if the client reads them; later ones have no place among the bytes.
func (p *Port) carry(ctx context.Context, conn net.Conn, in io.Reader, seat *desk.Seat, greeted bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	typed, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(typed)
		cancel(input(ctx, in, seat))
	}()
	go func() {
		defer close(watched)
		if err := peer.Watch(ctx, conn, p.stall); err != nil {
			cancel(err)
		}
	}()
	cancel(p.output(ctx, conn, seat, greeted))
	_ = conn.Close()
	<-typed
	<-watched
	return context.Cause(ctx)
}

// input gives the guest what the client sends. What one sends who may only read is thrown away.
func input(ctx context.Context, in io.Reader, seat *desk.Seat) error {
	buffer := make([]byte, piece)
	for {
		n, err := in.Read(buffer)
		if n > 0 {
			if _, failed := seat.Write(ctx, buffer[:n]); failed != nil && !errors.Is(failed, share.ErrReadOnly) {
				return failed
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return errEnded
		case err != nil:
			return err
		}
	}
}

// output sends what the guest prints.
func (p *Port) output(ctx context.Context, conn net.Conn, seat *desk.Seat, greeted bool) error {
	for {
		data, notice, err := seat.Next(ctx)
		if err != nil {
			return err
		}
		if notice.Event == share.NoticeClosed {
			return fmt.Errorf("let go: %s", notice.Reason)
		}
		if err := conn.SetWriteDeadline(time.Now().Add(p.stall)); err != nil {
			return err
		}
		if greeted && (notice.Event == share.NoticeWaiting || notice.Event == share.NoticeConnected) {
			err = tell(conn, notice)
		} else if len(data) > 0 {
			_, err = conn.Write(data)
		}
		if err != nil {
			return fmt.Errorf("send the guest's output: %w", err)
		}
	}
}

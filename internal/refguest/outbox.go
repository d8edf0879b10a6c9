package refguest

import (
	"context"
	"net"
)

// outbox decouples those who have something to say from the socket. It holds few messages: what does
// not fit stays in the event log and goes out as one larger frame.
type outbox struct {
	queue chan []byte
}

func newOutbox() *outbox { return &outbox{queue: make(chan []byte, 16)} }

// offer queues what make returns, if there is room. Only one caller at a time.
func (o *outbox) offer(make func() []byte) bool {
	if len(o.queue) == cap(o.queue) {
		return false
	}
	o.queue <- make()
	return true
}

// put queues a message and waits for room.
func (o *outbox) put(ctx context.Context, message []byte) error {
	select {
	case o.queue <- message:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write sends what is queued until ctx ends or the socket fails. gate is passed before each message,
// room is called after it.
func (o *outbox) write(ctx context.Context, conn net.Conn, gate func(context.Context) error, room func()) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message := <-o.queue:
			if err := gate(ctx); err != nil {
				return err
			}
			if _, err := conn.Write(message); err != nil {
				return err
			}
			room()
		}
	}
}

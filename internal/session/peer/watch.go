package peer

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// KeepAlive finds a peer that vanished without a word after 5 s + 3 x 2 s.
var KeepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// Errors of Watch.
var (
	// ErrGone: the connection was reset, or keep-alive found nobody.
	ErrGone = errors.New("the peer is gone")
	// ErrLeft: the peer closed its side some time ago, and nobody has taken what it had sent before.
	ErrLeft = errors.New("the peer has left")
)

// pause is the time between two looks at a connection.
const pause = 250 * time.Millisecond

// Watch looks after a connection whose owner may not read from it for long, because what was read before has
// to find room first. It returns ErrGone when the connection is dead, ErrLeft when the peer closed its side
// at least grace ago, and nil when ctx ends. A connection without a descriptor looks well to it.
func Watch(ctx context.Context, conn net.Conn, grace time.Duration) error {
	raw, err := descriptor(conn)
	if err != nil {
		return ErrGone // it was closed on this side
	}
	if raw == nil {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	var left time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		state, err := poll(raw)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil, state&(unix.POLLERR|unix.POLLHUP) != 0:
			return ErrGone // a connection that was closed on this side cannot be asked either
		case state&unix.POLLRDHUP == 0:
		case left.IsZero():
			left = time.Now()
		case time.Since(left) >= grace:
			return ErrLeft
		}
	}
}

// descriptor finds the socket below TLS; nil without an error when there is none.
func descriptor(conn net.Conn) (syscall.RawConn, error) {
	for {
		switch c := conn.(type) {
		case syscall.Conn:
			return c.SyscallConn()
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil, nil
		}
	}
}

// poll asks the kernel what state a connection is in, without waiting.
func poll(raw syscall.RawConn) (int16, error) {
	var state int16
	var failed error
	err := raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		if _, failed = unix.Poll(fds, 0); errors.Is(failed, unix.EINTR) {
			failed = nil
		}
		state = fds[0].Revents
	})
	return state, errors.Join(err, failed)
}

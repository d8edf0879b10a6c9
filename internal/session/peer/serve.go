package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// acceptPause is the wait after a failed accept (too many open files, for example).
const acceptPause = 50 * time.Millisecond

// Listen opens a TCP socket whose connections are kept alive.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	return (&net.ListenConfig{KeepAliveConfig: KeepAlive}).Listen(ctx, "tcp", address)
}

// Serve accepts connections and handles each in a goroutine of its own, at most so many at a time; what comes
// beyond is closed at once. A connection is closed when its handler returns, or when ctx ends. Serve closes l.
// It returns nil after ctx has ended and all handlers have returned.
func Serve(ctx context.Context, l net.Listener, most int, handle func(ctx context.Context, conn net.Conn)) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = l.Close() }()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	places := make(chan struct{}, most)
	for {
		conn, err := Accept(ctx, l)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil:
			return fmt.Errorf("accept connections on %s: %w", l.Addr(), err)
		}
		select {
		case places <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		handlers.Go(func() {
			defer func() { <-places }()
			defer func() { _ = conn.Close() }()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			handle(ctx, conn)
		})
	}
}

// Accept accepts a connection, and tries again after an error that may pass.
func Accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	for {
		conn, err := l.Accept()
		if err == nil || ctx.Err() != nil || !mayPass(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(acceptPause):
		}
	}
}

// mayPass is true for errors of accept that are not the listener's fault.
func mayPass(err error) bool {
	for _, passing := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a connection over loopback, seen from both sides.
func pair(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = accepted.Close(), dialled.Close() })
	return accepted.(*net.TCPConn), dialled.(*net.TCPConn)
}

func TestWatch(t *testing.T) {
	const grace = 600 * time.Millisecond
	cases := map[string]struct {
		leave func(client *net.TCPConn)
		want  error
	}{
		"a reset is noticed behind bytes that nobody reads": {
			func(c *net.TCPConn) { _, _ = c.SetLinger(0), c.Close() }, ErrGone},
		"one that left is waited for": {func(c *net.TCPConn) { _ = c.CloseWrite() }, ErrLeft},
		"one that stays is not":       {func(*net.TCPConn) {}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server, client := pair(t)
			if _, err := client.Write([]byte("typed ahead")); err != nil {
				t.Fatal(err)
			}
			tc.leave(client)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if tc.want == nil {
				ctx, cancel = context.WithTimeout(ctx, grace+3*pause)
				defer cancel()
			}
			began := time.Now()
			if err := Watch(ctx, server, grace); !errors.Is(err, tc.want) {
				t.Errorf("Watch = %v, want %v", err, tc.want)
			}
			if took := time.Since(began); errors.Is(tc.want, ErrLeft) && took < grace {
				t.Errorf("given up after %s of %s", took, grace)
			}
		})
	}
}

func TestServeClosesWhatIsTooMuchAndAllAtItsEnd(t *testing.T) {
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, l, 2, func(_ context.Context, conn net.Conn) { _, _ = io.Copy(conn, conn) })
	}()
	dial := func() net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		return conn
	}
	echoes := func(conn net.Conn) error {
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, make([]byte, 1))
		return err
	}
	first, second := dial(), dial()
	if err := errors.Join(echoes(first), echoes(second)); err != nil {
		t.Fatal(err)
	}
	if echoes(dial()) == nil {
		t.Error("a third connection was served")
	}
	first.Close()
	deadline := time.Now().Add(30 * time.Second)
	for echoes(dial()) != nil { // until the place of the first one is free
		if time.Now().After(deadline) {
			t.Fatal("the place of a connection that is gone was not given back")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if err := echoes(second); err == nil {
		t.Error("a connection outlives the server")
	}
}

package refguest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/gate"
)

// Server is a taskloader. It serves one connection at a time; others wait in the backlog of the
// listener. Tasks go on when their client goes away.
type Server struct {
	opts   Options
	loader *loader
	gate   gate.Gate

	mu   sync.Mutex
	conn net.Conn // the present one
}

// New makes a server; opts.Runner must be set.
func New(opts Options) *Server {
	opts = opts.withDefaults()
	return &Server{opts: opts, loader: newLoader(opts)}
}

// Serve accepts connections from ln until ctx ends, then closes ln and the connection, kills what
// still runs and returns nil. It returns an error only when ln fails for good.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer s.loader.clear()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	for {
		if err := s.gate.Pass(ctx); err != nil {
			return nil
		}
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // out of descriptors, or the peer has gone already
			s.opts.Log.Error(err, "Accepting a connection failed, trying again")
			pause(ctx, 100*time.Millisecond)
			continue
		}
		s.handle(ctx, conn)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Stall makes the server say and read nothing more, while connections stay open and the jobs go on.
// Stall(false) ends it.
func (s *Server) Stall(on bool) {
	if on {
		s.gate.Shut()
	} else {
		s.gate.Open()
	}
}

// Disconnect closes the present connection, if there is one. With reset the peer sees a reset.
func (s *Server) Disconnect(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return
	}
	if tcp, ok := s.conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // fails only on a closed socket
	}
	s.conn.Close()
}

func (s *Server) present(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
}

// handle serves one connection to its end.
func (s *Server) handle(ctx context.Context, nc net.Conn) {
	log := s.opts.Log.WithValues("client", nc.RemoteAddr().String())
	log.Info("Client connected")
	ctx, cancel := context.WithCancel(ctx)
	out := newOutbox()
	s.present(nc)
	s.loader.attach(out)
	var writer sync.WaitGroup
	writer.Go(func() {
		if err := out.write(ctx, nc, s.gate.Pass, s.loader.drained); err != nil && ctx.Err() == nil {
			log.V(flow).Info("Writing to the client failed", "error", err.Error())
		}
		nc.Close() // the reader notices
		cancel()
	})
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	err := newConn(s, nc, out, log).serve(ctx)
	s.loader.attach(nil)
	cancel()
	stop()
	nc.Close()
	writer.Wait()
	s.present(nil)
	if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		log.Info("Connection ended", "error", err.Error())
		return
	}
	log.Info("Connection ended")
}

package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	gatewayv1 "github.com/genode-operator/genode-operator/internal/gateway/proto/genode/gateway/v1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
)

// Limits. A message of the API has some hundred bytes.
const (
	maxMessage   = 64 << 10
	maxStreams   = 128 // of a connection
	handshake    = 10 * time.Second
	aliveTime    = 10 * time.Second // silence after which a client is asked whether it is still there
	aliveTimeout = 5 * time.Second  // and time for its answer
	pingPace     = 5 * time.Second  // clients may ask no more often
	farewell     = 2 * time.Second  // for calls that are under way when the server ends
)

// Server serves sessions.
type Server struct {
	options Options
	secure  *grpc.Server // nil without TLS
	plain   *grpc.Server
	calls   sync.WaitGroup // shutdowns that are under way
	ended   chan struct{}  // closed when a client has ended the server
	once    sync.Once
	ending  chan struct{} // closed when there are no new calls, and endless ones end
	quit    func()
}

// New makes a server. Options.Sessions is required.
func New(o Options) *Server {
	if o.MaxBatch <= 0 {
		o.MaxBatch = DefaultMaxBatch
	}
	s := &Server{options: o, ended: make(chan struct{}), ending: make(chan struct{})}
	s.quit = sync.OnceFunc(func() { close(s.ending) })
	s.plain = s.make(insecure.NewCredentials())
	if o.TLS != nil {
		s.secure = s.make(credentials.NewTLS(o.TLS))
	}
	return s
}

// make makes one of the two servers, with every service.
func (s *Server) make(creds credentials.TransportCredentials) *grpc.Server {
	g := grpc.NewServer(
		grpc.Creds(creds), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxStreams), grpc.ConnectionTimeout(handshake),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: aliveTime, Timeout: aliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingPace, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true), grpc.UnaryInterceptor(s.guardUnary), grpc.StreamInterceptor(s.guardStream),
	)
	later := &later{server: s}
	for _, service := range services() {
		g.RegisterService(service, later)
	}
	v2020.RegisterSessionTableServer(g, &early{server: s})
	v2020.RegisterSessionStatisticsTableServer(g, &earlyStatistics{server: s})
	gatewayv1.RegisterGatewayServer(g, &own{options: &s.options})
	reflection.Register(g)
	return g
}

// Listeners are where a server is served. All of them have all services.
type Listeners struct {
	Secure []net.Listener // with TLS
	Plain  []net.Listener
}

// Serve serves until ctx ends or a client ends the server, and closes the listeners. It returns nil in both cases.
func (s *Server) Serve(ctx context.Context, l Listeners) error {
	group, running := errgroup.WithContext(ctx)
	serve := func(g *grpc.Server, l net.Listener) {
		group.Go(func() error {
			err := g.Serve(l)
			if errors.Is(err, grpc.ErrServerStopped) {
				err = nil
			}
			return err
		})
	}
	if s.secure == nil && len(l.Secure) > 0 {
		return errors.New("a secured listener needs a certificate")
	}
	for _, secure := range l.Secure {
		serve(s.secure, secure)
	}
	for _, plain := range l.Plain {
		serve(s.plain, plain)
	}
	group.Go(func() error {
		select {
		case <-running.Done():
			s.stop(farewell)
		case <-s.ended:
		}
		return nil
	})
	err := group.Wait()
	s.calls.Wait()
	return err
}

// shutdown ends the server from within a call, which is answered first.
func (s *Server) shutdown(deadline time.Duration) {
	s.once.Do(func() {
		s.calls.Go(func() {
			s.stop(deadline)
			close(s.ended)
		})
	})
}

// stop lets calls that are under way come to their end, within a deadline. There are no new ones.
func (s *Server) stop(deadline time.Duration) {
	s.quit()
	var all sync.WaitGroup
	for _, g := range []*grpc.Server{s.secure, s.plain} {
		if g == nil {
			continue
		}
		all.Go(func() {
			defer time.AfterFunc(deadline, g.Stop).Stop()
			g.GracefulStop()
		})
	}
	all.Wait()
}

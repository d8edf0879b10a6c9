package managerapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// Bounds of the server.
const (
	readTimeout  = 10 * time.Second // for a request
	writeTimeout = 30 * time.Second // for each piece of an answer
	idleTimeout  = 2 * time.Minute
	closeTimeout = time.Second
	maxHeader    = 16 << 10
	// maxStreams is how many watches and exports there may be at a time.
	maxStreams = 64
)

// Options of a Server.
type Options struct {
	Registry *session.Registry
	Store    results.Store
	// Authenticate decides who is let in; see Anybody for a server on the loopback.
	Authenticate Authenticate
	// Agent finds the agent of a TargetSession, for its serial line. nil: none has one.
	Agent func(namespace, name string) (Agent, bool)
	Log   logr.Logger
}

// Server is the API's server.
type Server struct {
	options      Options
	streams      chan struct{}
	writeTimeout time.Duration
	heartbeat    time.Duration
}

// New makes a Server.
func New(o Options) *Server {
	return &Server{options: o, streams: make(chan struct{}, maxStreams), writeTimeout: writeTimeout, heartbeat: heartbeat}
}

// Handler answers requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/sessions", s.sessions)
	mux.HandleFunc("GET /v1/namespaces/{namespace}/tasksets/{name}/results", s.results)
	mux.HandleFunc("GET /v1/namespaces/{namespace}/tasksets/{name}/variants/{number}", s.variant)
	mux.HandleFunc("GET /v1/namespaces/{namespace}/targetsessions/{name}/console", s.console)
	mux.HandleFunc("GET /v1/namespaces/{namespace}/targetsessions/{name}/log", s.serialLog)
	return s.authenticated(mux)
}

// Serve answers on l until ctx ends, and closes l; it returns nil then. With certificates it speaks TLS.
func (s *Server) Serve(ctx context.Context, l net.Listener, certificates ...tls.Certificate) error {
	server := &http.Server{
		Handler:           http.MaxBytesHandler(s.Handler(), 0),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends streams
		ErrorLog:          log.New(io.Discard, "", 0),                        // handshakes of strangers are no news
	}
	if len(certificates) > 0 {
		l = tls.NewListener(l, &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the manager's API on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if server.Shutdown(closing) != nil {
		_ = server.Close() // cuts whoever does not end
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the manager's API on %s: %w", l.Addr(), err)
	}
	return nil
}

// stream takes one of the places for streams; the function gives it back.
func (s *Server) stream() (done func(), err error) {
	select {
	case s.streams <- struct{}{}:
		return func() { <-s.streams }, nil
	default:
		return nil, &problem{http.StatusTooManyRequests, fmt.Sprintf("%d streams are open already: end one, or try again later", maxStreams)}
	}
}

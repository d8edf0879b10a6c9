package agentapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
)

// Bounds of the server.
const (
	readTimeout  = 10 * time.Second // for a request
	writeTimeout = 30 * time.Second // for an answer, and for each line of a watch
	actTimeout   = 20 * time.Second // for what a POST asks for
	idleTimeout  = 2 * time.Minute
	closeTimeout = time.Second
	maxHeader    = 16 << 10
	maxBody      = 4 << 10
	// MaxBinary is the size of the largest binary that is served.
	MaxBinary           = 64 << 20
	defaultConsoleLines = 100
	maxConsoleLines     = 10_000
	maxWatches          = 32
)

// Action is something that the API lets a client do to the guest.
type Action string

// The Actions.
const (
	ActionStop     Action = "stop"     // pause the guest
	ActionCont     Action = "cont"     // continue it
	ActionReset    Action = "reset"    // as the recovery step Reset
	ActionRestore  Action = "restore"  // as the recovery step Restore
	ActionRelaunch Action = "relaunch" // as the recovery step Relaunch
)

// Backend is what a Server serves.
type Backend interface {
	// State returns the newest State.
	State() State
	// Changed returns a channel that is closed at the next change worth telling of.
	Changed() <-chan struct{}
	// Do begins an action; ErrConflict when it cannot be done now.
	Do(ctx context.Context, a Action) error
	// Console returns the newest n lines of the serial log.
	Console(n int) []string
	// Diagnosis returns the newest Diagnosis, or ErrNotFound.
	Diagnosis() (Diagnosis, error)
}

// Server is the API's server.
type Server struct {
	Backend  Backend
	Token    string        // bearer token that every request must show
	Binaries fs.FS         // folder of task binaries; nil: none
	Metrics  http.Handler  // serves /metrics; nil: not served
	Log      *console.Ring // lines of the serial log one by one; nil: not served
	Consoles *desk.Desk    // where clients ask for serial lines; nil: not served

	watches chan struct{}
}

// Handler returns the server as a handler that asks for the token.
func (s *Server) Handler() http.Handler {
	s.watches = make(chan struct{}, maxWatches)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/state", s.state)
	mux.HandleFunc("GET /v1/watch", s.watch)
	mux.HandleFunc("GET /v1/console", s.console)
	mux.HandleFunc("GET /v1/diagnosis", s.diagnosis)
	if s.Log != nil {
		mux.HandleFunc("GET /v1/log", s.log)
		mux.HandleFunc("POST /v1/log", s.writeLog)
	}
	mux.HandleFunc("GET /v1/binaries/{name}", s.binary)
	for _, a := range []Action{ActionStop, ActionCont, ActionReset, ActionRestore, ActionRelaunch} {
		mux.HandleFunc("POST /v1/"+string(a), s.act(a))
	}
	if s.Consoles != nil {
		mux.HandleFunc("GET /v1/consoles", s.consoles)
		mux.HandleFunc("GET /v1/attach", s.attach)
	}
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics)
	}
	return s.authorized(mux)
}

// Serve answers on l with the certificate until ctx ends, and closes l. It returns nil then.
func (s *Server) Serve(ctx context.Context, l net.Listener, cert tls.Certificate) error {
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	return serve(ctx, tls.NewListener(l, config), s.Handler())
}

// serve runs a bounded HTTP server until ctx ends.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           http.MaxBytesHandler(h, maxBody),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends watches
		ErrorLog:          silent,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if server.Shutdown(closing) != nil {
		_ = server.Close() // cuts whoever does not end
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// authorized lets only those through who show the token.
func (s *Server) authorized(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(s.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(token))
		if !ok || s.Token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			fail(w, http.StatusUnauthorized, ErrUnauthorized.Error())
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) state(w http.ResponseWriter, _ *http.Request) { answer(w, s.Backend.State()) }

func (s *Server) diagnosis(w http.ResponseWriter, _ *http.Request) {
	d, err := s.Backend.Diagnosis()
	if err != nil {
		fail(w, status(err), err.Error())
		return
	}
	answer(w, d)
}

func (s *Server) console(w http.ResponseWriter, r *http.Request) {
	n := defaultConsoleLines
	if text := r.URL.Query().Get("lines"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 0 || n > maxConsoleLines {
			fail(w, http.StatusBadRequest, fmt.Sprintf("lines=%.20q: give a number from 0 to %d", text, maxConsoleLines))
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, line := range s.Backend.Console(n) {
		if _, err := w.Write([]byte(line + "\n")); err != nil {
			return // the client is gone
		}
	}
}

func (s *Server) act(a Action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), actTimeout)
		defer cancel()
		if err := s.Backend.Do(ctx, a); err != nil {
			fail(w, status(err), err.Error())
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Server) binary(w http.ResponseWriter, r *http.Request) {
	content, err := s.read(r.PathValue("name"))
	if err != nil {
		fail(w, status(err), err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // fails only when the client is gone
}

func (s *Server) read(name string) ([]byte, error) {
	if s.Binaries == nil || !fs.ValidPath(name) || strings.ContainsRune(name, '/') {
		return nil, fmt.Errorf("binary %.64q: %w", name, ErrNotFound)
	}
	info, err := fs.Stat(s.Binaries, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("binary %.64q: %w", name, ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("binary %.64q: %w", name, err)
	case info.Size() > MaxBinary:
		return nil, fmt.Errorf("binary %.64q has %d bytes; at most %d are served", name, info.Size(), MaxBinary)
	}
	return fs.ReadFile(s.Binaries, name)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails only when the client is gone
}

func fail(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(Error{Message: message})
}

package managerapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// Errors of who decides about access.
var (
	// ErrUnauthenticated: the request does not say who asks, or says it in a way that nobody believes.
	ErrUnauthenticated = errors.New("who asks is not known: send a bearer token of the cluster")
	// ErrForbidden: whoever asks may not do that.
	ErrForbidden = errors.New("forbidden")
)

// Access is something that a user may do or not, in the terms of RBAC. The API group is that of this project.
type Access struct {
	Verb        string
	Resource    string
	Subresource string // "": the resource itself
	Namespace   string // "": all of them
	Name        string // "": all of them
}

// May says whether the user who asks may do something: nil, ErrForbidden, or why that could not be found out.
type May func(ctx context.Context, a Access) error

// Authenticate finds out who asks; without that, the error is ErrUnauthenticated.
type Authenticate func(r *http.Request) (May, error)

// Anybody authenticates everybody who asks from this machine, and lets them read everything but change
// nothing. It is for a server on the loopback. Requests that a browser sends for a foreign page carry the name of a foreign host
// and are refused.
func Anybody(r *http.Request) (May, error) {
	if !onLoopback(r.Host) {
		return nil, ErrUnauthenticated
	}
	return func(_ context.Context, a Access) error {
		if a.Verb != "get" && a.Verb != "list" {
			return fmt.Errorf("%w: on loopback nobody says who they are, and may only read; ask the manager's HTTPS address with a token", ErrForbidden)
		}
		return nil
	}, nil
}

// IsLoopback reports whether a server on the address, host:port, is reached from this machine alone.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && onLoopback(host)
}

func onLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type mayKey struct{}

// authenticated lets only those through whom Authenticate knows; handlers ask may what they may do.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		may, err := s.options.Authenticate(r)
		if err != nil {
			s.fail(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), mayKey{}, may)))
	})
}

// may asks whether the user of the request may do something.
func may(r *http.Request, a Access) error {
	ask, known := r.Context().Value(mayKey{}).(May)
	if !known {
		return ErrUnauthenticated
	}
	return ask(r.Context(), a)
}

package managerapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/genode-operator/genode-operator/internal/session"
)

// Times of a watch.
const (
	heartbeat = 15 * time.Second       // at least one line in that time, with fresh counters
	settle    = 250 * time.Millisecond // between two lines: many changes at a time become one
)

// Sessions is the answer of /v1/sessions, and each line of its watch: all sessions that are open.
type Sessions struct {
	Items []Session `json:"items"`
}

// Session is an open session. Bytes are seen from the manager.
type Session struct {
	ID       uint64    `json:"id"`
	Target   string    `json:"target"` // namespace/name of the TargetSession
	Peer     string    `json:"peer"`   // host:port
	Since    time.Time `json:"since"`
	BytesIn  int64     `json:"bytesIn"`
	BytesOut int64     `json:"bytesOut"`
	Variants int64     `json:"variants"` // started in it
}

// sessions lists the open sessions, once or on every change.
func (s *Server) sessions(w http.ResponseWriter, r *http.Request) {
	namespace, watch := r.URL.Query().Get("namespace"), r.URL.Query().Get("watch")
	if namespace != "" && len(validation.IsDNS1123Label(namespace)) > 0 {
		s.fail(w, invalid(fmt.Sprintf("namespace=%.64q is no name of a namespace", namespace)))
		return
	}
	if watch != "" && watch != "1" && watch != "true" {
		s.fail(w, invalid(fmt.Sprintf("watch=%.20q: give 1, or leave it out", watch)))
		return
	}
	all, err := s.visible(r, namespace)
	switch {
	case err != nil:
		s.fail(w, err)
	case watch == "":
		answer(w, all)
	default:
		s.watchSessions(w, r, namespace)
	}
}

// visible are the sessions of a namespace, or of all that the user may list TargetSessions in.
func (s *Server) visible(r *http.Request, namespace string) (Sessions, error) {
	out := Sessions{Items: []Session{}}
	permitted := listing(r)
	if namespace != "" {
		if err := permitted(namespace); err != nil {
			return out, err
		}
	}
	for _, o := range s.options.Registry.Snapshot() {
		in, _, _ := strings.Cut(o.Target, "/")
		if namespace != "" && in != namespace {
			continue
		}
		switch err := permitted(in); {
		case err == nil:
			out.Items = append(out.Items, sessionOf(o))
		case !errors.Is(err, ErrForbidden):
			return out, err
		}
	}
	return out, nil
}

// listing returns a function that says whether the user may list TargetSessions in a namespace; it asks once
// for all namespaces, and then once for each.
func listing(r *http.Request) func(namespace string) error {
	ask := func(in string) error {
		return may(r, Access{Verb: "list", Resource: "targetsessions", Namespace: in})
	}
	everywhere, known := ask(""), map[string]error{}
	return func(namespace string) error {
		if everywhere == nil {
			return nil
		}
		if _, asked := known[namespace]; !asked {
			known[namespace] = ask(namespace)
		}
		return known[namespace]
	}
}

func sessionOf(o session.OpenSession) Session {
	return Session{ID: o.ID, Target: o.Target, Peer: o.Peer, Since: o.Since, BytesIn: o.BytesIn, BytesOut: o.BytesOut, Variants: o.Variants}
}

// watchSessions writes a line at once, after each change, and now and then. Rights are looked at for each line.
func (s *Server) watchSessions(w http.ResponseWriter, r *http.Request, namespace string) {
	done, err := s.stream()
	if err != nil {
		s.fail(w, err)
		return
	}
	defer done()
	changes, stop := s.options.Registry.Watch()
	defer stop()
	w.Header().Set("Content-Type", "application/jsonl")
	out := &patient{ResponseWriter: w, timeout: s.writeTimeout}
	lines := json.NewEncoder(out)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-changes:
		case <-time.After(s.heartbeat):
		}
		all, err := s.visible(r, namespace)
		if err != nil || lines.Encode(all) != nil || out.Flush() != nil {
			return
		}
		if !pause(r.Context(), settle) {
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

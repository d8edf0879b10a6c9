package managerapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// Error is the body of every answer that is not a success.
type Error struct {
	Message string `json:"message"`
}

// problem is an error with its HTTP status.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

func notFound(message string) error { return &problem{http.StatusNotFound, message} }
func invalid(message string) error  { return &problem{http.StatusBadRequest, message} }

// fail answers with an error. What is nobody's fault but ours is logged, and not told to strangers.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var p *problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", "Bearer")
		p = &problem{http.StatusUnauthorized, err.Error()}
	case errors.Is(err, ErrForbidden):
		p = &problem{http.StatusForbidden, err.Error()}
	default:
		s.options.Log.Error(err, "Answering failed")
		p = &problem{http.StatusInternalServerError, "internal error; the manager's log says more"}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(Error{Message: p.message}) // fails only when the client is gone
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails only when the client is gone
}

// patient is a writer to a client who has so much time to read each piece.
type patient struct {
	http.ResponseWriter
	timeout time.Duration
	begun   bool // something was written
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	p.begun = true
	if err := http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

// Flush sends what was written.
func (p *patient) Flush() error { return http.NewResponseController(p.ResponseWriter).Flush() }

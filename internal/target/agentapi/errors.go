package agentapi

import (
	"errors"
	"fmt"
	"net/http"
)

// Errors of the API; a Client's errors and a Backend's are told apart by them.
var (
	// ErrNotFound: there is no such binary, or no diagnosis yet.
	ErrNotFound = errors.New("not found")
	// ErrConflict: it cannot be done in the target's present state.
	ErrConflict = errors.New("not possible now")
	// ErrUnauthorized: the agent does not accept the token.
	ErrUnauthorized = errors.New("the agent does not accept the token")
	// ErrWrongAgent: whoever answers has another certificate.
	ErrWrongAgent = errors.New("the agent's certificate is not the expected one")
)

// status maps an error of a Backend to an HTTP status.
func status(err error) int {
	switch {
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, ErrConflict):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}

// asError maps an HTTP status and message back to an error.
func asError(code int, message string) error {
	kind := map[int]error{
		http.StatusNotFound:     ErrNotFound,
		http.StatusConflict:     ErrConflict,
		http.StatusUnauthorized: ErrUnauthorized,
	}[code]
	switch {
	case kind == nil:
		return fmt.Errorf("agent answers %d %s: %s", code, http.StatusText(code), message)
	case message == "" || message == kind.Error():
		return kind
	}
	return fmt.Errorf("%w: %s", kind, message)
}

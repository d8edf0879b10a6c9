package agentapi

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"time"
)

// silent swallows what net/http logs: handshakes of strangers are no news.
var silent = log.New(io.Discard, "", 0)

// watch streams States until the client or the server ends.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	select {
	case s.watches <- struct{}{}:
		defer func() { <-s.watches }()
	default:
		fail(w, http.StatusTooManyRequests, "too many watches are open: end one first")
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	control := http.NewResponseController(w)
	heartbeat := time.NewTicker(WatchHeartbeat / 2)
	defer heartbeat.Stop()
	lines := json.NewEncoder(w)
	for {
		changed := s.Backend.Changed() // before State, so that no change is missed
		if control.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil ||
			lines.Encode(s.Backend.State()) != nil || control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-heartbeat.C:
		}
	}
}

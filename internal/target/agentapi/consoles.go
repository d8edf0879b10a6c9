package agentapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// maxPeer is the longest address of a client that the manager may name, in bytes.
const maxPeer = 100

// Consoles lists the serial lines and who is attached to them.
type Consoles struct {
	Lines   []string        `json:"lines"`
	Clients []ConsoleClient `json:"clients"`
}

// ConsoleClient is somebody who is attached to a serial line. Bytes are seen from the agent.
type ConsoleClient struct {
	ID       uint64    `json:"id"`
	Line     string    `json:"line"` // name of the line and label of the client, as "0 manager"
	Peer     string    `json:"peer"`
	Since    time.Time `json:"since"`
	BytesIn  int64     `json:"bytesIn"`
	BytesOut int64     `json:"bytesOut"`
}

func (s *Server) consoles(w http.ResponseWriter, _ *http.Request) {
	out := Consoles{Lines: s.Consoles.Lines(), Clients: []ConsoleClient{}}
	for _, c := range s.Consoles.Attached() {
		out.Clients = append(out.Clients, ConsoleClient{ID: c.ID, Line: c.Target, Peer: c.Peer, Since: c.Since, BytesIn: c.BytesIn, BytesOut: c.BytesOut})
	}
	answer(w, out)
}

// attach makes a WebSocket of the request; see the package web.
func (s *Server) attach(w http.ResponseWriter, r *http.Request) {
	request, err := web.ParseQuery(r)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	request.Label, request.Peer = r.URL.Query().Get("label"), r.RemoteAddr
	if peer := r.URL.Query().Get("peer"); peer != "" {
		request.Peer = cut(peer, maxPeer)
	}
	var refused *web.Refused
	switch err := web.Serve(r.Context(), w, r, s.Consoles, request); {
	case errors.As(err, &refused):
		fail(w, refused.Status, refused.Message)
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
	}
}

// Consoles returns the serial lines and who is attached to them.
func (c *Client) Consoles(ctx context.Context) (Consoles, error) {
	var out Consoles
	return out, c.decode(ctx, "/v1/consoles", &out)
}

// Attach attaches to a serial line. The error is a *web.Refused when the agent does not want that. ctx bounds
// the attempt only; Close of the connection must follow.
func (c *Client) Attach(ctx context.Context, r desk.Request) (*web.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	query := url.Values{
		"label": {r.Label}, "peer": {r.Peer}, "line": {r.Line}, "access": {string(r.Access)}, "backlog": {strconv.Itoa(r.Backlog)},
	}
	conn, err := web.Dial(ctx, c.http, c.base+"/v1/attach?"+query.Encode(), http.Header{"Authorization": {"Bearer " + c.token}})
	if err != nil {
		return nil, fmt.Errorf("ask the agent for a console: %w", err)
	}
	return conn, nil
}

package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// Bounds of a connection.
const (
	maxMessage   = 64 << 10    // bytes of a message
	stallTime    = time.Minute // that a message may take to be sent
	pingInterval = 30 * time.Second
	pingTimeout  = 15 * time.Second
	maxAnswer    = 4 << 10 // bytes of a denial that are read
)

// Conn is one side of a WebSocket that carries a serial line. Read is called by one goroutine at a time, the
// other methods by any.
type Conn struct{ ws *websocket.Conn }

func wrap(ws *websocket.Conn) *Conn {
	ws.SetReadLimit(maxMessage)
	return &Conn{ws}
}

// Refused is the error of a server that does not want a WebSocket.
type Refused struct {
	Status  int // of HTTP
	Message string
}

// Error names the status and what the server says.
func (r *Refused) Error() string {
	if r.Message == "" {
		return http.StatusText(r.Status)
	}
	return r.Message
}

// Dial opens a WebSocket at an http or https address; ctx bounds that only. The client must have no time-out.
// The error is a *Refused when the server answers and does not want it.
func Dial(ctx context.Context, client *http.Client, url string, header http.Header) (*Conn, error) {
	ws, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client, HTTPHeader: header})
	if err == nil {
		return wrap(ws), nil
	}
	if response != nil && response.Body != nil {
		defer response.Body.Close()
	}
	if response == nil || response.StatusCode == http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("open a console: %w", err)
	}
	refused := &Refused{Status: response.StatusCode}
	var answer struct {
		Message string `json:"message"`
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what came is message enough
	if json.Unmarshal(body, &answer) == nil {
		refused.Message = answer.Message
	}
	return nil, refused
}

// Read waits for the next bytes or the next notice; data is nil exactly when it is a notice. The error is
// io.EOF when the other side has closed in order.
func (c *Conn) Read(ctx context.Context) (data []byte, notice share.Notice, err error) {
	for {
		kind, message, err := c.ws.Read(ctx)
		switch {
		case websocket.CloseStatus(err) == websocket.StatusNormalClosure:
			return nil, notice, io.EOF
		case err != nil:
			return nil, notice, fmt.Errorf("read from the console: %w", err)
		case kind == websocket.MessageText:
			if err := json.Unmarshal(message, &notice); err != nil {
				return nil, notice, fmt.Errorf("a notice of the console: %w", err)
			}
			return nil, notice, nil
		case len(message) > 0:
			return message, notice, nil
		}
	}
}

// Write sends bytes of the line.
func (c *Conn) Write(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		n := min(len(p), maxMessage/2)
		if err := c.send(ctx, websocket.MessageBinary, p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// Tell sends a notice.
func (c *Conn) Tell(ctx context.Context, n share.Notice) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return c.send(ctx, websocket.MessageText, text)
}

// Resize says how large the client's terminal is.
func (c *Conn) Resize(ctx context.Context, columns, rows uint16) error {
	return c.Tell(ctx, share.Notice{Event: share.NoticeSize, Columns: columns, Rows: rows})
}

func (c *Conn) send(ctx context.Context, kind websocket.MessageType, p []byte) error {
	if err := c.ws.Write(ctx, kind, p); err != nil {
		return fmt.Errorf("write to the console: %w", err)
	}
	return nil
}

// Close ends the connection in order; the other side reads io.EOF.
func (c *Conn) Close() error {
	err := c.ws.Close(websocket.StatusNormalClosure, "")
	if errors.Is(err, io.EOF) || websocket.CloseStatus(err) != -1 {
		return nil // the other side was first
	}
	return err
}

// drop ends the connection at once.
func (c *Conn) drop() { _ = c.ws.CloseNow() }

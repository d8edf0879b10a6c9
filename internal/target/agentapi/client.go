package agentapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of a Client.
const (
	dialTimeout    = 3 * time.Second
	requestTimeout = 30 * time.Second
	// WatchSilence is the time without a State after which a watch gives up.
	WatchSilence = 3 * WatchHeartbeat
	maxAnswer    = 16 << 20
	maxState     = 1 << 20
)

// Client talks to one agent. Its methods may be called from any goroutine.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client of the agent at address (host:port) that proves itself with exactly the
// certificate of the credentials; their key is not needed. Nothing is sent before the first call.
func NewClient(address string, c Credentials) (*Client, error) {
	want, err := fingerprint(c.CertPEM)
	if err != nil {
		return nil, fmt.Errorf("credentials of the agent at %s: %w", address, err)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConns:        2,
		IdleConnTimeout:     idleTimeout / 2,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13,
			// The certificate is pinned: neither who signed it nor what name it has says more.
			InsecureSkipVerify: true,
			VerifyConnection:   pinned(want),
		},
	}
	return &Client{base: "https://" + address, token: c.Token, http: &http.Client{Transport: transport}}, nil
}

func pinned(want [sha256.Size]byte) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return ErrWrongAgent
		}
		got := sha256.Sum256(s.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return ErrWrongAgent
		}
		return nil
	}
}

// Close drops idle connections. The client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// State returns the newest State.
func (c *Client) State(ctx context.Context) (State, error) {
	var s State
	return s, c.decode(ctx, "/v1/state", &s)
}

// Diagnosis returns the newest Diagnosis with everything in it; ErrNotFound while there is none.
func (c *Client) Diagnosis(ctx context.Context) (Diagnosis, error) {
	var d Diagnosis
	return d, c.decode(ctx, "/v1/diagnosis", &d)
}

// Do does something to the guest; ErrConflict when that is not possible now.
func (c *Client) Do(ctx context.Context, a Action) error {
	_, err := c.get(ctx, http.MethodPost, "/v1/"+string(a))
	return err
}

// Console returns the newest n lines of the serial log, oldest first.
func (c *Client) Console(ctx context.Context, n int) ([]string, error) {
	body, err := c.get(ctx, http.MethodGet, "/v1/console?lines="+strconv.Itoa(n))
	if err != nil || len(body) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(body), "\n"), "\n"), nil
}

// Binary returns a task binary that came with the target; ErrNotFound when there is none of that name.
func (c *Client) Binary(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return c.fetch(ctx, http.MethodGet, "/v1/binaries/"+url.PathEscape(name), MaxBinary)
}

// Metrics returns the agent's metrics in Prometheus' text format; ErrNotFound when it has none.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	return c.get(ctx, http.MethodGet, "/metrics")
}

func (c *Client) decode(ctx context.Context, path string, into any) error {
	body, err := c.get(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("agent's answer to %s: %w", path, err)
	}
	return nil
}

func (c *Client) get(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return c.fetch(ctx, method, path, maxAnswer)
}

// fetch sends a request and returns the body of a 2xx answer.
func (c *Client) fetch(ctx context.Context, method, path string, limit int64) ([]byte, error) {
	response, err := c.send(ctx, method, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("agent's answer to %s: %w", path, err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("agent's answer to %s has more than %d bytes", path, limit)
	}
	return body, nil
}

// send sends a request without a body; see exchange.
func (c *Client) send(ctx context.Context, method, path string) (*http.Response, error) {
	return c.exchange(ctx, method, path, http.NoBody)
}

// exchange sends a request and turns answers that are not 2xx into errors.
func (c *Client) exchange(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("request to the agent: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxBody)) // what came is message enough
	var e Error
	if json.Unmarshal(answer, &e) != nil {
		e.Message = string(bytes.TrimSpace(answer))
	}
	return nil, asError(response.StatusCode, e.Message)
}

// Watch calls seen with the newest State: at once, with each change, and at least every WatchHeartbeat.
// It returns ctx's error when ctx ends, and another one when the agent ends, sends garbage, or is silent
// for WatchSilence; call it again after a pause.
func (c *Client) Watch(ctx context.Context, seen func(State)) error {
	watching, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(WatchSilence, func() {
		cancel(fmt.Errorf("the agent was silent for %s: %w", WatchSilence, context.DeadlineExceeded))
	})
	defer watchdog.Stop()
	err := c.stream(watching, func(s State) {
		watchdog.Reset(WatchSilence)
		seen(s)
	})
	if cause := context.Cause(watching); cause != nil {
		return cause
	}
	return err
}

// stream reads States until there are no more; its error is never nil.
func (c *Client) stream(ctx context.Context, seen func(State)) error {
	response, err := c.send(ctx, http.MethodGet, "/v1/watch")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	limited := &io.LimitedReader{R: response.Body, N: maxState}
	lines := json.NewDecoder(limited)
	for {
		var s State
		if err := lines.Decode(&s); err != nil {
			return ended(err)
		}
		limited.N = maxState // for the next State
		seen(s)
	}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the agent ended the watch: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("the agent's watch: %w", err)
}

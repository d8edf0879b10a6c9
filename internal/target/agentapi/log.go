package agentapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/console"
)

// LogLine is one line of /v1/log: an entry, or how many lines are missing here.
type LogLine struct {
	*console.Entry
	// Missed lines came faster than the client read, and are kept no longer.
	Missed uint64 `json:"missed,omitempty"`
}

// LogQuery says which lines of the serial log are wanted.
type LogQuery struct {
	console.Query
	Follow bool // go on with what comes, until the client leaves
}

// Values is the query of a request.
func (q LogQuery) Values() url.Values {
	v := url.Values{"lines": {strconv.Itoa(q.Lines)}}
	if q.After > 0 {
		v.Set("after", strconv.FormatUint(q.After, 10))
	}
	if q.Previous {
		v.Set("previous", "1")
	}
	if q.Follow {
		v.Set("follow", "1")
	}
	return v
}

// ParseLogQuery reads the query of a request: lines (default and negative: all), after, previous=1, follow=1.
func ParseLogQuery(v url.Values) (LogQuery, error) {
	q := LogQuery{Query: console.Query{Lines: -1}}
	var err error
	if text := v.Get("lines"); text != "" {
		if q.Lines, err = strconv.Atoi(text); err != nil {
			return q, fmt.Errorf("lines=%.20q: give a number, negative for all", text)
		}
	}
	if text := v.Get("after"); text != "" {
		if q.After, err = strconv.ParseUint(text, 10, 64); err != nil {
			return q, fmt.Errorf("after=%.20q: give the number of a line", text)
		}
	}
	for name, field := range map[string]*bool{"previous": &q.Previous, "follow": &q.Follow} {
		switch text := v.Get(name); text {
		case "", "0", "false":
		case "1", "true":
			*field = true
		default:
			return q, fmt.Errorf("%s=%.20q: give 1, or leave it out", name, text)
		}
	}
	if q.Previous && q.Follow {
		return q, errors.New("previous and follow: nothing more comes to the log of a start that is over; leave one out")
	}
	return q, nil
}

// log answers with lines of the serial log.
func (s *Server) log(w http.ResponseWriter, r *http.Request) {
	q, err := ParseLogQuery(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	select {
	case s.watches <- struct{}{}:
		defer func() { <-s.watches }()
	default:
		fail(w, http.StatusTooManyRequests, "too many watches are open: end one first")
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	control, lines := http.NewResponseController(w), json.NewEncoder(w)
	for {
		changed := s.Log.Changed() // before Log, so that no line is missed
		page := s.Log.Log(q.Query)
		if control.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil || writePage(lines, page) != nil || control.Flush() != nil || !q.Follow {
			return
		}
		q.After, q.Lines = page.Newest, -1
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}

func writePage(lines *json.Encoder, page console.Page) error {
	if page.Missed > 0 {
		if err := lines.Encode(LogLine{Missed: page.Missed}); err != nil {
			return err
		}
	}
	for i := range page.Entries {
		if err := lines.Encode(LogLine{Entry: &page.Entries[i]}); err != nil {
			return err
		}
	}
	return nil
}

// writeLog adds a text to the serial log.
func (s *Server) writeLog(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the text has more than %d bytes: send it in pieces", maxBody))
		return
	}
	label := r.URL.Query().Get("label")
	if label == "" || len(label) > maxPeer {
		fail(w, http.StatusBadRequest, fmt.Sprintf("label=%.20q: say in 1 to %d bytes who writes", label, maxPeer))
		return
	}
	s.Log.Append(label, string(text))
	w.WriteHeader(http.StatusNoContent)
}

// Log returns lines of the serial log as they come over the wire, a LogLine a line. With Follow it goes on
// until ctx ends. Close must follow.
func (c *Client) Log(ctx context.Context, q LogQuery) (io.ReadCloser, error) {
	response, err := c.send(ctx, http.MethodGet, "/v1/log?"+q.Values().Encode())
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// WriteLog adds a text to the serial log, line by line, each with the label; at most 4 KiB at a time.
func (c *Client) WriteLog(ctx context.Context, label, text string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	path := "/v1/log?" + url.Values{"label": {label}}.Encode()
	response, err := c.exchange(ctx, http.MethodPost, path, strings.NewReader(text))
	if err != nil {
		return err
	}
	return response.Body.Close()
}

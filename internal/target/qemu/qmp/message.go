package qmp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Event is something that QEMU reports unasked, for example RESET or STOP.
type Event struct {
	Name string
	Data json.RawMessage // nil when the event has none
	Time time.Time       // on QEMU's host; zero when QEMU could not tell
}

// message is any line that QEMU sends: a greeting, an answer or an event.
type message struct {
	Greeting  json.RawMessage `json:"QMP"`
	Return    json.RawMessage `json:"return"`
	Error     *Error          `json:"error"`
	ID        json.RawMessage `json:"id"`
	Event     string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	Timestamp struct {
		Seconds      int64 `json:"seconds"`
		Microseconds int64 `json:"microseconds"`
	} `json:"timestamp"`
}

// request is a command as it is sent.
type request struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
	ID        uint64 `json:"id"`
}

// parse reads one line.
func parse(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, fmt.Errorf("not QMP: %w: %.80q", err, line)
	}
	return m, nil
}

// id returns the number of the command that m answers.
func (m message) id() (uint64, bool) {
	n, err := strconv.ParseUint(string(m.ID), 10, 64)
	return n, err == nil
}

func (m message) event() Event {
	e := Event{Name: m.Event, Data: m.Data}
	if t := m.Timestamp; t.Seconds > 0 { // -1 when QEMU has no time
		e.Time = time.Unix(t.Seconds, t.Microseconds*1000)
	}
	return e
}

// readLine reads a line of at most limit bytes and skips empty ones. Its result is valid until the next
// call only.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(long)+len(part) > limit {
			return nil, fmt.Errorf("not QMP: a line of more than %d bytes", limit)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
			continue
		case errors.Is(err, io.EOF) && len(long)+len(part) > 0:
			return nil, fmt.Errorf("the last line is cut: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, err
		}
		if long != nil {
			part = append(long, part...)
		}
		if part = bytes.TrimSpace(part); len(part) > 0 {
			return part, nil
		}
		long = nil
	}
}

package refguest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipes is a listener without sockets, so that a server can live in a synctest bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// client is the other end, for tests: everything the server says is collected by a goroutine, since a
// pipe has no buffer.
type client struct {
	t    *testing.T
	conn net.Conn
	msgs chan any // goSend{} or frameText; closed at the end of the connection
}

type (
	goSend    struct{}
	frameText string
)

func (p *pipes) dial(t *testing.T) *client {
	t.Helper()
	near, far := net.Pipe()
	c := &client{t: t, conn: near, msgs: make(chan any, 1<<14)}
	p.conns <- far
	go c.read()
	return c
}

func (c *client) read() {
	defer close(c.msgs)
	for {
		word, err := readWord(c.conn)
		if err != nil {
			return
		}
		if word == wordGoSend {
			c.msgs <- goSend{}
			continue
		}
		text := make([]byte, word)
		if _, err := io.ReadFull(c.conn, text); err != nil {
			return
		}
		c.msgs <- frameText(text)
	}
}

func (c *client) send(parts ...any) {
	c.t.Helper()
	var b bytes.Buffer
	for _, p := range parts {
		switch p := p.(type) {
		case uint32:
			b.Write(binary.LittleEndian.AppendUint32(nil, p))
		case string:
			b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(p))))
			b.WriteString(p)
		case []byte:
			b.Write(p)
		}
	}
	if _, err := c.conn.Write(b.Bytes()); err != nil {
		c.t.Errorf("send: %v", err)
	}
}

func (c *client) upload(name string, content string) {
	c.t.Helper()
	c.send(wordSendBinaries, uint32(1))
	if _, ok := (<-c.msgs).(goSend); !ok {
		c.t.Error("no GO_SEND for a binary")
	}
	header := make([]byte, binaryNameSize)
	copy(header, name)
	c.send(header, content)
}

// events returns the events that have arrived so far as "TYPE id@stamp".
func (c *client) events() []string {
	c.t.Helper()
	var got []string
	for {
		select {
		case m, ok := <-c.msgs:
			if !ok {
				return got
			}
			text, isFrame := m.(frameText)
			if !isFrame {
				c.t.Errorf("unexpected message %v", m)
				continue
			}
			got = append(got, parseEvents(c.t, string(text))...)
		default:
			return got
		}
	}
}

func parseEvents(t *testing.T, text string) []string {
	t.Helper()
	if !strings.HasSuffix(text, "</profile>\n\x00") {
		t.Errorf("frame does not end in a newline and NUL: %q", text)
	}
	var doc struct {
		Events []struct {
			Type  string `xml:"type,attr"`
			ID    int    `xml:"task-id,attr"`
			Stamp int    `xml:"time-stamp,attr"`
		} `xml:"events>event"`
	}
	if err := xml.Unmarshal([]byte(strings.TrimSuffix(text, "\x00")), &doc); err != nil {
		t.Errorf("frame is not XML: %v: %q", err, text)
	}
	var out []string
	for _, e := range doc.Events {
		out = append(out, fmt.Sprintf("%s %d@%d", e.Type, e.ID, e.Stamp))
	}
	return out
}

// serve runs a server in the present bubble until the returned function is called.
func serve(t *testing.T, opts Options) (*Server, *pipes, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s, ln, done := New(opts), newPipes(), make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	return s, ln, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

func forever(Spec) time.Duration { return -1 }

func lasting(d time.Duration) func(Spec) time.Duration {
	return func(Spec) time.Duration { return d }
}

// describe makes a task-set; each task is its child elements.
func describe(tasks ...string) string {
	var b strings.Builder
	b.WriteString("<taskset>")
	for _, t := range tasks {
		b.WriteString("<periodictask>" + t + "<pkg>hey</pkg><config/></periodictask>")
	}
	return b.String() + "</taskset>"
}

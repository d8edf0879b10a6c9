package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const greeting = `{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}` + "\n"

// peer is the server's end of one connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// say sends text as it is; a client that has gone is not an error.
func (p *peer) say(text string) { _, _ = p.conn.Write([]byte(text)) }

// answer sends an answer: a key and its JSON value.
func (p *peer) answer(id uint64, key, value string) {
	p.say(fmt.Sprintf(`{%q: %s, "id": %d}`+"\n", key, value, id))
}

// hear reads the next command; ok is false when the client has gone.
func (p *peer) hear() (execute string, id uint64, ok bool) {
	line, err := p.in.ReadBytes('\n')
	if err != nil {
		return "", 0, false
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		p.t.Errorf("the client sent %q: %v", line, err)
	}
	return r.Execute, r.ID, true
}

// welcome does the greeting and the capabilities.
func (p *peer) welcome() {
	p.say(greeting)
	execute, id, ok := p.hear()
	if ok && execute != "qmp_capabilities" {
		p.t.Errorf("first command is %q", execute)
	}
	p.answer(id, "return", "{}")
}

// serve plays script to the first connection and returns the socket. The connection closes when the
// script returns.
func serve(t *testing.T, script func(*peer)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "qmp") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		script(&peer{t: t, conn: conn, in: bufio.NewReader(conn)})
	}()
	t.Cleanup(func() {
		listener.Close()
		<-over
		os.RemoveAll(dir)
	})
	return socket
}

// dial connects to a server that plays script after the welcome.
func dial(t *testing.T, opts Options, script func(*peer)) *Client {
	t.Helper()
	socket := serve(t, func(p *peer) {
		p.welcome()
		script(p)
	})
	c, err := Dial(context.Background(), socket, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

const soon = 50 * time.Millisecond

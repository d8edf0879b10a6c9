package console

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if built.folder != "" {
		_ = os.RemoveAll(built.folder)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// built are the programs, built once for all tests.
var built struct{ folder string }

// program is the path of a program, or skips the test without QEMU.
func program(t *testing.T, name string) string {
	t.Helper()
	if built.folder != "" {
		return filepath.Join(built.folder, name)
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skipf("no QEMU: %v", err)
	}
	sources(t, "cmd/agent", "cmd/genodectl", "internal/target/qemu", "internal/target/supervisor", "internal/target/vnet")
	folder, err := os.MkdirTemp("", "console-test-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", folder+"/", "../../cmd/agent", "../../cmd/genodectl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", errors.Join(err, os.RemoveAll(folder)), out)
	}
	built.folder = folder
	return filepath.Join(folder, name)
}

// lab is a running agent with a guest that echoes.
type lab struct {
	*testing.T
	process *exec.Cmd
	api     *agentapi.Client
	token   string
	secure  string // address of the serial line with TLS
	plain   string // and without
	// credentials is the folder of the agent's credentials.
	credentials string
}

// hosts counts the loopback addresses that are used up.
var hosts atomic.Int32

// boot starts an agent and waits for its API; the guest may still be booting.
func boot(t *testing.T, flags ...string) *lab {
	t.Helper()
	return bootLine(t, 0, flags...)
}

// bootLine is boot with a guest that uses the serial port of that number.
func bootLine(t *testing.T, line int, flags ...string) *lab {
	t.Helper()
	agent := program(t, "agent")
	folder, host := t.TempDir(), fmt.Sprintf("127.78.0.%d", hosts.Add(1))
	l := &lab{T: t, secure: host + ":7444", plain: host + ":7500"}
	args := []string{
		"--preset=linux-x86", "--disk=" + disk(t, folder, line), "--accelerator=TCG", "--steps=Reset,Relaunch", "--boot-timeout=1h",
		"--pod-ip=" + host, "--work-dir=" + filepath.Join(folder, "w"), "--taskloader-port=0", "--log-level=2",
		"--termination-log=" + filepath.Join(folder, "t"),
	}
	l.process = exec.Command(agent, append(args, flags...)...)
	log := &bytes.Buffer{}
	l.process.Stderr = log
	if err := l.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.process.Process.Signal(syscall.SIGTERM)
		if err := l.process.Wait(); err != nil || t.Failed() {
			t.Errorf("the agent ended with %v:\n%s", err, log)
		}
	})
	l.credentials = filepath.Join(folder, "w", "credentials")
	l.connect(host, l.credentials)
	return l
}

// connect waits for the credentials that the agent makes, and for its API.
func (l *lab) connect(host, folder string) {
	l.Helper()
	await(l.T, "the agent's API", func() bool {
		token, err := os.ReadFile(filepath.Join(folder, "token"))
		cert, err2 := os.ReadFile(filepath.Join(folder, "tls.crt"))
		if err != nil || err2 != nil || len(token) == 0 || len(cert) == 0 {
			return false
		}
		l.token = string(token)
		if l.api == nil {
			if l.api, err = agentapi.NewClient(host+":7443", agentapi.Credentials{Token: l.token, CertPEM: cert}); err != nil {
				return false
			}
			l.Cleanup(l.api.Close)
		}
		_, err = l.api.State(l.Context())
		return err == nil
	})
}

// booted waits until the guest has printed its greeting.
func (l *lab) booted() {
	l.Helper()
	await(l.T, "the guest", func() bool {
		lines, err := l.api.Console(l.Context(), 10)
		return err == nil && len(lines) > 0 && lines[len(lines)-1]+"\r\n" == greeting
	})
}

// attached waits until so many clients are attached.
func (l *lab) attached(want int) {
	l.Helper()
	await(l.T, fmt.Sprintf("%d attached clients", want), func() bool {
		all, err := l.api.Consoles(l.Context())
		return err == nil && len(all.Clients) == want
	})
}

// resident is how much memory the agent uses, in bytes.
func (l *lab) resident() int {
	l.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.process.Process.Pid))
	if err != nil {
		l.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		l.Fatalf("VmRSS: %v", err)
	}
	return kib << 10
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// terminal is a connection to the serial line, of whatever kind.
type terminal struct {
	io.ReadWriter
	t     *testing.T
	close func()
	seen  bytes.Buffer
}

// until reads until the text ends in want, and returns what it has read.
func (c *terminal) until(want string) string {
	c.t.Helper()
	from := c.seen.Len()
	buffer := make([]byte, 32<<10)
	for !strings.HasSuffix(c.seen.String()[from:], want) {
		n, err := c.Read(buffer)
		c.seen.Write(buffer[:n])
		if err != nil {
			c.t.Fatalf("%v after %.200q (%d bytes), want %.100q (%d bytes)", err, c.seen.String()[from:], c.seen.Len()-from, want, len(want))
		}
	}
	return c.seen.String()[from:]
}

// echoed types a text and waits for it to come back.
func (c *terminal) echoed(text string) {
	c.t.Helper()
	go func() { _, _ = io.WriteString(c, text) }()
	c.until(text)
}

func (l *lab) dial(address string) *net.TCPConn {
	l.Helper()
	conn, err := (&net.Dialer{}).DialContext(l.Context(), "tcp", address)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// raw is a connection without TLS: the line from its first byte on.
func (l *lab) raw() *terminal {
	l.Helper()
	conn := l.dial(l.plain)
	return &terminal{ReadWriter: conn, t: l.T, close: func() { _ = conn.Close() }}
}

// greet opens a connection with TLS and returns it with the answer to its greeting.
func (l *lab) greet(label string, access share.Access) (*terminal, share.Notice) {
	l.Helper()
	conn := tls.Client(l.dial(l.secure), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	fmt.Fprintf(conn, `{"token":%q,"label":%q,"access":%q}`+"\n", l.token, label, access)
	in := bufio.NewReader(conn)
	c := &terminal{ReadWriter: struct {
		io.Reader
		io.Writer
	}{in, conn}, t: l.T, close: func() { _ = conn.Close() }}
	return c, l.notice(in)
}

// notice reads a line of JSON.
func (l *lab) notice(in io.Reader) (n share.Notice) {
	l.Helper()
	line, err := in.(interface{ ReadBytes(byte) ([]byte, error) }).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &n)
	}
	if err != nil {
		l.Fatalf("notice %q: %v", line, err)
	}
	return n
}

// attach opens a WebSocket.
func (l *lab) attach(label string, access share.Access) *socket {
	l.Helper()
	conn, err := l.api.Attach(l.Context(), desk.Request{Label: label, Line: "0", Access: access, Backlog: -1})
	if err != nil {
		l.Fatal(err)
	}
	s := &socket{Conn: conn, t: l.T}
	l.Cleanup(func() { _ = conn.Close() })
	return s
}

// socket is a WebSocket as a stream of bytes; its notices are kept.
type socket struct {
	*web.Conn
	t       *testing.T
	rest    []byte
	notices []share.Notice
}

func (s *socket) Read(p []byte) (int, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for len(s.rest) == 0 {
		data, notice, err := s.Conn.Read(ctx)
		if err != nil {
			return 0, err
		}
		if s.rest = data; data == nil {
			s.notices = append(s.notices, notice)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *socket) Write(p []byte) (int, error) {
	if err := s.Conn.Write(s.t.Context(), p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// next waits for the next notice; output before it is thrown away.
func (s *socket) next() share.Notice {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		data, notice, err := s.Conn.Read(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		if data == nil {
			return notice
		}
	}
}

func (s *socket) terminal() *terminal {
	return &terminal{ReadWriter: s, t: s.t, close: func() { _ = s.Close() }}
}

package port

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
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/session/peer"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 30 * time.Second
	kept     = 80 << 10 // bytes of output
)

// site is a serial line with a port, and credentials.
type site struct {
	*testing.T
	*Port
	serial  *share.Line
	desk    *desk.Desk
	token   string
	cert    tls.Certificate
	address string
}

// newSite serves a line on loopback, with TLS or without.
func newSite(t *testing.T, secure bool, policies ...string) *site {
	t.Helper()
	credentials, err := agentapi.NewCredentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, serial: share.NewLine("0", share.Options{Backlog: kept, Input: 64}), token: credentials.Token}
	if s.cert, err = tls.X509KeyPair(credentials.CertPEM, credentials.KeyPEM); err != nil {
		t.Fatal(err)
	}
	o := desk.Options{Lines: []*share.Line{s.serial}}
	for _, text := range policies {
		p, err := desk.ParsePolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Policies = append(o.Policies, p)
	}
	s.desk = desk.New(o)
	options := Options{Desk: s.desk, Line: "0", Log: testr.New(t)}
	if secure {
		options.Token, options.TLS = s.token, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS13}
	}
	s.Port = New(options)
	s.stall, s.firstPause = 2*time.Second, time.Millisecond
	l, err := peer.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.run(func(ctx context.Context) error { return s.Serve(ctx, l) })
	return s
}

// run runs something until the test ends.
func (s *site) run(serve func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	s.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Errorf("it ended with %v", err)
		}
	})
}

// echo is a guest that prints what it reads.
func (s *site) echo() {
	s.run(func(ctx context.Context) error {
		p := make([]byte, 100)
		for {
			n, err := s.serial.Take(ctx, p)
			if err != nil {
				return nil
			}
			_, _ = s.serial.Write(p[:n])
		}
	})
}

func (s *site) dial() *net.TCPConn {
	s.Helper()
	conn, err := (&net.Dialer{}).DialContext(s.Context(), "tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// greet dials with TLS, sends a greeting and returns the connection with the first notice.
func (s *site) greet(hello string) (net.Conn, *bufio.Reader, share.Notice) {
	s.Helper()
	conn := tls.Client(s.dial(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	if _, err := io.WriteString(conn, hello); err != nil {
		s.Fatal(err)
	}
	in := bufio.NewReader(conn)
	return conn, in, s.notice(in)
}

func (s *site) notice(in *bufio.Reader) (n share.Notice) {
	s.Helper()
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &n)
	}
	if err != nil {
		s.Fatalf("notice %q: %v", line, err)
	}
	return n
}

func (s *site) expect(in io.Reader, want string) {
	s.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(in, got); err != nil || string(got) != want {
		s.Fatalf("read %.100q (%d bytes), %v; want %.100q (%d bytes)", got[:n], n, err, want, len(want))
	}
}

// attached waits until so many clients are attached.
func (s *site) attached(want int) {
	s.Helper()
	for deadline := time.Now().Add(patience); len(s.desk.Attached()) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("attached: %+v, want %d", s.desk.Attached(), want)
		}
	}
}

func TestWithTLSAClientSaysWhoItIs(t *testing.T) {
	s := newSite(t, true, "ci=steal", "eyes=read")
	_, _ = s.serial.Write([]byte("booted\n"))
	s.echo()
	cases := map[string]struct{ hello, reason string }{
		"no JSON":                  {"GET / HTTP/1.1", unauthorized},
		"another token":            {`{"token":"x","label":"ci"}`, unauthorized},
		"no token":                 {`{"label":"ci"}`, unauthorized},
		"a greeting without end":   {strings.Repeat("x", maxHello), unauthorized},
		"a label without a policy": {fmt.Sprintf(`{"token":%q,"label":"me"}`, s.token), desk.NoPolicy},
		"more than granted":        {fmt.Sprintf(`{"token":%q,"label":"eyes","access":"write"}`, s.token), desk.Forbidden},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			conn, in, n := s.greet(tc.hello + "\n")
			if n.Event != share.NoticeDenied || n.Reason != tc.reason || n.Message == "" {
				t.Errorf("answered %+v, want %s", n, tc.reason)
			}
			if rest, err := io.ReadAll(in); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || len(rest) > 0 {
				t.Errorf("after the denial: %q, %v", rest, err)
			}
			conn.Close()
		})
	}
	hello := fmt.Sprintf(`{"token":%q,"label":"ci","access":"write","columns":80,"rows":25}`, s.token)
	first, in, n := s.greet(hello + "\ntyped at once\n")
	if n.Event != share.NoticeConnected || n.Access != share.Write || n.Replayed != 7 {
		t.Fatalf("connected: %+v", n)
	}
	s.expect(in, "booted\ntyped at once\n")
	second, in, n := s.greet(hello + "\n")
	if n.Event != share.NoticeWaiting || !strings.HasPrefix(n.By, "ci at 127.0.0.1:") {
		t.Fatalf("second: %+v", n)
	}
	_, _ = io.WriteString(second, "ahead\n")
	first.Close()
	if n := s.notice(in); n.Event != share.NoticeConnected || n.Columns != 80 || n.Rows != 25 {
		t.Fatalf("its turn: %+v", n)
	}
	s.expect(in, "booted\ntyped at once\nahead\n")
}

func TestWithoutTLSAConnectionIsTheLine(t *testing.T) {
	s := newSite(t, false, "local=write,clients=2")
	s.echo()
	paste := bytes.Repeat([]byte("0123456789abcdef"), 4<<10) // 64 KiB through 64 bytes of input
	first, second := s.dial(), s.dial()
	go func() { _, _ = first.Write(paste) }()
	s.expect(first, string(paste))
	s.attached(2)
	if text, _ := io.ReadAll(s.dial()); !strings.HasPrefix(string(text), "denied: InsufficientQuota: 2 clients") {
		t.Errorf("a third client is told %q", text)
	}
	first.Close()
	s.expect(second, string(paste))
}

func TestALocalReaderReads(t *testing.T) {
	s := newSite(t, false, "local=read")
	conn := s.dial()
	if _, err := conn.Write([]byte("thrown away")); err != nil {
		t.Fatal(err)
	}
	_, _ = s.serial.Write([]byte("shown"))
	s.expect(conn, "shown")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if n, err := s.serial.Take(ctx, make([]byte, 9)); err == nil {
		t.Errorf("a reader typed %d bytes", n)
	}
}

func TestPeersThatVanishLeaveTheirSeat(t *testing.T) {
	s := newSite(t, false, "local=write,clients=1")
	reset := func(c *net.TCPConn) { _, _ = c.SetLinger(0), c.Close() }
	cases := map[string]struct {
		rounds, ahead int // how often, and bytes that are sent before, which the guest does not take
		leave         func(*net.TCPConn)
	}{
		"a hundred times by a reset":            {100, 0, reset},
		"in order":                              {10, 0, func(c *net.TCPConn) { _ = c.Close() }},
		"by a reset, having sent a lot":         {1, 32 << 20, reset},
		"in order, having typed ahead":          {1, 8 << 10, func(c *net.TCPConn) { _ = c.Close() }},
		"closed for writing, with bytes before": {1, 8 << 10, func(c *net.TCPConn) { _ = c.CloseWrite() }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range tc.rounds {
				conn := s.dial()
				s.attached(1)
				_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
				if n, err := conn.Write(make([]byte, tc.ahead)); n == 32<<20 {
					t.Fatalf("%d bytes were taken: %v", n, err)
				}
				tc.leave(conn)
				s.attached(0)
			}
			s.serial.Restarted()
		})
	}
}

func TestAClientThatReadsNothingIsLetGo(t *testing.T) {
	s := newSite(t, false, "local=write")
	conn := s.dial()
	_ = conn.SetReadBuffer(1 << 10)
	s.attached(1)
	text := make([]byte, 1<<10)
	for deadline := time.Now().Add(patience); len(s.desk.Attached()) > 0; {
		_, _ = s.serial.Write(text)
		if time.Now().After(deadline) {
			t.Fatal("it stays")
		}
	}
}

func TestDialingOutGoesOnAfterALoss(t *testing.T) {
	s := newSite(t, false, "dial=write", "local=read")
	s.echo()
	l, err := peer.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	s.run(func(ctx context.Context) error { return s.Dial(ctx, address) })
	for i := range 3 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		word := fmt.Sprintf("round %d\n", i)
		_, _ = io.WriteString(conn, word)
		for in := bufio.NewReader(conn); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("%q: %v", word, err)
			}
			if line == word {
				break
			}
		}
		conn.Close()
		if i == 1 { // nobody there for a while
			l.Close()
			s.attached(0)
			if l, err = peer.Listen(t.Context(), address); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.Close()
}

func TestWithoutTLSNothingLeavesThePod(t *testing.T) {
	s := newSite(t, false, "dial=write")
	if err := s.Dial(t.Context(), "192.0.2.1:7"); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("Dial = %v", err)
	}
	l, err := peer.Listen(t.Context(), "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("Serve = %v", err)
	}
}

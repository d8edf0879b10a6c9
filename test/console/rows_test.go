package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto/tls"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// The rows of docs/console.md, each against a real agent with a real guest.

// plainly makes the agent serve the line without TLS, too.
func plainly(flags ...string) []string {
	return append(flags, fmt.Sprintf("--console-plain=127.78.0.%d:7500", hosts.Load()+1))
}

func TestC05WithoutAPolicyThereIsNoAccess(t *testing.T) {
	l := boot(t, plainly("--console-policy=ci=write", "--console-policy=eyes@0=read")...)
	for label, want := range map[string]string{"stranger": desk.NoPolicy, "": desk.NoPolicy, "local": desk.NoPolicy, "eyes": desk.Forbidden} {
		c, n := l.greet(label, share.Write)
		if n.Event != share.NoticeDenied || n.Reason != want || n.Message == "" {
			t.Errorf("label %q: %+v, want %s", label, n, want)
		}
		c.close()
	}
	if text, err := io.ReadAll(l.raw()); err != nil || !strings.HasPrefix(string(text), "denied: NoPolicy: ") {
		t.Errorf("the plain port: %q, %v", text, err)
	}
	// two labels, two ports: the API's for one, the line's own for the other
	l.attach("eyes", share.Read).terminal().until(greeting)
	c, _ := l.greet("ci", share.Write)
	c.until(greeting)
	c.echoed("typed by ci\n")
}

func TestC05TwoLabelsAndTwoPorts(t *testing.T) {
	l := bootLine(t, 1, "--serial-lines=2", "--console-policy=a@0=write", "--console-policy=b@1=write")
	first := l.secure
	l.secure = strings.Replace(first, ":7444", ":7445", 1)
	b, n := l.greet("b", share.Write)
	if n.Event != share.NoticeConnected || n.Line != "1" {
		t.Fatalf("b on its line: %+v", n)
	}
	b.until(greeting)
	b.echoed("over the second line\n")
	if _, n := l.greet("a", share.Read); n.Reason != desk.NoPolicy {
		t.Errorf("a on the line of b: %+v", n)
	}
	l.secure = first
	if _, n := l.greet("b", share.Read); n.Reason != desk.NoPolicy {
		t.Errorf("b on the line of a: %+v", n)
	}
	if _, n := l.greet("a", share.Write); n.Event != share.NoticeConnected || n.Line != "0" || n.Replayed != 0 {
		t.Errorf("a on its line, which is silent: %+v", n)
	}
	all, err := l.api.Consoles(t.Context())
	if err != nil || len(all.Lines) != 2 || len(all.Clients) != 2 {
		t.Errorf("consoles: %+v, %v", all, err)
	}
}

func TestC08OneWriterAndABacklogOfTheNext(t *testing.T) {
	l := boot(t, plainly("--console-policy=ci=steal", "--console-policy=local=write")...)
	first, n := l.greet("ci", share.Write)
	if n.Event != share.NoticeConnected || n.Access != share.Write {
		t.Fatalf("first: %+v", n)
	}
	first.until(greeting)
	eyes := l.attach("ci", share.Read)
	if n := eyes.next(); n.Event != share.NoticeConnected || n.Access != share.Read {
		t.Errorf("a reader is not held up: %+v", n)
	}
	second := l.attach("ci", share.Write)
	if n := second.next(); n.Event != share.NoticeWaiting {
		t.Errorf("second: %+v", n)
	}
	thief := l.attach("ci", share.Steal)
	if n := thief.next(); n.Event != share.NoticeConnected {
		t.Errorf("thief: %+v", n)
	}
	_, _ = io.WriteString(first, "typed by who may not\n")
	thief.terminal().echoed("mine now\n")
	first.until("mine now\n") // goes on reading, and nothing else came in between
	if text := first.seen.String(); strings.Contains(text, "who may not") {
		t.Errorf("a writer that lost the line has typed: %q", text)
	}
	if err := thief.Close(); err != nil {
		t.Error(err)
	}
	if n := second.next(); n.Event != share.NoticeConnected || n.Access != share.Write {
		t.Errorf("its turn: %+v", n)
	}
	plain := l.raw() // waits behind the second, without a word
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	plain.until("mine now\n")
	plain.echoed("plain\n")
}

func TestC09ListeningAndDialingOut(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("tls ", secure), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			flags := []string{"--console-policy=dial=write", "--console-dial=" + l.Addr().String()}
			if secure {
				server := httptest.NewTLSServer(nil) // lends its certificate
				server.Close()
				ca := filepath.Join(t.TempDir(), "ca.pem")
				block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
				if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
					t.Fatal(err)
				}
				flags = append(flags, "--console-dial-ca="+ca)
				l = tls.NewListener(l, server.TLS)
			}
			defer l.Close()
			boot(t, flags...)
			for range 2 { // it comes back after a loss
				conn, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.SetDeadline(time.Now().Add(patience))
				c := &terminal{ReadWriter: conn, t: t}
				c.until(greeting)
				conn.Close()
			}
		})
	}
}

func TestC10OutputWithNobodyAttachedIsKept(t *testing.T) {
	l := boot(t, "--console-policy=late=read")
	l.booted()
	c, n := l.greet("late", share.Read)
	if text := c.until(greeting); n.Event != share.NoticeConnected || int(n.Replayed) != len(text) {
		t.Errorf("%+v, then %q", n, text)
	}
	s := l.attach("late", share.Read)
	if text := s.terminal().until(greeting); len(s.notices) != 1 || int(s.notices[0].Replayed) != len(text) {
		t.Errorf("%+v, then %q", s.notices, text)
	}
}

func TestC11AStalledGuestStopsTheSenderAndCostsNoMemory(t *testing.T) {
	l := boot(t, plainly("--console-policy=*=steal")...)
	l.booted()
	if err := l.api.Do(t.Context(), agentapi.ActionStop); err != nil {
		t.Fatal(err)
	}
	flood := make([]byte, 64<<10)
	kinds := []struct {
		name string
		open func() io.Writer
	}{ // each one takes the line from the one before, which may push in vain from then on
		{"plain", func() io.Writer { return l.raw() }},
		{"TLS", func() io.Writer { c, _ := l.greet("ci", share.Steal); return c }},
		{"WebSocket", func() io.Writer { return l.attach("ci", share.Steal) }},
	}
	for _, kind := range kinds {
		if taken := push(kind.open(), flood); taken > 64<<20 {
			t.Errorf("%s: %d MiB were taken", kind.name, taken>>20)
		} else {
			t.Logf("%s: blocked after %d KiB", kind.name, taken>>10)
		}
	}
	if rss := l.resident(); rss > 50<<20 {
		t.Errorf("the agent uses %d MiB", rss>>20)
	} else {
		t.Logf("the agent uses %d MiB", rss>>20)
	}
}

// push writes until 1 GiB is written or nothing is taken for a second, and returns how much was.
func push(to io.Writer, piece []byte) (taken int) {
	pushed := make(chan int, 1<<14)
	go func() {
		defer close(pushed)
		for range 1 << 30 / len(piece) {
			n, err := to.Write(piece)
			pushed <- n
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case n, more := <-pushed:
			taken += n
			if !more {
				return taken
			}
		case <-time.After(time.Second):
			return taken
		}
	}
}

func TestC12PartialReadsLoseNothing(t *testing.T) {
	l := boot(t, plainly("--console-policy=local=write")...)
	c := l.raw()
	c.until(greeting)
	text := strings.Repeat("0123456789abcde\n", 640) // 10 KiB; the guest reads byte by byte
	go func() { _, _ = io.WriteString(c, text) }()
	var got bytes.Buffer
	for got.Len() < len(text) {
		piece := make([]byte, 100)
		n, err := c.Read(piece)
		got.Write(piece[:n])
		if err != nil {
			t.Fatalf("%v after %d bytes", err, got.Len())
		}
	}
	if got.String() != text {
		t.Error("it came back changed")
	}
}

func TestC13PeersThatVanishFreeTheLine(t *testing.T) {
	l := boot(t, plainly("--console-policy=local=write", "--console-policy=ci=write")...)
	for range 100 {
		conn := l.dial(l.plain)
		_, _ = io.WriteString(conn, "x")
		_ = conn.SetLinger(0) // reset
		conn.Close()
	}
	l.attached(0)
	for _, leave := range []func(){l.raw().close, l.attach("ci", share.Write).terminal().close} {
		leave()
	}
	l.attached(0)
	c := l.raw()
	c.echoed("still here\n")
}

func TestC14TheSizeOfATerminal(t *testing.T) {
	l := boot(t, "--console-policy=ci=write")
	writer, eyes := l.attach("ci", share.Write), l.attach("ci", share.Read)
	writer.next()
	eyes.next()
	if err := eyes.Resize(t.Context(), 1, 1); err != nil { // only the writer's counts
		t.Fatal(err)
	}
	if err := writer.Resize(t.Context(), 132, 43); err != nil {
		t.Fatal(err)
	}
	if n := eyes.next(); n.Event != share.NoticeSize || n.Columns != 132 || n.Rows != 43 {
		t.Errorf("told: %+v", n)
	}
	if _, n := l.greet("ci", share.Read); n.Columns != 132 || n.Rows != 43 {
		t.Errorf("kept for later ones: %+v", n)
	}
}

func TestC15TextsAreSplitAndKeepTheirLabel(t *testing.T) {
	l := boot(t)
	l.booted()
	if err := l.api.WriteLog(t.Context(), "ci -> lab", "Warning: two\nlines\n"+strings.Repeat("x", console.MaxWrite+10)); err != nil {
		t.Fatal(err)
	}
	body, err := l.api.Log(t.Context(), agentapi.LogQuery{Query: console.Query{Lines: 4}})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	want := []string{"Warning: two", "lines", strings.Repeat("x", console.MaxWrite), strings.Repeat("x", 10)}
	lines := bufio.NewScanner(body)
	for i := 0; lines.Scan(); i++ {
		var e agentapi.LogLine
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || i >= len(want) || e.Label != "ci -> lab" || e.Text != want[i] || (e.Level == "warning") != (i == 0) {
			t.Errorf("line %d: %s, %v", i, lines.Bytes(), err)
		}
	}
}

func TestC16APasteOf64KiBComesBackWholeOverTCPAndWebSocket(t *testing.T) {
	program(t, "agent") // built before two want it
	paste := string(bytes.Repeat([]byte("all of these bytes, please 4567\n"), 2<<10))
	open := map[string]func(*lab) *terminal{
		"WebSocket": func(l *lab) *terminal { return l.attach("any", share.Write).terminal() },
		"TCP":       func(l *lab) *terminal { c, _ := l.greet("any", share.Write); return c },
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a byte costs a guest far more than us
			l := boot(t, "--console-policy=*=write")
			c := open(l)
			c.until(greeting)
			c.echoed(paste)
			c.close()
			again := open(l)
			again.until(paste) // and it is kept
		})
	}
}

func TestC24LimitsForEachClient(t *testing.T) {
	l := boot(t, "--console-policy=ci=read,clients=2", "--console-policy=other=read")
	l.greet("ci", share.Read)
	l.attach("ci", share.Read)
	if _, n := l.greet("ci", share.Read); n.Event != share.NoticeDenied || n.Reason != desk.InsufficientQuota {
		t.Errorf("third: %+v", n)
	}
	_, err := l.api.Attach(t.Context(), desk.Request{Label: "ci", Line: "0"})
	var refused *web.Refused
	if !errors.As(err, &refused) || refused.Status != 429 || !strings.HasPrefix(refused.Message, desk.InsufficientQuota) {
		t.Errorf("third, by WebSocket: %v", err)
	}
	if _, n := l.greet("other", share.Read); n.Event != share.NoticeConnected {
		t.Errorf("another label: %+v", n)
	}
}

func TestC25ASingleClientIsNotWaitedFor(t *testing.T) {
	l := boot(t, "--console-policy=ci=write,single")
	l.greet("ci", share.Write)
	if _, n := l.greet("ci", share.Write); n.Event != share.NoticeDenied || n.Reason != desk.Busy {
		t.Errorf("second: %+v", n)
	}
}

package agentapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// serial is a served serial line and its log.
type serial struct {
	*Client
	log  *console.Ring
	line *share.Line
}

func serveSerial(t *testing.T) *serial {
	t.Helper()
	credentials, err := NewCredentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(credentials.CertPEM, credentials.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	s := &serial{log: console.New(console.Options{MaxBytes: 2 << 10}), line: share.NewLine("0", share.Options{})}
	d := desk.New(desk.Options{Lines: []*share.Line{s.line}, Policies: []desk.Policy{{Label: "ci", Access: share.Write}}})
	server := &Server{Backend: &guest{changed: make(chan struct{})}, Token: credentials.Token, Log: s.log, Consoles: d}
	l := listen(t)
	serveUntilCleanup(t, func(ctx context.Context) error { return server.Serve(ctx, l, cert) })
	s.Client = newClient(t, l.Addr().String(), credentials)
	return s
}

func TestLog(t *testing.T) {
	s := serveSerial(t)
	s.log.Begin()
	fmt.Fprintln(s.log, "first boot")
	s.log.Begin()
	fmt.Fprintln(s.log, "[init] Warning: second boot")
	if err := s.WriteLog(t.Context(), "ci", "variant 7\n"+strings.Repeat("x", 300)); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		query string
		want  []string
	}{
		"the log":          {"", []string{"init Warning: second boot", "ci variant 7", "ci " + strings.Repeat("x", 232), "ci " + strings.Repeat("x", 68)}},
		"the previous one": {"previous=1", []string{" first boot"}},
		"the newest":       {"lines=1", []string{"ci " + strings.Repeat("x", 68)}},
		"later ones":       {"after=4", []string{"ci " + strings.Repeat("x", 68)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			values, _ := url.ParseQuery(tc.query)
			q, err := ParseLogQuery(values)
			if err != nil {
				t.Fatal(err)
			}
			body, err := s.Log(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			var got []string
			for lines := json.NewDecoder(body); ; {
				var l LogLine
				if err := lines.Decode(&l); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				got = append(got, l.Label+" "+l.Text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, query := range []string{"lines=x", "after=-1", "follow=maybe", "previous=1&follow=1"} {
		values, _ := url.ParseQuery(query)
		if _, err := ParseLogQuery(values); err == nil {
			t.Errorf("%s was accepted", query)
		}
	}
	if err := s.WriteLog(t.Context(), "", "nobody"); err == nil {
		t.Error("nobody may write")
	}
	if err := s.WriteLog(t.Context(), "ci", strings.Repeat("x", maxBody+1)); err == nil || !strings.Contains(err.Error(), "in pieces") {
		t.Errorf("a long text: %v", err)
	}
}

func TestALogIsFollowed(t *testing.T) {
	s := serveSerial(t)
	fmt.Fprintln(s.log, "old")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	body, err := s.Log(ctx, LogQuery{Query: console.Query{Lines: 1}, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	in := bufio.NewReader(body)
	for i := range 20 {
		text, err := in.ReadString('\n')
		if want := `"text":"line ` + fmt.Sprint(i-1); err != nil || i > 0 && !strings.Contains(text, want) {
			t.Fatalf("%q, %v; want %q", text, err, want)
		}
		s.log.Begin() // a new start does not end it
		fmt.Fprintln(s.log, "line", i)
	}
}

func TestAttach(t *testing.T) {
	s := serveSerial(t)
	_, err := s.Attach(t.Context(), desk.Request{Label: "me", Line: "0"})
	var refused *web.Refused
	if !errors.As(err, &refused) || refused.Status != 403 || !strings.HasPrefix(refused.Message, desk.NoPolicy) {
		t.Errorf("a stranger: %v", err)
	}
	conn, err := s.Attach(t.Context(), desk.Request{Label: "ci", Peer: "somewhere:1", Line: "0", Access: share.Write, Backlog: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, n, err := conn.Read(ctx); err != nil || n.Event != share.NoticeConnected {
		t.Errorf("first: %+v, %v", n, err)
	}
	if err := conn.Write(ctx, []byte("typed")); err != nil {
		t.Error(err)
	}
	text := make([]byte, 9)
	if n, err := s.line.Take(ctx, text); string(text[:n]) != "typed" {
		t.Errorf("the guest reads %q, %v", text[:n], err)
	}
	all, err := s.Consoles(ctx)
	if err != nil || len(all.Lines) != 1 || len(all.Clients) != 1 || all.Clients[0].Peer != "somewhere:1" || all.Clients[0].BytesIn != 5 {
		t.Errorf("Consoles = %+v, %v", all, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

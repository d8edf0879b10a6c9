package managerapi

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// serialRights are what the users of these tests may do.
var serialRights = map[string][]string{
	"writer": {"get console", "update console", "get log"}, "reader": {"get console"}, "logger": {"get log"}, "nobody": {},
}

func authenticateSerial(r *http.Request) (May, error) {
	granted, known := serialRights[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known {
		return nil, ErrUnauthenticated
	}
	return func(_ context.Context, a Access) error {
		for _, g := range granted {
			if g == a.Verb+" "+a.Subresource && a.Resource == "targetsessions" && a.Namespace == "lab" {
				return nil
			}
		}
		return ErrForbidden
	}, nil
}

// serialLab is a manager's API before the API of one agent, lab/arm-0, whose guest echoes.
type serialLab struct {
	*testing.T
	url  string
	log  *console.Ring
	line *share.Line
}

func newSerialLab(t *testing.T, authenticate Authenticate) *serialLab {
	t.Helper()
	l := &serialLab{T: t, log: console.New(console.Options{}), line: share.NewLine("0", share.Options{})}
	d := desk.New(desk.Options{Lines: []*share.Line{l.line}, Policies: []desk.Policy{{Label: "manager", Access: share.Steal, Clients: 2}}})
	agent := httptest.NewTLSServer((&agentapi.Server{Token: "t", Log: l.log, Consoles: d}).Handler())
	credentials := agentapi.Credentials{Token: "t", CertPEM: pemOf(agent.Certificate().Raw)}
	client, err := agentapi.NewClient(agent.Listener.Addr().String(), credentials)
	if err != nil {
		t.Fatal(err)
	}
	manager := httptest.NewServer(New(Options{
		Registry: session.NewRegistry(nil), Authenticate: authenticate, Log: testr.New(t),
		Agent: func(namespace, name string) (Agent, bool) { return client, namespace+"/"+name == "lab/arm-0" },
	}).Handler())
	l.url = manager.URL
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		for p := make([]byte, 64); ; {
			n, err := l.line.Take(ctx, p)
			if err != nil {
				return
			}
			_, _ = l.line.Write(p[:n])
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-echoed
		l.line.Close("over")
		manager.Close()
		client.Close()
		agent.Close()
	})
	return l
}

func (l *serialLab) dial(user, path string) (*web.Conn, error) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), 30*time.Second)
	defer cancel()
	header := http.Header{}
	if user != "" {
		header.Set("Authorization", "Bearer "+user)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	l.Cleanup(transport.CloseIdleConnections)
	return web.Dial(ctx, &http.Client{Transport: transport}, l.url+path, header)
}

const arm0 = "/v1/namespaces/lab/targetsessions/arm-0/"

func TestWhoMayHaveAConsole(t *testing.T) {
	l := newSerialLab(t, authenticateSerial)
	cases := map[string]struct {
		user, path string
		status     int // 0: let in
		says       string
	}{
		"who may read reads":               {"reader", arm0 + "console", 0, ""},
		"who may read does not type":       {"reader", arm0 + "console?access=write", 403, "forbidden"},
		"who may read does not steal":      {"reader", arm0 + "console?access=steal", 403, "forbidden"},
		"who may type types":               {"writer", arm0 + "console?access=write", 0, ""},
		"who may see the log may not this": {"logger", arm0 + "console", 403, "forbidden"},
		"who may nothing":                  {"nobody", arm0 + "console", 403, "forbidden"},
		"who is not known":                 {"", arm0 + "console", 401, "bearer token"},
		"a namespace of others":            {"writer", "/v1/namespaces/other/targetsessions/arm-0/console", 403, "forbidden"},
		"a target without an agent":        {"writer", "/v1/namespaces/lab/targetsessions/arm-9/console", 404, "has no agent now"},
		"a line that there is not":         {"writer", arm0 + "console?line=3", 404, "NoLine"},
		"an access that nobody knows":      {"writer", arm0 + "console?access=root", 400, "read, write or steal"},
		"a name that climbs":               {"writer", "/v1/namespaces/lab/targetsessions/..%2fx/console", 400, "no name of a TargetSession"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			conn, err := l.dial(tc.user, tc.path)
			var refused *web.Refused
			switch {
			case tc.status == 0 && err != nil:
				t.Fatal(err)
			case tc.status == 0:
				_ = conn.Close()
			case !errors.As(err, &refused) || refused.Status != tc.status || !strings.Contains(refused.Message, tc.says):
				t.Errorf("%v, want %d and %q", err, tc.status, tc.says)
			}
		})
	}
}

func TestAConsoleThroughTheManager(t *testing.T) {
	l := newSerialLab(t, authenticateSerial)
	_, _ = l.line.Write([]byte("booted\n"))
	conn, err := l.dial("writer", arm0+"console?access=write")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, n, err := conn.Read(ctx); err != nil || n.Event != share.NoticeConnected || n.Replayed != 7 {
		t.Fatalf("first: %+v, %v", n, err)
	}
	if err := conn.Write(ctx, []byte("typed\n")); err != nil {
		t.Fatal(err)
	}
	var got string
	for got != "booted\ntyped\n" {
		data, _, err := conn.Read(ctx)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got += string(data)
	}
	waiting, err := l.dial("writer", arm0+"console?access=write")
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := waiting.Read(ctx); err != nil || n.Event != share.NoticeWaiting || !strings.HasPrefix(n.By, "manager at 127.0.0.1:") {
		t.Errorf("the second: %+v, %v", n, err)
	}
	_, err = l.dial("reader", arm0+"console")
	var refused *web.Refused
	if !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests {
		t.Errorf("the third: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, n, err := waiting.Read(ctx); err != nil || n.Event != share.NoticeConnected {
		t.Errorf("its turn: %+v, %v", n, err)
	}
	l.line.Close("the agent is ending")
	for {
		data, n, err := waiting.Read(ctx)
		if err != nil {
			t.Fatalf("no last notice: %v", err)
		}
		if n.Event == share.NoticeClosed {
			break
		}
		got += string(data)
	}
	if _, _, err := waiting.Read(ctx); !errors.Is(err, io.EOF) {
		t.Errorf("after the last notice: %v", err)
	}
}

func TestOnLoopbackNobodyTypes(t *testing.T) {
	l := newSerialLab(t, Anybody)
	conn, err := l.dial("", arm0+"console")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	_, err = l.dial("", arm0+"console?access=write")
	var refused *web.Refused
	if !errors.As(err, &refused) || refused.Status != 403 || !strings.Contains(refused.Message, "HTTPS") {
		t.Errorf("writing: %v", err)
	}
}

func TestTheLogThroughTheManager(t *testing.T) {
	l := newSerialLab(t, authenticateSerial)
	l.log.Append("init", "one\ntwo")
	get := func(user, query string) (int, io.ReadCloser) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.url+arm0+"log?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+user)
		transport := &http.Transport{DisableKeepAlives: true}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Body
	}
	for query, want := range map[string]int{"": 200, "lines=x": 400, "previous=1&follow=1": 400} {
		status, body := get("logger", query)
		text, err := io.ReadAll(body)
		body.Close()
		if status != want || err != nil || want == 200 && strings.Count(string(text), "\n") != 2 {
			t.Errorf("%q: %d %s, %v", query, status, text, err)
		}
	}
	status, body := get("reader", "")
	body.Close()
	if status != 403 {
		t.Errorf("who may read the console has seen the log: %d", status)
	}
	status, body = get("logger", "follow=1&lines=0")
	defer body.Close()
	l.log.Append("init", "three")
	piece := make([]byte, 1000)
	if n, err := body.Read(piece); status != 200 || err != nil || !strings.Contains(string(piece[:n]), `"text":"three"`) {
		t.Errorf("followed: %d, %q, %v", status, piece[:n], err)
	}
}

func pemOf(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

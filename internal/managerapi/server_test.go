package managerapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// began is when every session of a test has opened.
var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// lab is a server with a registry, a store with one campaign, and users whose token is their name.
type lab struct {
	*Server
	t        *testing.T
	registry *session.Registry
	store    *results.SQLite
	url      string
}

// rights of the users: what they may do, as "verb resource namespace/name".
var rights = map[string][]string{
	"admin":  {"list targetsessions /", "list targetsessions secret/", "get tasksets lab/sweep", "get tasksets lab/gone"},
	"one":    {"list targetsessions lab/", "get tasksets lab/sweep"},
	"nobody": {},
}

func authenticate(r *http.Request) (May, error) {
	granted, known := rights[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known {
		return nil, ErrUnauthenticated
	}
	return func(_ context.Context, a Access) error {
		for _, g := range granted {
			if g == fmt.Sprintf("%s %s %s/%s", a.Verb, a.Resource, a.Namespace, a.Name) {
				return nil
			}
		}
		return fmt.Errorf("%w: no %s of %s", ErrForbidden, a.Verb, a.Resource)
	}, nil
}

func newLab(t *testing.T) *lab {
	t.Helper()
	store, err := results.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "r.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	l := &lab{t: t, store: store, registry: session.NewRegistry(clocktesting.NewFakePassiveClock(began))}
	l.Server = New(Options{Registry: l.registry, Store: store, Authenticate: authenticate, Log: testr.New(t)})
	l.fill()
	server := httptest.NewServer(l.Handler())
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// fill makes two campaigns of one name; the newer one has four variants, of which two were run.
func (l *lab) fill() {
	l.t.Helper()
	spec := `{"tasks":[{"name":"hello","pkg":"hey","priority":10}],"sweeps":[{"task":"hello","attribute":"priority","values":[1,2,3,4]}],"completion":{"jobsPerTask":1},"targets":{"selector":{}}}`
	for i, id := range []string{"old", "new"} {
		c := results.Campaign{ID: id, Name: "lab/sweep", SpecHash: "h", Seed: 7, Spec: []byte(spec), Total: 4, Begun: began.Add(time.Duration(i) * time.Hour)}
		if err := l.store.Begin(l.t.Context(), c); err != nil {
			l.t.Fatal(err)
		}
	}
	failed := l.record(1, 1)
	failed.Final, failed.Succeeded, failed.Reason, failed.Message, failed.Jobs = false, false, "SessionLost", "it closed", nil
	if err := l.store.Put(l.t.Context(), l.record(0, 1), failed, l.record(1, 2)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) record(variant uint64, attempt int32) results.Record {
	return results.Record{
		Campaign: "new", Variant: variant, Attempt: attempt, Final: true, Succeeded: true, Reason: "Completed", Target: "lab/a",
		Address: "127.0.0.1:3001", Generation: "1608b", Values: `{"hello.priority":"1"}`, Started: began, Ended: began.Add(time.Second),
		Jobs: []results.Job{{Task: "hello", Number: 1, Start: ptr.To(int64(10)), End: ptr.To(int64(30)), Outcome: "EXIT"}},
	}
}

// get asks as a user ("" for none) and returns status and body.
func (l *lab) get(user, path string) (status int, body string) {
	l.t.Helper()
	resp := l.open(user, path)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (l *lab) open(user, path string) *http.Response {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+path, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if user != "" {
		req.Header.Set("Authorization", "Bearer "+user)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp
}

func TestWhatIsRefused(t *testing.T) {
	cases := map[string]struct {
		user, path string
		status     int
		says       string
	}{
		"nobody is known":                     {"", "/v1/sessions", 401, "bearer token"},
		"a token that nobody knows":           {"thief", "/v1/sessions", 401, "bearer token"},
		"sessions of a namespace of others":   {"one", "/v1/sessions?namespace=secret", 403, "forbidden"},
		"a variant without the right":         {"nobody", "/v1/namespaces/lab/tasksets/sweep/variants/0", 403, "forbidden"},
		"what is not there, without a right":  {"nobody", "/v1/namespaces/lab/tasksets/gone/variants/0", 403, "forbidden"},
		"what is not there":                   {"admin", "/v1/namespaces/lab/tasksets/gone/variants/0", 404, "no campaign of TaskSet gone"},
		"a variant beyond the last one":       {"admin", "/v1/namespaces/lab/tasksets/sweep/variants/4", 404, "variants 0 to 3"},
		"a variant that is no number":         {"admin", "/v1/namespaces/lab/tasksets/sweep/variants/-1", 400, "give a number"},
		"a variant of 20 digits":              {"admin", "/v1/namespaces/lab/tasksets/sweep/variants/18446744073709551615", 400, "give a number"},
		"a name that climbs":                  {"admin", "/v1/namespaces/lab/tasksets/..%2f..%2fsecret/variants/0", 400, "no name of a TaskSet"},
		"a namespace that climbs":             {"admin", "/v1/namespaces/%2e%2e/tasksets/sweep/variants/0", 400, "no name of a TaskSet"},
		"a namespace with a zero byte":        {"admin", "/v1/sessions?namespace=a%00b", 400, "no name of a namespace"},
		"a very long name":                    {"admin", "/v1/namespaces/" + strings.Repeat("a", 5000) + "/tasksets/sweep/variants/0", 400, "no name of a TaskSet"},
		"a campaign that is not of that name": {"admin", "/v1/namespaces/lab/tasksets/sweep/variants/0?campaign=other", 404, "no campaign"},
		"a watch of something else":           {"admin", "/v1/sessions?watch=maybe", 400, "give 1"},
		"a page that there is not":            {"admin", "/v1/secrets", 404, ""},
	}
	l := newLab(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status, body := l.get(tc.user, tc.path)
			if status != tc.status || !strings.Contains(body, tc.says) {
				t.Errorf("%d %s; want %d and %q", status, body, tc.status, tc.says)
			}
		})
	}
}

func TestOnlyReadingIsPossible(t *testing.T) {
	l := newLab(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		req, err := http.NewRequestWithContext(t.Context(), method, l.url+"/v1/sessions", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer admin")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", method, resp.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestEverybodySeesTheSessionsOfTheirNamespaces(t *testing.T) {
	l := newLab(t)
	for _, target := range []string{"lab/a", "secret/b", "lab/c", "without-a-namespace"} {
		l.registry.Enter(target, "127.0.0.1:1").Received(5)
	}
	for user, want := range map[string][]string{
		"admin": {"lab/a", "secret/b", "lab/c", "without-a-namespace"}, "one": {"lab/a", "lab/c"}, "nobody": {},
	} {
		status, body := l.get(user, "/v1/sessions")
		var got Sessions
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || got.Items == nil {
			t.Fatalf("%s: %d %s: %v", user, status, body, err)
		}
		names := []string{}
		for _, s := range got.Items {
			names = append(names, s.Target)
			if s.BytesIn != 5 || !s.Since.Equal(began) || s.Peer != "127.0.0.1:1" || s.ID == 0 {
				t.Errorf("%s: %+v", user, s)
			}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
	}
	if _, body := l.get("admin", "/v1/sessions?namespace=secret"); strings.Count(body, "peer") != 1 {
		t.Errorf("the sessions of one namespace: %s", body)
	}
}

func TestAWatchTellsOfEveryChange(t *testing.T) {
	l := newLab(t)
	l.heartbeat = time.Hour
	resp := l.open("one", "/v1/sessions?watch=1")
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the watch has ended: %v", lines.Err())
		}
		var s Sessions
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, i := range s.Items {
			names = append(names, i.Target)
		}
		return strings.Join(names, " ")
	}
	if got := next(); got != "" {
		t.Errorf("first line: %q", got)
	}
	entry := l.registry.Enter("lab/a", "127.0.0.1:1")
	if got := next(); got != "lab/a" {
		t.Errorf("after it opened: %q", got)
	}
	entry.Leave()
	if got := next(); got != "" {
		t.Errorf("after it closed: %q", got)
	}
}

func TestStreamsAreCounted(t *testing.T) {
	l := newLab(t)
	for range maxStreams {
		l.streams <- struct{}{}
	}
	if status, body := l.get("admin", "/v1/sessions?watch=1"); status != http.StatusTooManyRequests {
		t.Errorf("%d %s", status, body)
	}
	<-l.streams
	l.open("admin", "/v1/sessions?watch=1").Body.Close()
	for deadline := time.Now().Add(20 * time.Second); len(l.streams) == maxStreams; {
		if time.Now().After(deadline) {
			t.Fatal("the place of a client that has left is not free")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestAClientThatStopsReadingIsCutOff lets the registry change until the socket is full.
func TestAClientThatStopsReadingIsCutOff(t *testing.T) {
	l := newLab(t)
	l.heartbeat, l.writeTimeout = time.Millisecond, 100*time.Millisecond
	for i := range 3000 {
		l.registry.Enter(fmt.Sprintf("lab/%0250d", i), "127.0.0.1:1")
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v1/sessions?watch=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n")
	deadline := time.Now().Add(30 * time.Second)
	for begun := false; !begun || len(l.streams) > 0; begun = begun || len(l.streams) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the watch of a client that does not read goes on")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAVariantIsDescribedWithItsAttempts(t *testing.T) {
	l := newLab(t)
	status, body := l.get("one", "/v1/namespaces/lab/tasksets/sweep/variants/1")
	var got Variant
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	if !strings.Contains(got.Description, "<priority>2</priority>") {
		t.Errorf("description:\n%s", got.Description)
	}
	got.Description = ""
	end := began.Add(time.Second)
	want := Variant{
		Campaign: "new", Variant: 1, Total: 4, Seed: 7, Values: json.RawMessage(`{"hello.priority":"2"}`),
		Tasks: []Task{{ID: 0, Name: "hello", Pkg: "hey"}},
		Attempts: []Attempt{
			{Number: 1, Reason: "SessionLost", Message: "it closed", Target: "lab/a", Address: "127.0.0.1:3001", Generation: "1608b", Started: began, Ended: end},
			{Number: 2, Final: true, Succeeded: true, Reason: "Completed", Target: "lab/a", Address: "127.0.0.1:3001", Generation: "1608b", Started: began, Ended: end,
				Jobs: []Job{{Task: "hello", Number: 1, Start: ptr.To(int64(10)), End: ptr.To(int64(30)), Outcome: "EXIT"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, body := l.get("one", "/v1/namespaces/lab/tasksets/sweep/variants/1?campaign=old"); !strings.Contains(body, `"attempts":[]`) {
		t.Errorf("the older campaign of that name: %s", body)
	}
}

func TestAStoreThatFailsSaysNothingToStrangers(t *testing.T) {
	l := newLab(t)
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	if status, body := l.get("admin", "/v1/namespaces/lab/tasksets/sweep/variants/0"); status != 500 || !strings.Contains(body, "log") || strings.Contains(body, ".db") {
		t.Errorf("%d %s", status, body)
	}
}

func TestOnTheLoopbackEverybodyMayReadButNoForeignPage(t *testing.T) {
	for host, want := range map[string]error{
		"localhost:8082": nil, "127.0.0.1:8082": nil, "[::1]:8082": nil, "127.8.9.1": nil,
		"evil.example:8082": ErrUnauthenticated, "10.0.0.1:8082": ErrUnauthenticated, "": ErrUnauthenticated,
	} {
		may, err := Anybody(&http.Request{Host: host})
		if !errors.Is(err, want) || err == nil && may(t.Context(), Access{Verb: "get"}) != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
	for address, want := range map[string]bool{"127.0.0.1:8082": true, "localhost:1": true, "[::1]:1": true, ":8082": false, "0.0.0.0:1": false, "x": false} {
		if IsLoopback(address) != want {
			t.Errorf("%q is on the loopback: %v", address, !want)
		}
	}
}

func TestServeEndsWithItsContextAndCutsStreams(t *testing.T) {
	l := newLab(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx, listener) }()
	l.url = "http://" + listener.Addr().String()
	if status, _ := l.get("admin", "/v1/sessions?namespace="+strings.Repeat("a", 2*maxHeader)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a request without end: status %d", status)
	}
	resp := l.open("admin", "/v1/sessions?watch=1")
	defer resp.Body.Close()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(l.streams) != 0 {
		t.Error("a stream is still open")
	}
}

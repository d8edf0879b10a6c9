package agentapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guest is a fake Backend.
type guest struct {
	mu      sync.Mutex
	state   State
	changed chan struct{}
	done    []Action
}

func (g *guest) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

func (g *guest) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

func (g *guest) set(verdict string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state.Verdict = verdict
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *guest) Do(_ context.Context, a Action) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a == ActionRestore {
		return errors.Join(ErrConflict, errors.New("the snapshot is NotYetTaken"))
	}
	g.done = append(g.done, a)
	return nil
}

func (g *guest) Console(n int) []string { return []string{"one", "two", "three"}[max(0, 3-n):] }

func (g *guest) Diagnosis() (Diagnosis, error) {
	if len(g.done) == 0 {
		return Diagnosis{}, ErrNotFound
	}
	return Diagnosis{Verdict: VerdictSilentToPing, Registers: "RIP=0000000000001234"}, nil
}

// serveGuest serves a fake guest and returns it with its address and credentials.
func serveGuest(t *testing.T) (*guest, string, Credentials) {
	t.Helper()
	credentials, err := NewCredentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(credentials.CertPEM, credentials.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{state: State{Verdict: VerdictBooting, Boots: 1}, changed: make(chan struct{})}
	binaries := fstest.MapFS{
		"hey": {Data: []byte("\x7fELF hey")}, "folder/inner": {Data: []byte("no")},
	}
	s := &Server{Backend: g, Token: credentials.Token, Binaries: binaries, Metrics: http.HandlerFunc(exportOne)}
	l := listen(t)
	serveUntilCleanup(t, func(ctx context.Context) error { return s.Serve(ctx, l, cert) })
	return g, l.Addr().String(), credentials
}

func exportOne(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "one 1\n") }

func TestMetrics(t *testing.T) {
	_, address, credentials := serveGuest(t)
	text, err := newClient(t, address, credentials).Metrics(t.Context())
	if err != nil || string(text) != "one 1\n" {
		t.Errorf("Metrics = %q, %v", text, err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serveUntilCleanup(t *testing.T, serve func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
}

func newClient(t *testing.T, address string, c Credentials) *Client {
	t.Helper()
	client, err := NewClient(address, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestClientAndServer(t *testing.T) {
	g, address, credentials := serveGuest(t)
	credentials.KeyPEM = nil // the client has no use for it
	c := newClient(t, address, credentials)
	ctx := t.Context()

	state, err := c.State(ctx)
	if diff := cmp.Diff(g.State(), state); err != nil || diff != "" {
		t.Errorf("State = %v (-want +got):\n%s", err, diff)
	}
	if _, err := c.Diagnosis(ctx); !errors.Is(err, ErrNotFound) {
		t.Errorf("Diagnosis before there is one = %v", err)
	}
	if err := c.Do(ctx, ActionReset); err != nil || len(g.done) != 1 || g.done[0] != ActionReset {
		t.Errorf("Do(reset) = %v, done %v", err, g.done)
	}
	if err := c.Do(ctx, ActionRestore); !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "NotYetTaken") {
		t.Errorf("Do(restore) = %v", err)
	}
	if err := c.Do(ctx, "dance"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Do(dance) = %v", err)
	}
	if d, err := c.Diagnosis(ctx); err != nil || d.ProgramCounter() != "0000000000001234" {
		t.Errorf("Diagnosis = %+v, %v", d, err)
	}
	if lines, err := c.Console(ctx, 2); err != nil || !cmp.Equal(lines, []string{"two", "three"}) {
		t.Errorf("Console = %v, %v", lines, err)
	}
	if lines, err := c.Console(ctx, 0); err != nil || len(lines) != 0 {
		t.Errorf("Console(0) = %v, %v", lines, err)
	}
	if _, err := c.Console(ctx, -1); err == nil {
		t.Error("a negative number of lines was accepted")
	}
}

func TestBinaries(t *testing.T) {
	_, address, credentials := serveGuest(t)
	c := newClient(t, address, credentials)
	content, err := c.Binary(t.Context(), "hey")
	if err != nil || string(content) != "\x7fELF hey" {
		t.Errorf("Binary = %q, %v", content, err)
	}
	for _, name := range []string{"none", "folder", "folder/inner", "../hey", "..", ".", "a\x00b"} {
		if content, err := c.Binary(t.Context(), name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Binary(%q) = %q, %v; want not found", name, content, err)
		}
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	g, address, credentials := serveGuest(t)
	other, err := NewCredentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		credentials Credentials
		want        error
	}{
		"a wrong token is not accepted":          {Credentials{Token: other.Token, CertPEM: credentials.CertPEM}, ErrUnauthorized},
		"no token is not accepted":               {Credentials{CertPEM: credentials.CertPEM}, ErrUnauthorized},
		"half a token is not accepted":           {Credentials{Token: credentials.Token[:20], CertPEM: credentials.CertPEM}, ErrUnauthorized},
		"an agent with another certificate lies": {Credentials{Token: credentials.Token, CertPEM: other.CertPEM}, ErrWrongAgent},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, address, tc.credentials)
			if err := c.Do(t.Context(), ActionReset); !errors.Is(err, tc.want) {
				t.Errorf("Do = %v, want %v", err, tc.want)
			}
			if err := c.Watch(t.Context(), func(State) {}); !errors.Is(err, tc.want) {
				t.Errorf("Watch = %v, want %v", err, tc.want)
			}
		})
	}
	if len(g.done) != 0 {
		t.Errorf("strangers had their way: %v", g.done)
	}
}

func TestAnEmptyTokenLocksEverybodyOut(t *testing.T) {
	s := &Server{Backend: &guest{changed: make(chan struct{})}}
	l := listen(t)
	serveUntilCleanup(t, func(ctx context.Context) error { return serve(ctx, l, s.Handler()) })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/v1/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer ")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestWatchTellsOfEachChange(t *testing.T) {
	g, address, credentials := serveGuest(t)
	c := newClient(t, address, credentials)
	ctx, cancel := context.WithCancel(t.Context())
	states := make(chan State)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Watch(ctx, func(s State) {
			select {
			case states <- s:
			case <-ctx.Done():
			}
		})
	}()
	if s := <-states; s.Verdict != VerdictBooting {
		t.Errorf("at once: %+v", s)
	}
	g.set(VerdictAlive)
	if s := <-states; s.Verdict != VerdictAlive {
		t.Errorf("after the change: %+v", s)
	}
	if s := <-states; s.Verdict != VerdictAlive { // a heartbeat, without any change
		t.Errorf("heartbeat: %+v", s)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
}

func TestWatchEndsWithTheAgent(t *testing.T) {
	credentials, err := NewCredentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(credentials.CertPEM, credentials.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Backend: &guest{changed: make(chan struct{})}, Token: credentials.Token}
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, cert) }()
	err = newClient(t, l.Addr().String(), credentials).Watch(t.Context(), func(State) { cancel() })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Watch = %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func TestProbes(t *testing.T) {
	p := Probes{Started: func() bool { return true }, Ready: func() bool { return false }, Live: func() bool { return true }}
	l := listen(t)
	serveUntilCleanup(t, func(ctx context.Context) error { return p.Serve(ctx, l) })
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{"/startupz": 200, "/readyz": 503, "/livez": 200, "/v1/state": 404} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s = %d, want %d", path, response.StatusCode, want)
		}
	}
}

func TestCredentials(t *testing.T) {
	a, errA := NewCredentials(time.Now())
	b, errB := NewCredentials(time.Now())
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a.Token == b.Token || len(a.Token) < 43 || a.Fingerprint() == b.Fingerprint() || len(a.Fingerprint()) != 64 {
		t.Errorf("not unique: %q %q", a.Token, a.Fingerprint())
	}
	if (Credentials{CertPEM: []byte("x")}).Fingerprint() != "" {
		t.Error("garbage has a fingerprint")
	}
	if _, err := NewClient("127.0.0.1:1", Credentials{CertPEM: []byte("x")}); err == nil {
		t.Error("garbage is a certificate")
	}
}

func TestShort(t *testing.T) {
	d := Diagnosis{
		Verdict: VerdictSilentToPing, Console: make([]string, 100), Echoes: make([]Echo, 32), Errors: make([]string, 9),
		Registers: "CPU#0\nRAX=1 RBX=2\nRIP=ffffffff81000000 RFL=00000246\nES =0000\n",
	}
	d.Console[99] = strings.Repeat("ä", 100)
	s := d.Short()
	if len(s.Console) != 8 || len(s.Echoes) != 8 || len(s.Errors) != 4 || s.Registers != "RIP=ffffffff81000000 RFL=00000246" {
		t.Errorf("Short = %+v", s)
	}
	if last := s.Console[7]; last != strings.Repeat("ä", 80) {
		t.Errorf("last line %q", last)
	}
	if len(d.Console) != 100 {
		t.Error("Short changed its receiver")
	}
}

func TestProgramCounter(t *testing.T) {
	cases := map[string]struct{ registers, want string }{
		"x86, 64 bits":             {"RIP=ffffffff81000000 RFL=00000246", "ffffffff81000000"},
		"x86, with R15 before RIP": {"R12=0000000000000001 R15=0000000000000002\nRIP=ffffffff81000000 RFL=00000246", "ffffffff81000000"},
		"x86, 32 bits":             {"EIP=000f1234 EFL=00000246", "000f1234"},
		"ARM, 64 bits":             {"\nCPU#0\n PC=0000000040081234 X00=0", "0000000040081234"},
		"ARM, 32 bits":             {"R12=00000000 R13=00000000 R14=00000000 R15=70001000\nPSR=400001d3", "70001000"},
		"RISC-V":                   {"CPU#0\n V      =   0\n pc       0000000080200000\n mhartid  0", "0000000080200000"},
		"no dump":                  {"", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (Diagnosis{Registers: tc.registers}).ProgramCounter(); got != tc.want {
				t.Errorf("ProgramCounter = %q, want %q", got, tc.want)
			}
			short := Diagnosis{Registers: tc.registers}.Short()
			if got := short.ProgramCounter(); got != tc.want {
				t.Errorf("ProgramCounter of the short form = %q of %q, want %q", got, short.Registers, tc.want)
			}
		})
	}
}

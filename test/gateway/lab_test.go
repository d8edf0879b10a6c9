// Package gateway holds no code: its tests run the gateway as a process and ask it as any client would, with TLS and
// without. Each capability of docs/gateway.md that needs no traffic has a test with its number.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/genode-operator/genode-operator/internal/gateway/certs"
	"github.com/genode-operator/genode-operator/internal/gateway/client"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// agent is the program, built once for all tests.
var agent string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "gateway-test-")
	if err != nil {
		panic(err)
	}
	agent = filepath.Join(folder, "agent")
	build := exec.Command("go", "build", "-o", agent, "../../cmd/agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build: %v\n%s", err, out))
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// lab is a running gateway.
type lab struct {
	*testing.T
	process *exec.Cmd
	folder  string // of its certificate
	log     *log
	secure  string // address with TLS
	stats   string // the second one
	plain   string // and without
	exited  chan error
}

// log is standard error, for others to wait for.
type log struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // closed, and replaced, when there is more
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	close(l.more)
	l.more = make(chan struct{})
	return len(p), nil
}

func (l *log) read() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.more
}

var served = regexp.MustCompile(`msg="Sessions are served" backend=\w+ tls=([^,]*),(\S*) plaintext=(\S*)`)

// boot starts a gateway on ports that are free, and waits until it serves.
func boot(t *testing.T, flags ...string) *lab {
	t.Helper()
	l := &lab{T: t, folder: t.TempDir(), log: &log{more: make(chan struct{})}, exited: make(chan error, 1)}
	args := []string{
		"gateway", "--listen=127.0.0.1:0", "--stats-listen=127.0.0.1:0", "--plaintext-listen=127.0.0.1:0", "--cert-dir=" + l.folder,
		"--termination-log=" + filepath.Join(l.folder, "t"),
	}
	l.process = exec.Command(agent, append(args, flags...)...)
	l.process.Stderr = l.log
	if err := l.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { l.exited <- l.process.Wait() }()
	t.Cleanup(func() {
		_ = l.process.Process.Signal(syscall.SIGTERM)
		l.ended(nil)
		if text, _ := l.log.read(); t.Failed() {
			t.Logf("the gateway's log:\n%s", text)
		}
	})
	deadline := time.After(patience)
	for {
		text, more := l.log.read()
		if found := served.FindStringSubmatch(text); found != nil {
			l.secure, l.stats, l.plain = found[1], found[2], found[3]
			return l
		}
		select {
		case <-more:
		case err := <-l.exited:
			l.exited <- err
			t.Fatalf("the gateway did not start: %v\n%s", err, text)
		case <-deadline:
			t.Fatalf("the gateway does not serve:\n%s", text)
		}
	}
}

// run runs the program to its end, and returns what it says and its exit status.
func run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, agent, args...)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ctx.Err() != nil) {
		t.Fatalf("%v: %v, %v", args, err, exit)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// ended waits until the gateway has ended, with that error.
func (l *lab) ended(want error) {
	l.Helper()
	select {
	case err := <-l.exited:
		l.exited <- err // for who asks next
		if !errors.Is(err, want) {
			l.Errorf("the gateway ended with %v, want %v", err, want)
		}
	case <-time.After(patience):
		_ = l.process.Process.Kill()
		l.Error("the gateway does not end")
	}
}

// trusting is a client's side of TLS that trusts the certificate in a folder.
func trusting(t *testing.T, folder string) credentials.TransportCredentials {
	t.Helper()
	pool, err := certs.Pool(filepath.Join(folder, certs.CertFile))
	if err != nil {
		t.Fatal(err)
	}
	return credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
}

// dial connects to an address; without credentials, in plain text.
func (l *lab) dial(address string, creds credentials.TransportCredentials) *grpc.ClientConn {
	l.Helper()
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(creds))
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = conn.Close() })
	return conn
}

// family is a dialect by the name of its package, with a client over TLS.
type family struct {
	name   string
	client client.Client
}

// early is the dialect of 2020 on its two ports.
func (l *lab) early() client.Client {
	return client.Early(l.dial(l.secure, trusting(l.T, l.folder)), l.dial(l.stats, trusting(l.T, l.folder)))
}

// later are the dialects of the later family, over TLS and in plain text in turn.
func (l *lab) later() (all []family) {
	for i, d := range dialect.Dialects() {
		creds, address := trusting(l.T, l.folder), l.secure
		if i%2 == 1 {
			creds, address = nil, l.plain
		}
		all = append(all, family{strings.TrimSuffix(d.Service, ".SessionTable"), client.Later(l.dial(address, creds), d, dialect.Pton)})
	}
	return all
}

// v1 is the first official dialect over TLS.
func (l *lab) v1() client.Client { return l.later()[0].client }

// spec is a session that differs from those with other ids in its addresses or its port.
func spec(id uint64) table.Spec {
	source := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(id >> 24), byte(id >> 16)}), uint16(id))
	destination := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(id >> 48), byte(id >> 40), byte(id >> 32)}), 80)
	return table.Spec{ID: id, Action: table.Forward, Tuple: table.Tuple{
		InLif: "1", OutLif: "2", Protocol: table.TCP, Source: source, Destination: destination,
	}}
}

// specs are so many of them.
func specs(first, n uint64) (all []table.Spec) {
	for i := range n {
		all = append(all, spec(first+i))
	}
	return all
}

// context ends a call that takes too long.
func (l *lab) context() context.Context {
	ctx, cancel := context.WithTimeout(l.T.Context(), patience)
	l.Cleanup(cancel)
	return ctx
}

// add adds sessions, all of which have to be taken.
func (l *lab) add(c client.Client, all ...table.Spec) {
	l.Helper()
	added, err := c.Add(l.context(), all...)
	if err != nil || len(added.Failed) > 0 || added.Rejected || added.Which != 0 {
		l.Fatalf("Add = %+v, %v", added, err)
	}
}

// closed are the closed sessions by id.
func (l *lab) closed(ctx context.Context, c client.Client) map[uint64]table.Session {
	l.Helper()
	all := map[uint64]table.Session{}
	for s, err := range c.Closed(ctx, 0) {
		if err != nil {
			l.Fatal(err)
		}
		all[s.ID] = s
	}
	return all
}

// await is what a condition says in the end.
func (l *lab) await(what string, done func() bool) {
	l.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			l.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func ids(sessions []table.Session) (all []uint64) {
	for _, s := range sessions {
		all = append(all, s.ID)
	}
	return all
}

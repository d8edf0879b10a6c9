package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/genode-operator/genode-operator/internal/gateway/certs"
	"github.com/genode-operator/genode-operator/internal/gateway/client"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// TestA43 adds 10,000 sessions in less than a second. Other tests run on this machine, too: the best of some rounds counts.
func TestA43Throughput(t *testing.T) {
	l := boot(t)
	c, best := l.v1(), time.Hour
	for round := range uint64(5) {
		all := specs(round*10_000, 10_000)
		began := time.Now()
		for batch := range slices.Chunk(all, 64) {
			l.add(c, batch...)
		}
		if best = min(best, time.Since(began)); best < time.Second {
			break
		}
	}
	t.Logf("10,000 sessions in batches of 64, over TLS: %s", best)
	if best >= time.Second {
		t.Errorf("10,000 sessions take %s", best)
	}
}

// memory is what a process has in memory, in MiB.
func (l *lab) memory() int {
	l.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(l.process.Process.Pid) + "/status")
	if err != nil {
		l.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		l.Fatal(err)
	}
	return kib >> 10
}

// TestTheTableIsSmall has 100,000 sessions in less than 100 MiB.
func TestTheTableIsSmall(t *testing.T) {
	l := boot(t)
	c := l.v1()
	empty := l.memory()
	for batch := range slices.Chunk(specs(0, 100_000), 640) {
		l.add(c, batch...)
	}
	full := l.memory()
	t.Logf("%d MiB empty, %d MiB with 100,000 sessions", empty, full)
	if full-empty >= 100 {
		t.Errorf("100,000 sessions take %d MiB", full-empty)
	}
}

// TestA45 is what the gateway says that it can do, and that it says so of what it cannot.
func TestA45Capabilities(t *testing.T) {
	l := boot(t, "--capacity=7", "--idle-timeout=5s", "--max-idle-timeout=9s")
	l.add(l.v1(), spec(1))
	c := l.capabilities()
	if c.GetBackend() != "simulator" || c.GetBackendReason() == "" || c.GetCapacity() != 7 || c.GetOpenSessions() != 1 ||
		c.GetDefaultIdleTimeout().AsDuration() != 5*time.Second || c.GetMaxIdleTimeout().AsDuration() != 9*time.Second ||
		!slices.Equal(c.GetActions(), []string{"DROP", "FORWARD", "MIRROR", "SNOOP"}) || !slices.Equal(c.GetIpVersions(), []uint32{4, 6}) {
		t.Errorf("capabilities are %v", c)
	}
	long := spec(2)
	long.IdleTimeout = time.Hour
	l.add(l.v1(), long)
	for i, want := range []time.Duration{5 * time.Second, 9 * time.Second} {
		if s := l.listed()[i]; s.GetIdleTimeout().AsDuration() != want {
			t.Errorf("session %d is idle after %s, want %s", s.GetId(), s.GetIdleTimeout().AsDuration(), want)
		}
	}
	conn := l.dial(l.plain, nil)
	err := conn.Invoke(l.context(), "/openoffload.v1.SessionTable/getCapabilities", &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("a method that there is not: %v", err)
	}
	for _, dialect := range c.GetDialects() {
		if !slices.Contains(l.services(), dialect) {
			t.Errorf("reflection does not show %s", dialect)
		}
	}
	if n := len(c.GetDialects()); n != 6 {
		t.Errorf("%d dialects", n)
	}
}

// services are what reflection shows; each has to be described there, too.
func (l *lab) services() (names []string) {
	l.Helper()
	stream, err := reflectionv1.NewServerReflectionClient(l.dial(l.secure, trusting(l.T, l.folder))).ServerReflectionInfo(l.context())
	if err != nil {
		l.Fatal(err)
	}
	ask := func(r *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		l.Helper()
		if err := stream.Send(r); err != nil {
			l.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			l.Fatal(err)
		}
		return answer
	}
	all := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
	for _, s := range all.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
		described := ask(&reflectionv1.ServerReflectionRequest{
			MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: s.GetName()},
		})
		if len(described.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
			l.Errorf("%s is not described: %v", s.GetName(), described)
		}
	}
	return names
}

// TestA46 ends the gateway from afar, if that is allowed.
func TestA46Shutdown(t *testing.T) {
	l := boot(t)
	request := &v11.ShutdownRequest{Deadline: 5}
	if _, err := v11.NewSessionTableClient(l.dial(l.plain, nil)).ShutdownServer(l.context(), request); status.Code(err) != codes.PermissionDenied {
		t.Errorf("without being allowed: %v", err)
	}
	l = boot(t, "--allow-shutdown")
	conn := l.dial(l.plain, nil)
	pending, err := v11.NewSessionTableClient(conn).AddSession(l.context())
	if err != nil {
		t.Fatal(err)
	}
	if err := pending.Send(&v11.SessionRequest{}); err != nil {
		t.Fatal(err)
	}
	if all, _, err := client.Later(conn, dialect.Dialects()[0], dialect.Pton).All(l.context(), table.Page{}); err != nil {
		t.Fatal(all, err) // the stream is under way: it was opened on this connection before
	}
	endless := make(chan error, 1)
	following, err := v11.NewSessionTableClient(l.dial(l.secure, trusting(t, l.folder))).GetClosedSessions(client.Following(l.context()), &v11.SessionRequestArgs{})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := following.Recv()
		endless <- err
	}()
	if _, err := v11.NewSessionTableClient(l.dial(l.secure, trusting(t, l.folder))).ShutdownServer(l.context(), request); err != nil {
		t.Errorf("where it is allowed: %v", err)
	}
	if answer, err := pending.CloseAndRecv(); err != nil || len(answer.GetResponseError()) != 1 {
		t.Errorf("a stream that was under way: %v, %v", answer, err)
	}
	if err := <-endless; status.Code(err) != codes.Unavailable {
		t.Errorf("a stream without an end: %v", err)
	}
	l.ended(nil)
}

// TestA47 gives up half-way: nothing is stored, and others are served.
func TestA47CancelledStreams(t *testing.T) {
	l := boot(t)
	conn := l.dial(l.plain, nil)
	for limit, want := range map[time.Duration]codes.Code{patience: codes.Canceled, time.Second: codes.DeadlineExceeded} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		stream, err := v11.NewSessionTableClient(conn).AddSession(ctx)
		if err != nil {
			cancel()
			t.Fatal(err)
		}
		for _, s := range specs(1, 200) {
			m, err := dialect.ToV1Request(&s, dialect.Pton)
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Send(m); err != nil {
				break // the deadline was too early for the rest
			}
		}
		if limit == patience {
			cancel()
		}
		if err := stream.RecvMsg(&v11.AddSessionResponse{}); status.Code(err) != want {
			t.Errorf("the stream ended with %v, want %s", err, want)
		}
		cancel()
		if all, _, err := l.v1().All(l.context(), table.Page{}); err != nil || len(all) != 0 {
			t.Errorf("%d sessions are stored, %v", len(all), err)
		}
	}
	l.add(l.v1(), specs(1, 200)...)
}

// TestABatchHasALimit keeps a stream without an end from filling the memory.
func TestABatchHasALimit(t *testing.T) {
	l := boot(t, "--max-batch=100")
	if _, err := l.v1().Add(l.context(), specs(1, 101)...); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("Add = %v", err)
	}
	l.add(l.v1(), specs(1, 100)...)
}

// TestA48 does what the test suite of the C client does: one tuple for all ids, more sessions each time.
func TestA48TheSequenceOfTheCClient(t *testing.T) {
	l := boot(t, "--duplicate-key=id", "--not-found=status")
	conn := l.dial(l.plain, nil)
	c := client.Later(conn, dialect.Dialects()[0], dialect.Pton)
	for _, n := range []uint64{19, 72, 384, 1019} {
		all := specs(1, n)
		for i := range all {
			all[i].Tuple = sample().Tuple
		}
		for batch := range slices.Chunk(all, 64) {
			l.add(c, batch...)
		}
		if err := first(c.Add(l.context(), all[0])); !errors.Is(err, client.ErrExists) {
			t.Errorf("Add of what is there = %v", err)
		}
		if walked := l.walk(c); len(walked) != int(n) {
			t.Errorf("%d of %d sessions are listed", len(walked), n)
		}
		for _, s := range all {
			if got, err := c.Get(l.context(), s.ID); err != nil || got.ID != s.ID {
				t.Fatalf("Get = %+v, %v", got, err)
			}
			if gone, err := c.Delete(l.context(), s.ID); err != nil || gone.ID != s.ID {
				t.Fatalf("Delete = %+v, %v", gone, err)
			}
		}
		if _, err := c.Get(l.context(), 1); status.Code(err) != codes.NotFound {
			t.Errorf("Get of what is gone = %v", err)
		}
		if closed := l.closed(l.context(), c); len(closed) != 0 {
			t.Errorf("closed are %+v", closed)
		}
	}
}

// TestA51 are the parts of the API that are left out.
func TestA51LeftOut(t *testing.T) {
	l := boot(t)
	conn := l.dial(l.plain, nil)
	for _, method := range []string{
		"/openoffload.v1alpha5.Activation/registerOffloadDevice", "/tunneloffload.v1alpha1.ipTunnelService/createIpTunnel", "/tunneloffload.v2.IpTunnelService/Capabilities",
	} {
		if err := conn.Invoke(l.context(), method, &emptypb.Empty{}, &emptypb.Empty{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// identity makes a certificate for a client, by which it proves itself and which may sign it as well.
func identity(t *testing.T) (cert tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "client.crt")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestOnlyClientsThatProveThemselves(t *testing.T) {
	mine, file := identity(t)
	stranger, _ := identity(t)
	l := boot(t, "--client-ca="+file)
	pool, err := certs.Pool(filepath.Join(l.folder, certs.CertFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		certificates []tls.Certificate
		want         codes.Code
	}{"known": {[]tls.Certificate{mine}, codes.OK}, "a stranger": {[]tls.Certificate{stranger}, codes.Unavailable}, "nobody": {nil, codes.Unavailable}} {
		creds := credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "localhost", Certificates: tc.certificates, MinVersion: tls.VersionTLS12})
		_, _, err := client.Later(l.dial(l.secure, creds), dialect.Dialects()[0], dialect.Pton).All(l.context(), table.Page{})
		if status.Code(err) != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

// TestHalfOpenConnections has clients that connect and say nothing; others are served.
func TestHalfOpenConnections(t *testing.T) {
	l := boot(t)
	for range 500 {
		conn, err := (&net.Dialer{}).DialContext(l.context(), "tcp", l.secure)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	began := time.Now()
	if _, _, err := l.v1().All(l.context(), table.Page{}); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

func TestWhatIsWrongIsSaidAtOnce(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for flags, want := range map[string]string{
		"--backend=kernel":                                "--backend \"kernel\": use simulator or fixture",
		"--not-found=404":                                 "--not-found \"404\": use inband or status",
		"--duplicate-key=x":                               "--duplicate-key \"x\": use tuple or id",
		"--ipv4-order=x":                                  "--ipv4-order \"x\": use pton or host",
		"--capacity=0":                                    "--capacity 0: give 1 or more",
		"--idle-timeout=1ms":                              "--idle-timeout 1ms: give 1s or more",
		"--idle-timeout=48h":                              "no more than --max-idle-timeout 24h0m0s",
		"--listen=0 --stats-listen=0":                     "give at least one address",
		"--plaintext-listen=0.0.0.0:1":                    "without TLS the gateway stays on loopback",
		"--tls-cert=" + missing:                           "--tls-cert and --tls-key go together",
		"--tls-cert=" + missing + " --tls-key=" + missing: "certificate " + missing,
		"--client-ca=" + missing:                          "--client-ca: open " + missing,
	} {
		cmd := []string{"gateway", "--listen=127.0.0.1:0", "--stats-listen=0", "--cert-dir=" + t.TempDir(), "--termination-log=" + filepath.Join(t.TempDir(), "t")}
		out, code := run(t, append(cmd, strings.Fields(flags)...)...)
		if code != 78 || !strings.Contains(out, want) {
			t.Errorf("%s: exit status %d, %q, want 78 and %q", flags, code, out, want)
		}
	}
	out, code := run(t, "gateway", "--listen=127.0.0.1:0", "--stats-listen=192.0.2.1:1", "--cert-dir="+t.TempDir(), "--termination-log="+filepath.Join(t.TempDir(), "t"))
	if code != 1 || !strings.Contains(out, "192.0.2.1:1") {
		t.Errorf("an address that is not here: exit status %d, %q", code, out)
	}
}

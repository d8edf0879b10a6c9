package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server without TLS and returns a connection to it.
func serve(t *testing.T, o Options) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:///"+listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStaticStreamWindowSize(1<<16), grpc.WithStaticConnWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- New(o).Serve(ctx, Listeners{Plain: []net.Listener{listener}}) }()
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return conn
}

// broken is a backend whose rules somebody else has removed.
type broken struct{}

var errGone = errors.New("its rules are gone")

func (broken) Features() gateway.Features {
	return gateway.Features{Name: "broken", Actions: []table.Action{table.Forward}}
}

func (broken) Add(_ context.Context, sessions []table.Spec) []error {
	errs := make([]error, len(sessions))
	for i := range errs {
		errs[i] = errGone
	}
	return errs
}

func (broken) Delete(context.Context, []uint64) ([]table.Report, error) { return nil, errGone }
func (broken) Read(context.Context, []uint64) ([]table.Report, error)   { return nil, errGone }
func (broken) Run(ctx context.Context, _ func([]table.Report)) error    { <-ctx.Done(); return nil }

// TestA19 is a backend that fails, as a client sees it.
func TestA19ABackendThatFails(t *testing.T) {
	g := gateway.New(gateway.Config{Backend: broken{}, Log: testr.New(t)})
	conn := serve(t, Options{Sessions: g, Log: testr.New(t)})
	stream, err := v11.NewSessionTableClient(conn).AddSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	action := &v11.ActionParameters{ActionType: v11.ACTION_TYPE__FORWARD}
	for id := range uint64(2) {
		if err := stream.Send(&v11.SessionRequest{SessionId: id, SourceIp: 1, SourcePort: uint32(id), DestinationIp: 2, ProtocolId: 6, Action: action}); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := stream.CloseAndRecv()
	if err != nil || len(answer.GetResponseError()) != 2 || answer.GetErrorStatus() != 0b11 {
		t.Fatalf("answer %v, %v", answer, err)
	}
	for _, e := range answer.GetResponseError() {
		if e.GetErrorStatus() != int32(v11.ADD_SESSION_STATUS__SESSION_TABLE_UNAVAILABLE) {
			t.Errorf("session %d: %d", e.GetSessionId(), e.GetErrorStatus())
		}
	}
	one, err := v2020.NewSessionTableClient(conn).AddSession(t.Context(), &v2020.SessionRequest{
		SourceIp: make([]byte, 4), DestinationIp: make([]byte, 4), ProtocolId: 17, Action: &v2020.ActionType{ActionType: v2020.ACTION_TYPE__FORWARD},
	})
	if err != nil || one.GetRequestStatus() != v2020.REQUEST_STATUS__REJECTED || one.GetSessionId() != 0 {
		t.Errorf("in 2020: %v, %v", one, err)
	}
	if all, _ := g.List(t.Context(), table.Page{}); len(all) != 0 {
		t.Errorf("stored are %+v", all)
	}
}

// canned are sessions of which one cannot be deleted, and asking for one makes the server panic.
type canned struct {
	Sessions
	mu       sync.Mutex
	waiting  []table.Session
	closings chan struct{}
}

func (c *canned) Get(context.Context, uint64) (table.Session, error) { panic("there is a mistake") }

func (c *canned) Delete(context.Context, uint64) (table.Session, error) {
	return table.Session{}, gateway.ErrUnavailable
}

func (c *canned) Take(int) ([]table.Session, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.waiting
	c.waiting = nil
	return taken, c.closings
}

func (c *canned) Return(sessions []table.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(sessions, c.waiting...)
	close(c.closings)
	c.closings = make(chan struct{})
}

func TestACallThatPanicsEndsAlone(t *testing.T) {
	said := make(chan string, 8)
	log := funcr.New(func(_, args string) { said <- args }, funcr.Options{})
	conn := serve(t, Options{Sessions: &canned{closings: make(chan struct{})}, Log: log})
	c := v11.NewSessionTableClient(conn)
	if _, err := c.GetSession(t.Context(), &v11.SessionId{}); status.Code(err) != codes.Internal {
		t.Errorf("the call that panics: %v", err)
	}
	if text := <-said; !strings.Contains(text, "there is a mistake") || !strings.Contains(text, "getSession") {
		t.Errorf("the log says %s", text)
	}
	stream, err := c.AddSession(t.Context()) // there is no Add behind it
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.CloseAndRecv(); status.Code(err) != codes.Internal {
		t.Errorf("the stream that panics: %v", err)
	}
	answer, err := c.DeleteSession(t.Context(), &v11.SessionId{SessionId: 5})
	if err != nil || answer.GetRequestStatus() != v11.REQUEST_STATUS__REJECTED_INTERNAL_ERROR || answer.GetSessionId() != 5 {
		t.Errorf("another one: %v, %v", answer, err)
	}
}

// TestAnEndlessStreamGivesBackWhatIsNew has more reports than a client's window, and a client that reads none of them.
func TestAnEndlessStreamGivesBackWhatIsNew(t *testing.T) {
	const n = 3 * doubtful
	c := &canned{closings: make(chan struct{})}
	for id := range uint64(n) {
		c.waiting = append(c.waiting, table.Session{Spec: table.Spec{ID: id}, State: table.Closed, Start: time.Unix(1, 0), End: time.Unix(2, 0)})
	}
	back := c.closings
	conn := serve(t, Options{Sessions: c, Log: testr.New(t)})
	for _, read := range []int{0, n} {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := v11.NewSessionTableClient(conn).GetClosedSessions(following(ctx), &v11.SessionRequestArgs{PageSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		first := uint64(n)
		for range max(read, 1) {
			m, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			first = min(first, m.GetSessionId())
		}
		if first != 0 {
			t.Errorf("the first report is of session %d: some are lost", first)
		}
		cancel()
		<-back
		c.mu.Lock()
		want := n // those that were not sent count as well
		if read == n {
			want = doubtful
		}
		if len(c.waiting) != want || c.waiting[len(c.waiting)-1].ID != n-1 {
			t.Errorf("%d come again, want %d", len(c.waiting), want)
		}
		back = c.closings
		c.mu.Unlock()
	}
}

func following(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, MetadataFollow, "true")
}

func TestNextHopOfAListing(t *testing.T) {
	s := table.Session{Spec: table.Spec{Action: table.Mirror, NextHop: netip.MustParseAddr("12.2.3.4")}, Last: time.Unix(5, 0)}
	if m := whole(&s); m.GetNextHop() != "12.2.3.4" || m.GetAction() != "MIRROR" || m.GetLastPacketTime().AsTime().Unix() != 5 {
		t.Errorf("%v", m)
	}
}

func TestASecuredListenerNeedsACertificate(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := New(Options{Log: testr.New(t)}).Serve(t.Context(), Listeners{Secure: []net.Listener{listener}}); err == nil {
		t.Error("it is served without one")
	}
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway/client"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	gatewayv1 "github.com/genode-operator/genode-operator/internal/gateway/proto/genode/gateway/v1"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// fresh looks at a session that has just been added.
func fresh(t *testing.T, s table.Session, since time.Time) {
	t.Helper()
	none := table.Counters{}
	if s.State != table.Established || s.Code != table.NotClosed || s.In != none || s.Out != none || !s.End.IsZero() {
		t.Errorf("a new session is %+v", s)
	}
	if s.Start.Before(since.Add(-time.Second)) || s.Start.After(time.Now().Add(time.Second)) {
		t.Errorf("it started at %s, and was added at %s", s.Start, since)
	}
}

// TestA10 adds sessions of both protocols.
func TestA10AddIPv4(t *testing.T) {
	l := boot(t)
	tcp, udp := spec(1), spec(1)
	udp.ID, udp.Tuple.Protocol = 2, table.UDP
	since := time.Now()
	l.add(l.v1(), tcp, udp)
	for id := range uint64(2) {
		s, err := l.v1().Get(l.context(), id+1)
		if err != nil {
			t.Fatal(err)
		}
		fresh(t, s, since)
	}
}

// TestA11 adds IPv6 sessions that differ in an address alone.
func TestA11AddIPv6(t *testing.T) {
	l := boot(t)
	one, two := spec(1), spec(2)
	for i, s := range []*table.Spec{&one, &two} {
		s.Tuple.Source = netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf("2001:db8:85a3::8a2e:370:733%d", i)), 4430)
		s.Tuple.Destination = netip.MustParseAddrPort("[2001:db8:85a3::8a03:370:234f]:80")
	}
	since := time.Now()
	l.add(l.v1(), one, two)
	s, err := l.v1().Get(l.context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	fresh(t, s, since)
	two.ID = 3
	if err := first(l.v1().Add(l.context(), two)); !errors.Is(err, client.ErrExists) {
		t.Errorf("the same addresses once more: %v", err)
	}
}

// listed are the sessions as the gateway's own service shows them.
func (l *lab) listed() (all []*gatewayv1.Session) {
	l.Helper()
	stream, err := gatewayv1.NewGatewayClient(l.dial(l.plain, nil)).ListSessions(l.context(), &gatewayv1.ListSessionsRequest{})
	for err == nil {
		var s *gatewayv1.Session
		if s, err = stream.Recv(); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// TestA12 is the order of bytes in an IPv4 address.
func TestA12OrderOfBytes(t *testing.T) {
	for order, want := range map[string]string{"pton": "10.0.0.1:5", "host": "1.0.0.10:5"} {
		l := boot(t, "--ipv4-order="+order)
		conn := l.dial(l.plain, nil)
		stream, err := v11.NewSessionTableClient(conn).AddSession(l.context())
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.Send(&v11.SessionRequest{
			SessionId: 1, SourceIp: 0x0100000a, SourcePort: 5, DestinationIp: 0x0200000a, ProtocolId: 17,
			Action: &v11.ActionParameters{ActionType: v11.ACTION_TYPE__FORWARD},
		})
		if _, err := stream.CloseAndRecv(); err != nil {
			t.Fatal(err)
		}
		if all := l.listed(); len(all) != 1 || all[0].GetSource() != want || all[0].GetProtocol() != "UDP" || all[0].GetAction() != "FORWARD" {
			t.Errorf("%s: listed are %v, want one from %s", order, all, want)
		}
	}
}

// TestA13 adds many sessions in one stream.
func TestA13Batches(t *testing.T) {
	l := boot(t)
	for _, n := range []uint64{64, 200} {
		l.add(l.v1(), specs(n*1000, n)...)
	}
	if all, _, err := l.v1().All(l.context(), table.Page{}); err != nil || len(all) != 264 {
		t.Errorf("%d sessions, %v", len(all), err)
	}
}

// mixed asks for a good session, one that is there, and one with a bad port.
func (l *lab) mixed() *v11.AddSessionResponse {
	l.Helper()
	l.add(l.v1(), spec(1))
	stream, err := v11.NewSessionTableClient(l.dial(l.plain, nil)).AddSession(l.context())
	if err != nil {
		l.Fatal(err)
	}
	for _, id := range []uint64{2, 1, 3} {
		s := spec(id)
		m, err := dialect.ToV1Request(&s, dialect.Pton)
		if err != nil {
			l.Fatal(err)
		}
		if id == 3 {
			m.SourcePort = 65536
		}
		if err := stream.Send(m); err != nil {
			l.Fatal(err)
		}
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		l.Fatal(err)
	}
	return answer
}

// TestA14 is what a batch says about each of its sessions.
func TestA14ErrorsOfABatch(t *testing.T) {
	l := boot(t)
	answer := l.mixed()
	got := map[uint64]int32{}
	for _, e := range answer.GetResponseError() {
		got[e.GetSessionId()] = e.GetErrorStatus()
	}
	if want := map[uint64]int32{1: 4, 3: 1}; !maps.Equal(got, want) {
		t.Errorf("errors by session: %v, want %v", got, want)
	}
	if _, err := l.v1().Get(l.context(), 2); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if _, err := l.v1().Get(l.context(), 3); !errors.Is(err, table.ErrUnknown) {
		t.Errorf("the bad one: %v", err)
	}
}

// TestA15 is what a batch says about itself.
func TestA15SummaryOfABatch(t *testing.T) {
	answer := boot(t).mixed()
	if answer.GetErrorStatus() != 1<<1|1<<2 || answer.GetRequestStatus() != v11.ADD_SESSION_STATUS__SESSION_REJECTED {
		t.Errorf("errorStatus %b and requestStatus %s", answer.GetErrorStatus(), answer.GetRequestStatus())
	}
	l := boot(t)
	added, err := l.v1().Add(l.context())
	if err != nil || added.Rejected || added.Which != 0 || !added.Start.IsZero() {
		t.Errorf("an empty stream: %+v, %v", added, err)
	}
}

// TestA16 are duplicates, by id and by tuple.
func TestA16Duplicates(t *testing.T) {
	l := boot(t)
	l.add(l.v1(), spec(1))
	sameTuple, sameID := spec(1), spec(2)
	sameTuple.ID, sameID.ID = 9, 1
	for _, s := range []table.Spec{sameTuple, sameID} {
		if err := first(l.v1().Add(l.context(), s)); !errors.Is(err, client.ErrExists) {
			t.Errorf("Add of %+v = %v", s, err)
		}
	}
	added, err := l.early().Add(l.context(), spec(1))
	if err := first(added, err); !errors.Is(err, client.ErrExists) || added.IDs[0] != 1 {
		t.Errorf("Add in 2020 = %+v, %v", added, err)
	}
}

// TestA17 is a table that is full.
func TestA17TableFull(t *testing.T) {
	l := boot(t, "--capacity=19")
	l.add(l.v1(), specs(1, 18)...)
	added, err := l.v1().Add(l.context(), specs(100, 10)...)
	if err != nil || len(added.Failed) != 9 || added.Which != 0b1111111110 {
		t.Errorf("10 sessions for one place: %+v, %v", added, err)
	}
	for id, err := range added.Failed {
		if !errors.Is(err, table.ErrFull) {
			t.Errorf("session %d: %v", id, err)
		}
	}
	if err := first(l.early().Add(l.context(), spec(200))); !errors.Is(err, table.ErrFull) {
		t.Errorf("in 2020: %v", err)
	}
	if all, _, err := l.v1().All(l.context(), table.Page{}); err != nil || len(all) != 19 {
		t.Errorf("%d sessions, %v", len(all), err)
	}
	if _, err := l.v1().Delete(l.context(), 5); err != nil {
		t.Fatal(err)
	}
	l.add(l.v1(), spec(200))
}

// TestA18 takes all sessions of a batch or none, as the gateway was told, or the client tells it.
func TestA18AtomicBatches(t *testing.T) {
	told := boot(t, "--capacity=19", "--atomic")
	asked := boot(t, "--capacity=19")
	for l, ctx := range map[*lab]context.Context{told: told.context(), asked: client.Atomic(asked.context())} {
		added, err := l.v1().Add(ctx, specs(1, 20)...)
		if err != nil || len(added.Failed) != 20 || added.Which != 1<<20-1 {
			t.Errorf("20 sessions for 19 places: %+v, %v", added, err)
		}
		for id, err := range added.Failed {
			if !errors.Is(err, table.ErrFull) {
				t.Errorf("session %d: %v", id, err)
			}
		}
		if all, _, err := l.v1().All(l.context(), table.Page{}); err != nil || len(all) != 0 {
			t.Errorf("%d sessions are stored, %v", len(all), err)
		}
		if added, err := l.v1().Add(ctx, specs(1, 19)...); err != nil || len(added.Failed) != 0 {
			t.Errorf("19 sessions: %+v, %v", added, err)
		}
	}
}

// TestA20 is a session that there is not, told in the answer.
func TestA20UnknownSessionsInBand(t *testing.T) {
	l := boot(t)
	conn := l.dial(l.plain, nil)
	for _, call := range []func(context.Context, *v11.SessionId) (*v11.SessionResponse, error){
		func(ctx context.Context, id *v11.SessionId) (*v11.SessionResponse, error) {
			return v11.NewSessionTableClient(conn).GetSession(ctx, id)
		},
		func(ctx context.Context, id *v11.SessionId) (*v11.SessionResponse, error) {
			return v11.NewSessionTableClient(conn).DeleteSession(ctx, id)
		},
	} {
		answer, err := call(l.context(), &v11.SessionId{SessionId: 12333333})
		if err != nil || answer.GetRequestStatus() != v11.REQUEST_STATUS__REJECTED_SESSION_NONEXISTENT || answer.GetSessionId() != 12333333 {
			t.Errorf("answer %v, %v", answer, err)
		}
	}
	if _, err := l.early().Delete(l.context(), 12333333); !errors.Is(err, table.ErrUnknown) || status.Code(err) != codes.Unknown {
		t.Errorf("Delete in 2020 = %v", err)
	}
}

// TestA21 is the same, told by the status of the call.
func TestA21UnknownSessionsByStatus(t *testing.T) {
	l := boot(t, "--not-found=status")
	for _, c := range []client.Client{l.v1(), l.early()} {
		_, got := c.Get(l.context(), 1)
		_, deleted := c.Delete(l.context(), 1)
		for _, err := range []error{got, deleted} {
			if status.Code(err) != codes.NotFound {
				t.Errorf("%v, want NOT_FOUND", err)
			}
		}
	}
}

// TestA22 is what a deletion reports. Counters of traffic are for backends that have some.
func TestA22DeleteReports(t *testing.T) {
	l := boot(t)
	l.add(l.v1(), spec(1))
	s, err := l.v1().Delete(l.context(), 1)
	if err != nil || s.State != table.Closing1 || !s.Start.Before(s.End) || time.Since(s.End).Abs() > 10*time.Second {
		t.Errorf("Delete = %+v, %v", s, err)
	}
	if closed := l.closed(l.context(), l.v1()); len(closed) != 0 {
		t.Errorf("it is reported again: %+v", closed)
	}
}

// TestA23 is paging by numbers.
func TestA23Pages(t *testing.T) {
	l := boot(t)
	l.add(l.v1(), specs(1, 19)...)
	for _, tc := range []struct {
		page table.Page
		want []uint64
	}{
		{table.Page{Size: 5, Number: 2}, []uint64{6, 7, 8, 9, 10}}, {table.Page{Size: 5, Number: 4}, []uint64{16, 17, 18, 19}}, {table.Page{Size: 5, Number: 9}, nil},
	} {
		if page, _, err := l.v1().All(l.context(), tc.page); err != nil || !slices.Equal(ids(page), tc.want) {
			t.Errorf("%+v: %v, %v, want %v", tc.page, ids(page), err, tc.want)
		}
	}
	if all, _, err := l.v1().All(l.context(), table.Page{}); err != nil || len(all) != 19 {
		t.Errorf("all: %v, %v", ids(all), err)
	}
}

// walk goes through all sessions by cursor.
func (l *lab) walk(c client.Client) (all []uint64) {
	l.Helper()
	for cursor := table.FromStart; ; {
		page, next, err := c.All(l.context(), table.Page{Size: 64, After: cursor})
		if err != nil || len(page) > 65 {
			l.Fatalf("a page of %d, %v", len(page), err)
		}
		if len(page) == 0 {
			return all
		}
		all, cursor = append(all, ids(page)...), next
		if len(all) > 5000 {
			l.Fatal("the walk does not end")
		}
	}
}

// TestA24 is paging by a cursor. An id that is the cursor of the beginning is no stumbling block, nor is 0.
func TestA24Cursor(t *testing.T) {
	l := boot(t)
	l.add(l.v1(), spec(0))
	if all := l.walk(l.v1()); !slices.Equal(all, []uint64{0}) {
		t.Errorf("with id 0 alone: %v", all)
	}
	more := slices.Concat(specs(1, 1012), specs(math.MaxUint32-2, 5), specs(math.MaxUint64, 1))
	l.add(l.v1(), more...)
	want := []uint64{0}
	for _, s := range more {
		want = append(want, s.ID)
	}
	if all := l.walk(l.v1()); !slices.Equal(all, want) {
		t.Errorf("%d sessions are not what was added: %v", len(all), all)
	}
}

// closing adds sessions that are silent for so long that they close.
func (l *lab) closing(n uint64) {
	l.Helper()
	all := specs(1, n)
	for i := range all {
		all[i].IdleTimeout = time.Second
	}
	l.add(l.v1(), all...)
	l.await("the sessions close", func() bool { return l.capabilities().GetUnreportedSessions() == n })
}

func (l *lab) capabilities() *gatewayv1.CapabilitiesResponse {
	l.Helper()
	c, err := gatewayv1.NewGatewayClient(l.dial(l.plain, nil)).Capabilities(l.context(), &gatewayv1.CapabilitiesRequest{})
	if err != nil {
		l.Fatal(err)
	}
	return c
}

// TestA25 reports closed sessions once.
func TestA25ClosedOnce(t *testing.T) {
	l := boot(t)
	l.closing(3)
	closed := l.closed(l.context(), l.v1())
	for id := uint64(1); id <= 3; id++ {
		s := closed[id]
		if s.State != table.Closed || s.Code != table.Timeout || s.End.Sub(s.Start) != time.Second {
			t.Errorf("session %d closed as %+v", id, s)
		}
	}
	if again := l.closed(l.context(), l.early()); len(closed) != 3 || len(again) != 0 {
		t.Errorf("%d are reported, then %+v", len(closed), again)
	}
	l.closing(3) // ids and tuples are free
	some := 0
	for _, err := range l.v1().Closed(l.context(), 2) {
		if some++; err != nil {
			t.Fatal(err)
		}
	}
	if rest := l.closed(l.context(), l.v1()); some != 2 || len(rest) != 1 {
		t.Errorf("%d of at most 2 are reported, then %d", some, len(rest))
	}
}

// TestA26 is a stream that goes on.
func TestA26Follow(t *testing.T) {
	l := boot(t)
	l.closing(1)
	late := spec(50)
	late.IdleTimeout = time.Second
	seen := map[uint64]bool{}
	for s, err := range l.v1().Closed(client.Following(l.context()), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if delay := time.Since(s.End); s.ID == 50 && delay > 2*time.Second {
			t.Errorf("session %d is reported %s after its end", s.ID, delay)
		}
		if seen[s.ID] = true; len(seen) == 2 {
			break
		}
		l.add(l.v1(), late)
	}
	if !seen[1] || !seen[50] {
		t.Errorf("reported are %v", seen)
	}
}

// TestA27 breaks streams of reports: what did not arrive comes with the next call.
func TestA27NoLossOnBrokenStreams(t *testing.T) {
	const n = 3000
	l := boot(t)
	l.closing(n)
	seen := map[uint64]bool{}
	for round := range 4 {
		ctx, cancel := context.WithCancel(l.context())
		if round%2 == 1 {
			ctx = client.Following(ctx)
		}
		took := 0
		for s, err := range l.v1().Closed(ctx, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[s.ID] = true; took == 10*round {
				break
			}
			took++
		}
		cancel()
		l.await("the gateway has noticed", func() bool { return l.capabilities().GetUnreportedSessions() > 0 })
	}
	l.await("all are reported", func() bool {
		for id := range l.closed(l.context(), l.v1()) {
			seen[id] = true
		}
		return len(seen) == n
	})
	if left := l.capabilities(); left.GetUnreportedSessions() != 0 || left.GetForgottenSessions() != 0 {
		t.Errorf("left are %v", left)
	}
}

package gateway

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/genode-operator/genode-operator/internal/gateway/client"
	"github.com/genode-operator/genode-operator/internal/gateway/dialect"
	v1 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v1beta1 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1beta1"
	v2 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v2"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// sample is the session of the published sample clients.
func sample() table.Spec {
	return table.Spec{ID: 12345678910, Action: table.Forward, NextHop: netip.MustParseAddr("12.2.3.4"), Tuple: table.Tuple{
		InLif: "1", OutLif: "2", Protocol: table.TCP,
		Source: netip.MustParseAddrPort("10.0.0.1:12345"), Destination: netip.MustParseAddrPort("10.1.0.3:80"),
	}}
}

// mirrored is the one that they mirror.
func mirrored(id uint64) table.Spec {
	s := sample()
	s.ID, s.Action, s.Tuple.Protocol, s.Tuple.Destination = id, table.Mirror, table.UDP, netip.MustParseAddrPort("10.1.0.4:80")
	return s
}

// first returns the error of an only session.
func first(added client.Added, err error) error {
	for _, failed := range added.Failed {
		return errors.Join(err, failed)
	}
	return err
}

// TestA01 is the table of 2020 on its own port, and on the other one.
func TestA01TheTableOf2020(t *testing.T) {
	l := boot(t)
	for name, c := range map[string]client.Client{
		"TLS": l.early(), "plain text": client.Early(l.dial(l.plain, nil), l.dial(l.plain, nil)),
	} {
		t.Run(name, func(t *testing.T) {
			added, err := c.Add(l.context(), sample())
			if err := first(added, err); err != nil {
				t.Fatal(err)
			}
			id := added.IDs[0]
			if s, err := c.Get(l.context(), id); err != nil || s.ID != id || s.State != table.Established {
				t.Errorf("Get = %+v, %v", s, err)
			}
			if err := first(c.Add(l.context(), sample())); !errors.Is(err, client.ErrExists) {
				t.Errorf("a second Add = %v", err)
			}
			if s, err := c.Delete(l.context(), id); err != nil || s.State != table.Closing1 || s.End.IsZero() {
				t.Errorf("Delete = %+v, %v", s, err)
			}
			if err := first(c.Add(l.context(), mirrored(0))); err != nil {
				t.Errorf("Add of a mirrored session: %v", err)
			}
			for range 2 {
				if closed := l.closed(l.context(), c); len(closed) != 0 {
					t.Errorf("closed are %+v", closed)
				}
			}
			if all, _, err := c.All(l.context(), table.Page{}); err != nil || len(all) != 1 {
				t.Errorf("All = %+v, %v", all, err)
			} else if _, err := c.Delete(l.context(), all[0].ID); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestA02 is the statistics of 2020 on both ports.
func TestA02StatisticsOf2020OnBothPorts(t *testing.T) {
	l := boot(t, "--idle-timeout=1s")
	l.add(l.early(), sample())
	creds := trusting(t, l.folder)
	for _, address := range []string{l.secure, l.stats} {
		c := client.Early(l.dial(address, creds), l.dial(address, creds))
		if all, _, err := c.All(l.context(), table.Page{}); err != nil || len(all) > 1 {
			t.Errorf("%s: All = %+v, %v", address, all, err)
		}
	}
	c := client.Early(l.dial(l.secure, creds), l.dial(l.secure, creds))
	l.await("the session closes", func() bool {
		closed := l.closed(l.context(), c)
		for _, s := range closed {
			if s.State != table.Closed || s.Code != table.Timeout {
				t.Errorf("closed as %+v", s)
			}
		}
		return len(closed) == 1
	})
}

// TestA03 is the canned transcript of the sample server.
func TestA03Fixture(t *testing.T) {
	l := boot(t, "--backend=fixture")
	type line struct {
		id, in, out uint64
		state       table.State
		ended       bool
	}
	shown := func(s table.Session) line {
		if s.Start.IsZero() || s.Code != table.NotClosed || s.In.Bytes != 0 || s.Out.Bytes != 0 {
			t.Errorf("%+v", s)
		}
		return line{s.ID, s.In.Packets, s.Out.Packets, s.State, !s.End.IsZero()}
	}
	c := l.early()
	var transcript []line
	for _, s := range []table.Spec{sample(), mirrored(0)} {
		added, err := c.Add(l.context(), s)
		if err := first(added, err); err != nil || added.IDs[0] != 1001 {
			t.Errorf("Add = %+v, %v", added, err)
		}
	}
	got, err := c.Get(l.context(), 1001)
	gone, err2 := c.Delete(l.context(), 1001)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	transcript = append(transcript, shown(got), shown(gone))
	for range 2 {
		for s, err := range c.Closed(l.context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			transcript = append(transcript, shown(s))
		}
	}
	one, two := line{1001, 1000, 200000, table.Closed, false}, line{1002, 2000, 400000, table.Closed, false}
	want := []line{{1001, 1000, 200000, table.Established, false}, {1001, 2000, 400000, table.Closing1, true}, one, two, one, two}
	if !slices.Equal(transcript, want) {
		t.Errorf("the transcript is\n%+v, want\n%+v", transcript, want)
	}
	for _, f := range l.later() {
		failing := sample()
		failing.ID = 99999999999
		added, err := f.client.Add(l.context(), sample(), failing)
		if err != nil || !errors.Is(added.Failed[99999999999], table.ErrFull) || len(added.Failed) != 1 || added.Rejected || added.Which != 0 {
			t.Errorf("%s: Add = %+v, %v", f.name, added, err)
		}
		if all, _, err := f.client.All(l.context(), table.Page{}); err != nil || len(all) != 2 || shown(all[0]) != one || shown(all[1]) != two {
			t.Errorf("%s: All = %+v, %v", f.name, all, err)
		}
	}
}

// sequence is what the published sample clients of the later family do.
func sequence(t *testing.T, l *lab, c client.Client) {
	t.Helper()
	if s, err := c.Get(l.context(), 1001); !errors.Is(err, table.ErrUnknown) {
		t.Errorf("Get of what is not there = %+v, %v", s, err)
	}
	before := time.Now()
	l.add(c, sample())
	added, err := c.Add(l.context(), sample())
	if err := first(added, err); !errors.Is(err, client.ErrExists) || added.Which != 1 {
		t.Errorf("Add of what is there = %+v, %v", added, err)
	}
	s, err := c.Get(l.context(), sample().ID)
	if err != nil || s.ID != sample().ID || s.State != table.Established || s.Start.Before(before.Add(-time.Second)) || s.Start.After(time.Now().Add(time.Second)) {
		t.Errorf("Get = %+v, %v", s, err)
	}
	l.add(c, specs(1, 12)...)
	l.add(c, mirrored(100))
	var paged []uint64
	for number := uint32(1); ; number++ {
		page, _, err := c.All(l.context(), table.Page{Size: 5, Number: number})
		if err != nil || len(page) > 5 {
			t.Fatalf("page %d = %v, %v", number, ids(page), err)
		}
		if len(page) == 0 {
			break
		}
		paged = append(paged, ids(page)...)
	}
	if want := []uint64{sample().ID, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 100}; !slices.Equal(paged, want) {
		t.Errorf("pages of 5 are %v, want %v", paged, want)
	}
	if _, err := c.Delete(l.context(), 12333333); !errors.Is(err, table.ErrUnknown) {
		t.Errorf("Delete of what is not there = %v", err)
	}
	for _, id := range paged {
		if s, err := c.Delete(l.context(), id); err != nil || s.ID != id || s.State != table.Closing1 {
			t.Errorf("Delete = %+v, %v", s, err)
		}
	}
	if closed := l.closed(l.context(), c); len(closed) != 0 {
		t.Errorf("closed are %+v", closed)
	}
}

func runSequence(t *testing.T, names ...string) {
	l := boot(t)
	for _, f := range l.later() {
		if slices.Contains(names, f.name) {
			t.Run(f.name, func(t *testing.T) { sequence(t, l, f.client) })
		}
	}
}

// TestA04 is the first official dialect.
func TestA04OpenOffloadV1(t *testing.T) { runSequence(t, "openoffload.v1") }

// TestA05 are its other names.
func TestA05Aliases(t *testing.T) { runSequence(t, "openoffload.v1beta1", "openoffload.v1_1") }

// TestA06 is its successor, and the successor's method names under the old name of the package.
func TestA06SuccessorAndItsNames(t *testing.T) {
	runSequence(t, "openoffload.v2")
	l := boot(t)
	for _, d := range []dialect.Dialect{
		{Service: v1.SessionTable_ServiceDesc.ServiceName, Pascal: true}, {Service: v1.SessionTable_ServiceDesc.ServiceName, Camel: true},
	} {
		sequence(t, l, client.Later(l.dial(l.plain, nil), d, dialect.Pton))
	}
}

// TestA07 is one table behind all dialects. Each is spoken with the messages that are generated for it.
func TestA07OneTable(t *testing.T) {
	l := boot(t)
	plain := l.dial(l.plain, nil)
	stream, err := v1.NewSessionTableClient(plain).AddSession(l.context())
	if err != nil {
		t.Fatal(err)
	}
	six := &v1.SessionRequest{
		SessionId: 7, InLif: 1, OutLif: 2, IpVersion: v1.IP_VERSION__IPV6, SourceIpV6: make([]byte, 16), SourcePort: 9,
		DestinationIpV6: bytes.Repeat([]byte{1}, 16), DestinationPort: 80, ProtocolId: v1.PROTOCOL_ID__UDP,
		Action: &v1.ActionParameters{ActionType: v1.ACTION_TYPE__SNOOP, ActionNextHopV6: bytes.Repeat([]byte{2}, 16)}, CacheTimeout: 9,
	}
	if err := stream.Send(six); err != nil {
		t.Fatal(err)
	}
	if answer, err := stream.CloseAndRecv(); err != nil || len(answer.GetResponseError()) > 0 {
		t.Fatal(answer, err)
	}
	if s, err := v2.NewSessionTableClient(plain).GetSession(l.context(), &v2.SessionId{SessionId: 7}); err != nil || s.GetSessionId() != 7 || s.GetStartTime() == nil {
		t.Errorf("v2: %v, %v", s, err)
	}
	if all, err := v1beta1.NewSessionTableClient(plain).GetAllSessions(l.context(), &v1beta1.SessionRequestArgs{}); err != nil || len(all.GetSessionInfo()) != 1 {
		t.Errorf("v1beta1: %v, %v", all, err)
	}
	if all, _, err := l.early().All(l.context(), table.Page{}); err != nil || len(all) != 1 || all[0].ID != 7 {
		t.Errorf("2020: %+v, %v", all, err)
	}
	if s, err := v11.NewSessionTableClient(l.dial(l.stats, trusting(t, l.folder))).DeleteSession(l.context(), &v11.SessionId{SessionId: 7}); err != nil || s.GetSessionState() != v11.SESSION_STATE__CLOSING_1 {
		t.Errorf("v1_1: %v, %v", s, err)
	}
	if _, err := l.v1().Get(l.context(), 7); !errors.Is(err, table.ErrUnknown) {
		t.Errorf("v1 after that: %v", err)
	}
}

// TestA08 is TLS: who has the gateway's certificate comes in, and who has another one does not.
func TestA08TLS(t *testing.T) {
	l, other := boot(t), boot(t)
	if _, _, err := l.v1().All(l.context(), table.Page{}); err != nil {
		t.Error(err)
	}
	wrong := client.Later(l.dial(l.secure, trusting(t, other.folder)), dialect.Dialects()[0], dialect.Pton)
	if _, _, err := wrong.All(l.context(), table.Page{}); status.Code(err) != codes.Unavailable {
		t.Errorf("with another certificate: %v", err)
	}
	plain := client.Later(l.dial(l.secure, nil), dialect.Dialects()[0], dialect.Pton)
	if _, _, err := plain.All(l.context(), table.Page{}); status.Code(err) != codes.Unavailable {
		t.Errorf("without TLS: %v", err)
	}
	given := boot(t, "--tls-cert="+other.folder+"/server.crt", "--tls-key="+other.folder+"/server.key")
	own := client.Later(given.dial(given.secure, trusting(t, other.folder)), dialect.Dialects()[0], dialect.Pton)
	if _, _, err := own.All(l.context(), table.Page{}); err != nil {
		t.Errorf("with a certificate that was given: %v", err)
	}
}

// TestA09 is the listener without TLS, which is off unless it is asked for.
func TestA09PlainText(t *testing.T) {
	l := boot(t, "--plaintext-listen=")
	if l.plain != `""` {
		t.Errorf("it listens at %q without being asked", l.plain)
	}
	l = boot(t)
	if _, _, err := client.Later(l.dial(l.plain, nil), dialect.Dialects()[0], dialect.Pton).All(l.context(), table.Page{}); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(l.plain, "127.0.0.1:") {
		t.Errorf("it listens at %s", l.plain)
	}
}

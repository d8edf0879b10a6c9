package dialect

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/gateway"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v2020 "github.com/genode-operator/genode-operator/internal/gateway/proto/sessions/v1"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// TestTheLaterFamilyIsOneOnTheWire is why one set of messages does for all of them.
func TestTheLaterFamilyIsOneOnTheWire(t *testing.T) {
	for _, d := range Dialects() {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(d.Service))
		if err != nil {
			t.Fatal(err)
		}
		service := found.(protoreflect.ServiceDescriptor)
		ours := v11.File_openoffload_v1_1_openoffload_proto.Services().Get(0).Methods()
		methods := 0
		for i := range ours.Len() {
			want := ours.Get(i)
			for _, name := range d.Methods(string(want.Name())) {
				got := service.Methods().ByName(protoreflect.Name(name))
				if got == nil {
					if d.Camel && d.Pascal {
						continue // the second set of names is in no file
					}
					t.Fatalf("%s has no method %s", d.Service, name)
				}
				methods++
				if got.IsStreamingClient() != want.IsStreamingClient() || got.IsStreamingServer() != want.IsStreamingServer() {
					t.Errorf("%s is no stream of the same kind", got.FullName())
				}
				same(t, want.Input(), got.Input(), d.Shutdown)
				same(t, want.Output(), got.Output(), d.Shutdown)
			}
		}
		if methods != service.Methods().Len() {
			t.Errorf("%s has %d methods, of which %d are served", d.Service, service.Methods().Len(), methods)
		}
	}
}

// same compares messages by what is on the wire.
func same(t *testing.T, want, got protoreflect.MessageDescriptor, whole bool) {
	t.Helper()
	if want.ParentFile().Package() != v11.File_openoffload_v1_1_openoffload_proto.Package() {
		if want != got {
			t.Errorf("%s is not %s", got.FullName(), want.FullName())
		}
		return
	}
	for i := range want.Fields().Len() {
		w := want.Fields().Get(i)
		g := got.Fields().ByNumber(w.Number())
		switch {
		case g == nil && w.Name() == "parentTunnelType" && !whole:
		case g == nil || g.Kind() != w.Kind() || g.Cardinality() != w.Cardinality():
			t.Errorf("%s: field %d is not %s %s", got.FullName(), w.Number(), w.Kind(), w.Name())
		case w.Message() != nil:
			same(t, w.Message(), g.Message(), whole)
		case w.Enum() != nil && g.Enum().Values().Len() != w.Enum().Values().Len():
			t.Errorf("%s has other values than %s", g.Enum().FullName(), w.Enum().FullName())
		}
	}
	if missing := got.Fields().Len() - want.Fields().Len(); missing > 0 {
		t.Errorf("%s has %d fields that %s has not", got.FullName(), missing, want.FullName())
	}
}

// drawSpec is a session that every dialect has words for.
func drawSpec(t *rapid.T) table.Spec {
	addr := func(name string, six bool) netip.Addr {
		if six {
			b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)
			return netip.AddrFrom16([16]byte(b))
		}
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)))
	}
	six := rapid.Bool().Draw(t, "six")
	s := table.Spec{
		ID: rapid.Uint64().Draw(t, "id"), Action: table.Action(rapid.IntRange(0, 3).Draw(t, "action")),
		IdleTimeout: time.Duration(rapid.Uint32().Draw(t, "timeout")) * time.Second,
		Tuple: table.Tuple{
			InLif: fmt.Sprint(rapid.Int32().Draw(t, "in")), OutLif: fmt.Sprint(rapid.Int32().Draw(t, "out")),
			Protocol:    rapid.SampledFrom([]uint8{table.TCP, table.UDP}).Draw(t, "protocol"),
			Source:      netip.AddrPortFrom(addr("source", six), rapid.Uint16().Draw(t, "source port")),
			Destination: netip.AddrPortFrom(addr("destination", six), rapid.Uint16().Draw(t, "destination port")),
		},
	}
	if s.Action.Copies() {
		s.NextHop = addr("next hop", rapid.Bool().Draw(t, "six hop"))
	}
	return s
}

func TestRequestsArriveAsTheyWereMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawSpec(t)
		order := Order(rapid.Bool().Draw(t, "order"))
		m, err := ToV1Request(&want, order)
		if err != nil {
			t.Fatal(err)
		}
		if got := FromV1(m, order); got.Err != nil || got.Number || got.Spec != want {
			t.Fatalf("from v1: %+v, want %+v", got, want)
		}
		want.ID, want.IdleTimeout = 0, 0
		if got := From2020(To2020Request(&want)); got.Err != nil || !got.Number || got.Spec != want {
			t.Fatalf("from 2020: %+v, want %+v", got, want)
		}
	})
}

func TestAnswersArriveAsTheyWereMeant(t *testing.T) {
	want := table.Session{
		Spec: table.Spec{ID: math.MaxUint64}, State: table.Closed, Code: table.Reset,
		In: table.Counters{Packets: 1, Bytes: 2}, Out: table.Counters{Packets: 3, Bytes: 4},
		Start: time.Date(2026, 11, 23, 1, 2, 3, 4, time.UTC), End: time.Date(2026, 11, 23, 5, 6, 7, 8, time.UTC),
	}
	equal := cmpopts.EquateComparable(table.Spec{})
	if diff := cmp.Diff(want, SessionFromV1(ToV1(&want)), equal); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, SessionFrom2020(To2020(&want)), equal); diff != "" {
		t.Error(diff)
	}
	want.State, want.Code, want.End = table.UnknownState, table.UnknownCode, time.Time{}
	if diff := cmp.Diff(want, SessionFromV1(ToV1(&want)), equal); diff != "" {
		t.Error(diff)
	}
	want.State, want.Code = table.Closed, table.NotClosed
	if diff := cmp.Diff(want, SessionFrom2020(To2020(&want)), equal); diff != "" {
		t.Error(diff)
	}
}

// TestA12 is the order of bytes in an IPv4 address.
func TestA12OrderOfBytes(t *testing.T) {
	for order, n := range map[Order]uint32{Pton: 0x0100000a, Host: 0x0a000001} {
		r := FromV1(&v11.SessionRequest{SourceIp: n}, order)
		if got := r.Tuple.Source.Addr(); got != netip.MustParseAddr("10.0.0.1") {
			t.Errorf("order %v: %#x is %s", order, n, got)
		}
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	good := func() *v11.SessionRequest {
		return &v11.SessionRequest{SourceIp: 1, DestinationIp: 2, ProtocolId: 6, Action: &v11.ActionParameters{ActionType: 1}}
	}
	for names, change := range map[string]func(*v11.SessionRequest){
		"sourcePort 65536":       func(m *v11.SessionRequest) { m.SourcePort = 65536 },
		"destinationPort 99999":  func(m *v11.SessionRequest) { m.DestinationPort = 99999 },
		"ipVersion 2":            func(m *v11.SessionRequest) { m.IpVersion = 2 },
		"ipVersion -1":           func(m *v11.SessionRequest) { m.IpVersion = -1 },
		"protocolId 262":         func(m *v11.SessionRequest) { m.ProtocolId = 262 },
		"actionType 257":         func(m *v11.SessionRequest) { m.Action.ActionType = 257 },
		"source address":         func(m *v11.SessionRequest) { m.IpVersion, m.SourceIpV6 = 1, make([]byte, 15) },
		"the destination":        func(m *v11.SessionRequest) { m.IpVersion, m.SourceIpV6 = 1, make([]byte, 16) },
		"parentTunnelType 1":     func(m *v11.SessionRequest) { m.ParentTunnelType = 1 },
		"four bytes are no IPv6": func(m *v11.SessionRequest) { m.IpVersion, m.SourceIpV6 = 1, make([]byte, 4) },
	} {
		m := good()
		change(m)
		err := FromV1(m, Pton).Err
		if !errors.Is(err, table.ErrInvalid) || !strings.Contains(names, "four") && !strings.Contains(err.Error(), names) {
			t.Errorf("%s: %v", names, err)
		}
	}
	if err := FromV1(good(), Pton).Err; err != nil {
		t.Errorf("what makes sense: %v", err)
	}
	if err := From2020(&v2020.SessionRequest{}).Err; !errors.Is(err, table.ErrInvalid) {
		t.Errorf("an empty request of 2020: %v", err)
	}
}

func TestNextHops(t *testing.T) {
	mirror := &v11.ActionParameters{ActionType: 2, ActionNextHop: Pton.number(netip.MustParseAddr("12.2.3.4"))}
	m := &v11.SessionRequest{Action: mirror}
	if hop := FromV1(m, Pton).NextHop; hop != netip.MustParseAddr("12.2.3.4") {
		t.Errorf("next hop %s", hop)
	}
	mirror.ActionNextHopV6 = netip.MustParseAddr("fd00::1").AsSlice()
	if hop := FromV1(m, Pton).NextHop; hop != netip.MustParseAddr("fd00::1") {
		t.Errorf("next hop %s", hop)
	}
	mirror.ActionType = 1
	if hop := FromV1(m, Pton).NextHop; hop.IsValid() {
		t.Errorf("a next hop %s of what is only forwarded", hop)
	}
	for text, want := range map[string]netip.Addr{"12.2.3.4": netip.MustParseAddr("12.2.3.4"), "x": {}, "": {}, "fe80::1%eth0": {}} {
		m := &v2020.SessionRequest{SourceIp: make([]byte, 4), DestinationIp: make([]byte, 4), Action: &v2020.ActionType{ActionType: 3, ActionNextHop: text}}
		if hop := From2020(m).NextHop; hop != want {
			t.Errorf("next hop %q is %s, want %s", text, hop, want)
		}
	}
}

func TestStatuses(t *testing.T) {
	for _, tc := range []struct {
		err      error
		add      int32
		one      int32
		sessions int32
	}{
		{nil, 0, 0, 0},
		{wrong("x"), 1, 1, 1},
		{fmt.Errorf("%w: 19", table.ErrFull), 2, 1, 3},
		{fmt.Errorf("%w: gone", gateway.ErrUnavailable), 3, 6, 1},
		{&table.DuplicateError{}, 4, 1, 4},
		{fmt.Errorf("%w: 7", table.ErrUnknown), 1, 2, 2},
	} {
		got := []int32{int32(AddStatus(tc.err)), int32(RequestStatus(tc.err)), int32(RequestStatus2020(tc.err))}
		if diff := cmp.Diff([]int32{tc.add, tc.one, tc.sessions}, got); diff != "" {
			t.Errorf("%v: %s", tc.err, diff)
		}
	}
}

func TestBatch(t *testing.T) {
	results := make([]gateway.Result, 70)
	for _, i := range []int{1, 2, 63, 64} {
		results[i] = gateway.Result{ID: uint64(i), Err: table.ErrFull}
	}
	want := &v11.AddSessionResponse{}
	for _, id := range []uint64{1, 2, 63, 64} {
		want.ResponseError = append(want.ResponseError, &v11.SessionResponseError{SessionId: id, ErrorStatus: 2})
	}
	if diff := cmp.Diff(want, Batch(results, false), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	want.RequestStatus, want.ErrorStatus = 1, 1<<1|1<<2|1<<63
	if diff := cmp.Diff(want, Batch(results, true), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&v11.AddSessionResponse{}, Batch(nil, true), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestAClientSaysWhatADialectHasNoWordsFor(t *testing.T) {
	four, six := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("[fd00::1]:1")
	for _, tuple := range []table.Tuple{
		{InLif: "ge0/0/1", Source: four, Destination: four}, {OutLif: "ge0/0/1", Source: four, Destination: four}, {Source: four, Destination: six},
	} {
		if m, err := ToV1Request(&table.Spec{Tuple: tuple}, Pton); err == nil {
			t.Errorf("%+v became %v", tuple, m)
		}
	}
}

// FuzzRequests takes any bytes as a request of either family. What is understood can be put into a table or is refused.
func FuzzRequests(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte{0x08, 1, 0x10, 1, 0x18, 2, 0x28, 3, 0x40, 4, 0x58, 6, 0x62, 2, 8, 1}, true)
	f.Fuzz(func(t *testing.T, b []byte, host bool) {
		var later v11.SessionRequest
		var early v2020.SessionRequest
		var understood []gateway.Request
		if proto.Unmarshal(b, &later) == nil {
			understood = append(understood, FromV1(&later, Order(host)))
		}
		if proto.Unmarshal(b, &early) == nil {
			understood = append(understood, From2020(&early))
		}
		for _, r := range understood {
			if r.Err != nil && !errors.Is(r.Err, table.ErrInvalid) {
				t.Fatalf("%v is not ErrInvalid", r.Err)
			}
			if r.Err != nil {
				continue
			}
			if err := table.New(table.Options{}).Add(time.Unix(0, 0), r.Spec); err != nil && !errors.Is(err, table.ErrInvalid) {
				t.Fatal(err)
			}
		}
	})
}

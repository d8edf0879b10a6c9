package table

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
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// after is so many seconds after the epoch of these tests.
func after(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second)))
}

// spec is a session that differs from those with other ids in its source port, and in its address beyond 65536.
func spec(id uint64) Spec {
	source := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(id >> 24), byte(id >> 16)}), uint16(id))
	return Spec{ID: id, Action: Forward, Tuple: Tuple{
		InLif: "1", OutLif: "2", Protocol: TCP, Source: source, Destination: netip.MustParseAddrPort("10.0.2.15:3001"),
	}}
}

// filled is a table with these sessions.
func filled(t testing.TB, o Options, ids ...uint64) *Table {
	t.Helper()
	table := New(o)
	for _, id := range ids {
		if err := table.Add(epoch, spec(id)); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func ids(sessions []Session) (all []uint64) {
	for _, s := range sessions {
		all = append(all, s.ID)
	}
	return all
}

func TestAddRefuses(t *testing.T) {
	cases := map[string]struct {
		change func(*Spec)
		names  string
	}{
		"another protocol":              {func(s *Spec) { s.Tuple.Protocol = 1 }, "protocolId 1"},
		"no source":                     {func(s *Spec) { s.Tuple.Source = netip.AddrPort{} }, "sourceIp"},
		"no destination":                {func(s *Spec) { s.Tuple.Destination = netip.AddrPort{} }, "destinationIp"},
		"a zone":                        {func(s *Spec) { s.Tuple.Source = netip.MustParseAddrPort("[fe80::1%eth0]:1") }, "sourceIp"},
		"two families":                  {func(s *Spec) { s.Tuple.Source = netip.MustParseAddrPort("[fd00::1]:1") }, "both IPv6"},
		"an action that there is not":   {func(s *Spec) { s.Action = 4 }, "actionType 4"},
		"a mirror without a next hop":   {func(s *Spec) { s.Action = Mirror }, "actionNextHop"},
		"copies to nowhere":             {func(s *Spec) { s.Action, s.NextHop = Snoop, netip.IPv4Unspecified() }, "actionNextHop"},
		"a long name of an interface":   {func(s *Spec) { s.Tuple.OutLif = strings.Repeat("x", maxLif+1) }, "outLif"},
		"an idle time-out in the past":  {func(s *Spec) { s.IdleTimeout = -1 }, "cacheTimeout"},
		"nothing at all, an empty spec": {func(s *Spec) { *s = Spec{} }, "protocolId 0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := spec(1)
			tc.change(&s)
			err := New(Options{}).Add(epoch, s)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tc.names) {
				t.Errorf("Add = %v, want ErrInvalid that names %s", err, tc.names)
			}
		})
	}
}

func TestAddTakesANextHopThatIsOfNoUse(t *testing.T) {
	s := spec(1)
	s.NextHop = netip.MustParseAddr("12.2.3.4")
	if err := New(Options{}).Add(epoch, s); err != nil {
		t.Error(err)
	}
}

func TestDuplicates(t *testing.T) {
	sameID, sameTuple, otherLif := spec(2), spec(1), spec(1)
	sameID.ID, sameTuple.ID, otherLif.ID = 1, 3, 4
	otherLif.Tuple.InLif = "7"
	for name, tc := range map[string]struct {
		options Options
		spec    Spec
		want    *DuplicateError
	}{
		"id":                            {Options{}, sameID, &DuplicateError{Existing: 1}},
		"tuple":                         {Options{}, sameTuple, &DuplicateError{Existing: 1, Tuple: true}},
		"interfaces belong to a tuple":  {Options{}, otherLif, nil},
		"tuples that may repeat":        {Options{SameTuple: true}, sameTuple, nil},
		"ids that may not in any event": {Options{SameTuple: true}, sameID, &DuplicateError{Existing: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			err := filled(t, tc.options, 1).Add(epoch, tc.spec)
			got, _ := errors.AsType[*DuplicateError](err)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Add = %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestIPv6SessionsThatDifferInAnAddressOnly(t *testing.T) {
	table := New(Options{})
	for i := range 2 {
		s := spec(uint64(i))
		s.Tuple.Source = netip.MustParseAddrPort(fmt.Sprintf("[fd00::%d]:5", i))
		s.Tuple.Destination = netip.MustParseAddrPort("[fd00::ff]:3001")
		if err := table.Add(epoch, s); err != nil {
			t.Error(err)
		}
	}
}

func TestAddAll(t *testing.T) {
	bad := spec(9)
	bad.Tuple.Protocol = 99
	for name, tc := range map[string]struct {
		specs []Spec
		want  []error
	}{
		"all fit":               {[]Spec{spec(2), spec(3)}, []error{nil, nil}},
		"one too many":          {[]Spec{spec(2), spec(3), spec(4)}, []error{ErrFull, ErrFull, ErrFull}},
		"one that is no use":    {[]Spec{spec(2), bad}, []error{ErrInvalid, ErrInvalid}},
		"a repeat in the batch": {[]Spec{spec(2), spec(2)}, []error{ErrInvalid, &DuplicateError{Existing: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			table := filled(t, Options{Capacity: 3}, 1)
			stored := 1
			for i, err := range table.AddAll(epoch, tc.specs) {
				if duplicate, ok := errors.AsType[*DuplicateError](tc.want[i]); ok {
					if got, _ := errors.AsType[*DuplicateError](err); got == nil || *got != *duplicate {
						t.Errorf("session %d: %v, want %v", i, err, tc.want[i])
					}
				} else if !errors.Is(err, tc.want[i]) {
					t.Errorf("session %d: %v, want %v", i, err, tc.want[i])
				}
				if err == nil {
					stored++
				}
			}
			if table.Len() != stored {
				t.Errorf("the table has %d sessions, want %d", table.Len(), stored)
			}
		})
	}
}

func TestObserve(t *testing.T) {
	table := filled(t, Options{}, 1)
	for i, step := range []struct {
		report Report
		want   Session
	}{
		{Report{In: Counters{1, 60}, Last: after(1)}, Session{In: Counters{1, 60}, Last: after(1)}},
		{Report{In: Counters{3, 180}, Out: Counters{2, 120}, Last: after(2), State: Closing1, Start: after(0.5)},
			Session{In: Counters{3, 180}, Out: Counters{2, 120}, Start: after(0.5), Last: after(2), State: Closing1}},
		{Report{In: Counters{2, 120}, Last: after(1)}, // late
			Session{In: Counters{3, 180}, Out: Counters{2, 120}, Start: after(0.5), Last: after(2), State: Closing1}},
		{Report{State: Closed, Code: FinAck, In: Counters{4, 240}, Out: Counters{4, 240}, Last: after(3)},
			Session{In: Counters{4, 240}, Out: Counters{4, 240}, Start: after(0.5), Last: after(3), State: Closed, Code: FinAck, End: after(9)}},
		{Report{State: Closed, Code: Reset, In: Counters{9, 9}}, // twice
			Session{In: Counters{4, 240}, Out: Counters{4, 240}, Start: after(0.5), Last: after(3), State: Closed, Code: FinAck, End: after(9)}},
	} {
		step.report.ID = 1
		table.Observe(after(9), step.report)
		if step.want.Start.IsZero() {
			step.want.Start = epoch
		}
		got, err := table.Get(1)
		got.Spec = Spec{}
		if diff := cmp.Diff(step.want, got, cmpopts.EquateComparable(Spec{})); err != nil || diff != "" {
			t.Errorf("after report %d (%v; -want +got):\n%s", i, err, diff)
		}
	}
	if table.Observe(epoch, Report{ID: 5, State: Closed}) {
		t.Error("a session that nobody has added was closed")
	}
}

func TestDeleteReports(t *testing.T) {
	table := filled(t, Options{}, 1, 2)
	s, err := table.Delete(after(5), Report{ID: 1, In: Counters{7, 700}})
	if err != nil || s.State != Closing1 || s.Code != NotClosed || s.In != (Counters{7, 700}) || !s.Start.Equal(epoch) || !s.End.Equal(after(5)) {
		t.Errorf("Delete = %+v, %v", s, err)
	}
	table.Observe(after(1), Report{ID: 2, State: Closed, Code: Reset})
	if s, err = table.Delete(after(5), Report{ID: 2}); err != nil || s.State != Closed || s.Code != Reset || !s.End.Equal(after(1)) {
		t.Errorf("Delete of a closed session = %+v, %v", s, err)
	}
	if left := table.Take(0); len(left) != 0 {
		t.Errorf("reported again: %+v", left)
	}
	if _, err := table.Delete(after(5), Report{ID: 1}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a second Delete = %v", err)
	}
}

func TestIdle(t *testing.T) {
	table := New(Options{IdleTimeout: 10 * time.Second, MaxIdleTimeout: 20 * time.Second})
	for id, timeout := range []time.Duration{0, 3 * time.Second, time.Hour, 3 * time.Second} {
		s := spec(uint64(id))
		s.IdleTimeout = timeout
		if err := table.Add(epoch, s); err != nil {
			t.Fatal(err)
		}
	}
	table.Observe(after(2), Report{ID: 1, Last: after(2)})
	for _, step := range []struct {
		at   float64
		want []uint64
	}{{2.999, nil}, {3, []uint64{3}}, {4.999, []uint64{3}}, {5, []uint64{1, 3}}, {10, []uint64{0, 1, 3}}, {20, []uint64{0, 1, 2, 3}}} {
		if diff := cmp.Diff(step.want, table.Due(after(step.at))); diff != "" {
			t.Errorf("due after %v s (-want +got):\n%s", step.at, diff)
		}
	}
}

func TestExpire(t *testing.T) {
	for name, tc := range map[string]struct {
		seen, last Report
		code       CloseCode
		end        time.Time
	}{
		"never used":                   {Report{}, Report{}, Timeout, epoch.Add(DefaultIdleTimeout)},
		"silent since":                 {Report{Last: after(8)}, Report{}, Timeout, after(8).Add(DefaultIdleTimeout)},
		"half closed":                  {Report{State: Closing1}, Report{}, FinAck, epoch.Add(DefaultIdleTimeout)},
		"closed meanwhile":             {Report{}, Report{State: Closed, Code: Reset, End: after(4000)}, Reset, after(4000)},
		"a packet came at the last":    {Report{}, Report{Last: after(4000)}, Timeout, after(4000)},
		"closed without saying when":   {Report{}, Report{State: Closed, Code: FinAck}, FinAck, epoch.Add(DefaultIdleTimeout)},
		"nobody knows what has become": {Report{}, Report{State: UnknownState, Code: UnknownCode}, UnknownCode, epoch.Add(DefaultIdleTimeout)},
	} {
		t.Run(name, func(t *testing.T) {
			table := filled(t, Options{}, 0)
			table.Observe(epoch, tc.seen)
			table.Expire(tc.last)
			all := table.Take(0)
			if len(all) != 1 || all[0].Code != tc.code || !all[0].End.Equal(tc.end) || table.Len() != 0 {
				t.Errorf("closed are %+v", all)
			}
			table.Expire(tc.last) // of one that is gone
		})
	}
}

func TestPages(t *testing.T) {
	table := New(Options{})
	for id := uint64(19); id > 0; id-- {
		if err := table.Add(epoch, spec(id)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		page Page
		want []uint64
	}{
		{Page{Size: 5, Number: 2}, []uint64{14, 13, 12, 11, 10}},
		{Page{Size: 5, Number: 4}, []uint64{4, 3, 2, 1}},
		{Page{Size: 5, Number: 9}, nil},
		{Page{Size: math.MaxUint32, Number: math.MaxUint32}, nil},
		{Page{Size: 3, After: 7}, []uint64{8, 9, 10}},
		{Page{After: 17}, []uint64{18, 19}},
		{Page{Size: 2, After: FromStart}, []uint64{1, 2}},
	} {
		page, _ := table.List(tc.page)
		if diff := cmp.Diff(tc.want, ids(page)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.page, diff)
		}
	}
	if all, _ := table.List(Page{}); len(all) != 19 || all[0].ID != 19 {
		t.Errorf("all sessions: %v", ids(all))
	}
}

func TestTakeInPortions(t *testing.T) {
	table := filled(t, Options{Unreported: 4}, 1, 2, 3, 4, 5, 6)
	for id := uint64(1); id <= 6; id++ {
		table.Observe(epoch, Report{ID: id, State: Closed, Code: FinAck})
	}
	if waiting, forgotten := table.Unreported(); waiting != 4 || forgotten != 2 {
		t.Errorf("%d wait and %d are forgotten, want 4 and 2", waiting, forgotten)
	}
	taken := table.Take(3)
	if diff := cmp.Diff([]uint64{3, 4, 5}, ids(taken)); diff != "" {
		t.Error(diff)
	}
	table.Return(taken[1:])
	if s, err := table.Get(5); err != nil || s.Code != FinAck {
		t.Errorf("what was given back cannot be asked for: %v", err)
	}
	if diff := cmp.Diff([]uint64{4, 5, 6}, ids(table.Take(0))); diff != "" {
		t.Error(diff)
	}
	if _, err := table.Get(5); !errors.Is(err, ErrUnknown) {
		t.Errorf("a reported session is still known: %v", err)
	}
}

func TestFreeIDs(t *testing.T) {
	table := New(Options{})
	first := table.FreeID()
	if first < firstOwnID {
		t.Errorf("%d is in the range of clients", first)
	}
	if err := table.Add(epoch, spec(first+1)); err != nil {
		t.Fatal(err)
	}
	if second := table.FreeID(); second != first+2 {
		t.Errorf("%d, want %d", second, first+2)
	}
	table.lastID = math.MaxUint64
	if id := table.FreeID(); id < firstOwnID || id == first+1 {
		t.Errorf("%d after the last one", id)
	}
}

package gateway

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// faulty is a backend that counts what it is told to count, and fails when it is told to fail.
type faulty struct {
	mu      sync.Mutex
	handled map[uint64]table.Report
	most    int // so many sessions can be handled; -1: any number
	refuse  map[uint64]error
	broken  error // of Delete and Read
	report  func([]table.Report)
	running chan struct{}
	adds    []int // sizes of the batches
}

func newFaulty() *faulty {
	return &faulty{handled: map[uint64]table.Report{}, most: -1, refuse: map[uint64]error{}, running: make(chan struct{})}
}

func (f *faulty) Features() Features {
	return Features{Name: "faulty", Actions: []table.Action{table.Drop, table.Forward}}
}

var errBroken = errors.New("the table is gone")

func (f *faulty) Add(_ context.Context, sessions []table.Spec) []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.adds = append(f.adds, len(sessions))
	errs := make([]error, len(sessions))
	for i, s := range sessions {
		if errs[i] = f.refuse[s.ID]; errs[i] != nil {
			continue
		}
		if f.most >= 0 && len(f.handled) >= f.most {
			errs[i] = errBroken
			continue
		}
		f.handled[s.ID] = table.Report{ID: s.ID}
	}
	return errs
}

func (f *faulty) Delete(_ context.Context, ids []uint64) (last []table.Report, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	for _, id := range ids {
		if r, known := f.handled[id]; known {
			last = append(last, r)
			delete(f.handled, id)
		}
	}
	return last, nil
}

func (f *faulty) Read(_ context.Context, ids []uint64) (news []table.Report, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		if r, known := f.handled[id]; known {
			news = append(news, r)
		}
	}
	return news, f.broken
}

func (f *faulty) Run(ctx context.Context, report func([]table.Report)) error {
	f.report = report
	close(f.running)
	<-ctx.Done()
	return nil
}

// breaks makes Delete and Read fail, or work again with nil.
func (f *faulty) breaks(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = err
}

// sees is traffic of a session.
func (f *faulty) sees(r table.Report) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handled[r.ID] = r
}

func (f *faulty) sessions() (ids []uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.handled {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// start runs a gateway with a clock that stands still.
func start(t *testing.T, b *faulty, o table.Options) (*Gateway, *clocktesting.FakeClock) {
	t.Helper()
	fake := clocktesting.NewFakeClock(epoch)
	g := New(Config{Backend: b, Table: o, Clock: fake, Log: testr.New(t)})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	<-b.running
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return g, fake
}

func request(id uint64) Request {
	source := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(id >> 24), byte(id >> 16)}), uint16(id))
	return Request{Spec: table.Spec{ID: id, Action: table.Forward, Tuple: table.Tuple{
		Protocol: table.TCP, Source: source, Destination: netip.MustParseAddrPort("10.0.2.15:3001"),
	}}}
}

func requests(ids ...uint64) (all []Request) {
	for _, id := range ids {
		all = append(all, request(id))
	}
	return all
}

// add adds sessions and returns their errors.
func add(t *testing.T, g *Gateway, atomic bool, requests ...Request) (errs []error) {
	t.Helper()
	results, err := g.Add(t.Context(), requests, atomic)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		errs = append(errs, r.Err)
	}
	return errs
}

// TestA19 is a backend that fails: the sessions are reported as such, and not stored.
func TestA19ABackendThatFails(t *testing.T) {
	b := newFaulty()
	b.most = 1
	g, _ := start(t, b, table.Options{})
	errs := add(t, g, false, requests(1, 2, 3)...)
	if errs[0] != nil || !errors.Is(errs[1], ErrUnavailable) || !errors.Is(errs[2], ErrUnavailable) || !errors.Is(errs[2], errBroken) {
		t.Errorf("Add = %v", errs)
	}
	if page, _ := g.List(t.Context(), table.Page{}); len(page) != 1 || page[0].ID != 1 {
		t.Errorf("stored are %+v, want session 1 alone", page)
	}
	b.most = -1
	if errs := add(t, g, false, requests(2, 3)...); errors.Join(errs...) != nil {
		t.Errorf("Add of a backend that is back = %v", errs)
	}
}

func TestAtomicBatchesLeaveNothingBehind(t *testing.T) {
	refused := map[uint64]error{3: errors.Join(table.ErrInvalid, errors.New("not a session of this target"))}
	bad := request(9)
	bad.Err = table.ErrInvalid
	for name, tc := range map[string]struct {
		prepare  func(*faulty)
		requests []Request
		want     []error
	}{
		"the backend breaks down":      {func(b *faulty) { b.most = 1 }, requests(1, 2, 3), []error{ErrUnavailable, ErrUnavailable, ErrUnavailable}},
		"the backend refuses one":      {func(b *faulty) { b.refuse = refused }, requests(1, 2, 3), []error{ErrUnavailable, ErrUnavailable, table.ErrInvalid}},
		"one could not be understood":  {func(*faulty) {}, append(requests(1), bad), []error{table.ErrInvalid, table.ErrInvalid}},
		"there is not room for all":    {func(*faulty) {}, requests(1, 2, 3, 4, 5), []error{table.ErrFull, table.ErrFull, table.ErrFull, table.ErrFull, table.ErrFull}},
		"more than a portion, no room": {func(*faulty) {}, make([]Request, 2*portion), slices.Repeat([]error{table.ErrInvalid}, 2*portion)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFaulty()
			tc.prepare(b)
			g, _ := start(t, b, table.Options{Capacity: 4})
			for i, err := range add(t, g, true, tc.requests...) {
				if !errors.Is(err, tc.want[i]) {
					t.Errorf("session %d: %v, want %v", i, err, tc.want[i])
				}
			}
			if s := g.Status(); s.Open != 0 || len(b.sessions()) != 0 {
				t.Errorf("%d sessions are in the table, and %v in the backend", s.Open, b.sessions())
			}
		})
	}
}

func TestAddToldInPortions(t *testing.T) {
	b := newFaulty()
	g, _ := start(t, b, table.Options{})
	var ids []uint64
	for id := range uint64(2*portion + 1) {
		ids = append(ids, id)
	}
	if errs := add(t, g, false, requests(ids...)...); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	if !slices.Equal(b.adds, []int{portion, portion, 1}) || !slices.Equal(b.sessions(), ids) {
		t.Errorf("portions of %v, for %v", b.adds, b.sessions())
	}
}

func TestAddRefusesWhatTheBackendDoesNotHave(t *testing.T) {
	g, _ := start(t, newFaulty(), table.Options{})
	mirror, six := request(1), request(2)
	mirror.Action, mirror.NextHop = table.Mirror, netip.MustParseAddr("10.0.0.9")
	six.Tuple.Source, six.Tuple.Destination = netip.MustParseAddrPort("[fd00::1]:1"), netip.MustParseAddrPort("[fd00::2]:2")
	for i, err := range add(t, g, false, mirror, six, Request{}) {
		if !errors.Is(err, table.ErrInvalid) {
			t.Errorf("session %d: %v, want ErrInvalid", i, err)
		}
	}
}

func TestAddGivesNumbers(t *testing.T) {
	g, _ := start(t, newFaulty(), table.Options{})
	one, two := request(1), request(2)
	one.Number, two.Number = true, true
	results, err := g.Add(t.Context(), []Request{one, two}, false)
	if err != nil || results[0].Err != nil || results[1].Err != nil {
		t.Fatal(results, err)
	}
	if results[0].ID == results[1].ID || results[0].ID < 1<<63 || !results[0].Start.Equal(epoch) {
		t.Errorf("%+v", results)
	}
	if _, err := g.Get(t.Context(), results[1].ID); err != nil {
		t.Error(err)
	}
}

func TestCountersAreTheNewest(t *testing.T) {
	b := newFaulty()
	g, _ := start(t, b, table.Options{})
	add(t, g, false, requests(1, 2)...)
	want := table.Counters{Packets: 3, Bytes: 180}
	b.sees(table.Report{ID: 1, In: want})
	if s, err := g.Get(t.Context(), 1); err != nil || s.In != want {
		t.Errorf("Get = %+v, %v", s, err)
	}
	want.Packets++
	b.sees(table.Report{ID: 1, In: want})
	if page, _ := g.List(t.Context(), table.Page{}); page[0].In != want {
		t.Errorf("List = %+v", page)
	}
	b.breaks(errBroken)
	if s, err := g.Get(t.Context(), 1); err != nil || s.In != want {
		t.Errorf("Get with a backend that does not answer = %+v, %v", s, err)
	}
	if _, err := g.Delete(t.Context(), 1); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Delete with such a backend = %v", err)
	}
	b.breaks(nil)
	want.Packets++
	b.sees(table.Report{ID: 1, In: want})
	if s, err := g.Delete(t.Context(), 1); err != nil || s.In != want || s.State != table.Closing1 {
		t.Errorf("Delete = %+v, %v", s, err)
	}
	if _, err := g.Delete(t.Context(), 1); !errors.Is(err, table.ErrUnknown) {
		t.Errorf("Delete of a deleted session = %v", err)
	}
}

func TestClosedSessionsAreToldOnce(t *testing.T) {
	b := newFaulty()
	g, _ := start(t, b, table.Options{})
	add(t, g, false, requests(1, 2)...)
	none, closings := g.Take(0)
	b.report([]table.Report{{ID: 1, State: table.Closed, Code: table.FinAck}, {ID: 2, In: table.Counters{Packets: 1}}})
	<-closings
	one, _ := g.Take(0)
	if len(none) != 0 || len(one) != 1 || one[0].Code != table.FinAck || !one[0].End.Equal(epoch) {
		t.Errorf("Take = %+v, then %+v", none, one)
	}
	again, closings := g.Take(0)
	g.Return(one)
	<-closings
	if back, _ := g.Take(0); len(again) != 0 || len(back) != 1 {
		t.Errorf("Take = %+v, and after Return %+v", again, back)
	}
}

func TestIdleSessionsClose(t *testing.T) {
	b := newFaulty()
	g, fake := start(t, b, table.Options{IdleTimeout: 3 * time.Second})
	add(t, g, false, requests(1, 2)...)
	b.sees(table.Report{ID: 2, Last: epoch.Add(2 * time.Second)}) // the table does not know yet
	await := func(want ...uint64) []table.Session {
		t.Helper()
		for {
			closed, closings := g.Take(0)
			if len(closed) == 0 {
				<-closings
				continue
			}
			if len(closed) != len(want) || closed[0].ID != want[0] {
				t.Fatalf("closed are %+v, want %v", closed, want)
			}
			return closed
		}
	}
	for !fake.HasWaiters() {
		time.Sleep(time.Millisecond)
	}
	b.breaks(errBroken)
	fake.Step(3 * time.Second) // the backend cannot: later
	b.breaks(nil)
	fake.Step(time.Second)
	if s := await(1)[0]; s.Code != table.Timeout || !s.End.Equal(epoch.Add(3*time.Second)) {
		t.Errorf("closed as %+v", s)
	}
	fake.Step(2 * time.Second)
	if s := await(2)[0]; !s.End.Equal(epoch.Add(5 * time.Second)) {
		t.Errorf("closed as %+v", s)
	}
	if left := b.sessions(); len(left) != 0 {
		t.Errorf("the backend still handles %v", left)
	}
}

func TestAChangeWaitsForItsTurnAndGivesUp(t *testing.T) {
	g, _ := start(t, newFaulty(), table.Options{})
	done, err := g.change(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Add(ctx, requests(1), false); !errors.Is(err, context.Canceled) {
		t.Errorf("Add = %v", err)
	}
	if _, err := g.Delete(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete = %v", err)
	}
}

func TestRunEndsWithTheBackend(t *testing.T) {
	g := New(Config{Backend: ended{newFaulty()}, Log: testr.New(t)})
	if err := g.Run(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Run = %v", err)
	}
}

// ended is a backend that ends by itself.
type ended struct{ *faulty }

func (ended) Run(context.Context, func([]table.Report)) error { return errBroken }

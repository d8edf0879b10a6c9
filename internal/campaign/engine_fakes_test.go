package campaign

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbered is a Space whose variant n is one task with priority n.
type numbered struct{}

func (numbered) At(n uint64) ([]taskset.Task, error) {
	return []taskset.Task{{ID: 0, Name: "hello", Pkg: "hey", Priority: uint32(n), NumberOfJobs: 1}}, nil
}
func (numbered) Values(n uint64) string { return fmt.Sprintf(`{"hello.priority":%d}`, n) }

// fakes is a fleet and a session class in one: every target runs a variant at once, unless fault says
// otherwise.
type fakes struct {
	fault    func(target string, variant uint64) error // nil: the variant completes
	gate     chan struct{}                             // when not nil, a variant completes only after a receive from it
	binaries sync.Map                                  // pkg, or target and pkg, to content
	cannot   bool                                      // targets cannot be reset
	deaf     string                                    // a target that accepts connections and never answers

	running, most, stops       atomic.Int32
	resets, connects, standing atomic.Int32
	mu                         sync.Mutex
	order                      []string
}

func (f *fakes) Standing(string) Standing {
	return Standing{Ready: true, Incarnation: 1 + int64(f.standing.Load()), Managed: !f.cannot}
}

func (f *fakes) Reset(_ context.Context, target string, how Reset) error {
	if f.cannot {
		return fmt.Errorf("%s is a board: %w", target, ErrCannotReset)
	}
	f.resets.Add(1)
	f.standing.Add(1)
	return nil
}

// ran are the variants that were started, as target/variant.
func (f *fakes) ran() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.order)
}

func (f *fakes) Available(context.Context, session.Target) error { return nil }
func (f *fakes) Binary(_ context.Context, target, pkg string) ([]byte, error) {
	for _, name := range []string{pkg, target + "/" + pkg} {
		if b, ok := f.binaries.Load(name); ok {
			return b.([]byte), nil
		}
	}
	return nil, ErrNoBinary
}
func (f *fakes) Connect(_ context.Context, t session.Target) (session.Session, error) {
	f.connects.Add(1)
	return &fakeSession{f: f, target: t.Name}, nil
}

type fakeSession struct {
	f       *fakes
	target  string
	variant uint64
	closed  atomic.Bool
}

func (s *fakeSession) Start(_ context.Context, run session.Run) error {
	if s.closed.Load() {
		return session.ErrClosed
	}
	if s.target == s.f.deaf {
		return fmt.Errorf("wait for GO_SEND: %w", session.ErrTimeout)
	}
	s.variant = uint64(run.Tasks[0].Priority)
	s.f.mu.Lock()
	s.f.order = append(s.f.order, fmt.Sprintf("%s/%d", s.target, s.variant))
	s.f.mu.Unlock()
	n := s.f.running.Add(1)
	for m := s.f.most.Load(); n > m && !s.f.most.CompareAndSwap(m, n); m = s.f.most.Load() {
	}
	return nil
}

func (s *fakeSession) Next(ctx context.Context) ([]session.Event, error) {
	defer s.f.running.Add(-1)
	if s.f.fault != nil {
		if err := s.f.fault(s.target, s.variant); err != nil {
			return nil, err
		}
	}
	if s.f.gate != nil {
		select {
		case <-s.f.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return []session.Event{{Type: session.EventStart, Stamp: 1}, {Type: session.EventExit, Stamp: 4}}, nil
}
func (s *fakeSession) Stop(context.Context) ([]session.Event, error) {
	s.f.stops.Add(1)
	return nil, nil
}
func (s *fakeSession) Generation() string              { return "1608b" }
func (s *fakeSession) Traffic() (received, sent int64) { return 0, 0 }
func (s *fakeSession) Close() error                    { s.closed.Store(true); return nil }

// faultyStore fails its first Puts.
type faultyStore struct {
	results.Store
	failures atomic.Int32
}

func (s *faultyStore) Put(ctx context.Context, r ...results.Record) error {
	if s.failures.Add(-1) >= 0 {
		return errors.New("disk is full")
	}
	return s.Store.Put(ctx, r...)
}

func store(t *testing.T) results.Store {
	t.Helper()
	s, err := results.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "r.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// start runs an engine until the test ends or stop is called.
func start(t *testing.T, f *fakes, s results.Store) (e *Engine, stop func()) {
	t.Helper()
	return startWith(t, Options{Store: s, Class: f, Fleet: f})
}

func startWith(t *testing.T, o Options) (e *Engine, stop func()) {
	t.Helper()
	e = New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Start(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return e, stop
}

func plan(id string, total uint64, targets ...string) Plan {
	p := Plan{ID: id, Name: "default/" + id, Space: numbered{}, Total: total, JobsPerTask: 1, Retries: 2,
		TimeLimit: func([]taskset.Task) time.Duration { return 30 * time.Second },
		Binaries:  map[string]session.Binary{"hey": {Name: "hey"}}}
	for _, n := range targets {
		p.Targets = append(p.Targets, session.Target{Name: n, Address: n + ":3001"})
	}
	return p
}

// await polls the campaign's snapshot until ok holds.
func await(t *testing.T, e *Engine, id, what string, ok func(Snapshot) bool) Snapshot {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		s, there := e.Snapshot(id)
		if there && ok(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waiting for %s: campaign %s is %+v", what, id, s)
		}
	}
}

func complete(s Snapshot) bool { return s.State == StateComplete }

// finals reads the store: the final record of each variant.
func finals(t *testing.T, s results.Store, campaign string) map[uint64]results.Record {
	t.Helper()
	out := map[uint64]results.Record{}
	err := s.Each(t.Context(), campaign, func(r results.Record) error {
		if _, twice := out[r.Variant]; r.Final && twice {
			t.Errorf("variant %d has two final records", r.Variant)
		}
		if r.Final {
			out[r.Variant] = r
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

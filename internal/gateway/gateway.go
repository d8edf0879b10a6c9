package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// pace is the time between two looks for sessions that have been silent for too long.
const pace = 250 * time.Millisecond

// patience bounds a change in the backend, which goes on to its end even if who asked for it is gone.
const patience = 10 * time.Second

// Config is what a Gateway needs.
type Config struct {
	Backend Backend
	Table   table.Options
	Clock   clock.WithTicker // nil: the real one
	Log     logr.Logger
}

// Gateway joins a table and a backend. Its methods may be called from any goroutine.
type Gateway struct {
	backend Backend
	clock   clock.WithTicker
	log     logr.Logger
	changes chan struct{} // holds a token while the backend is being changed

	mu       sync.Mutex
	table    *table.Table
	closings chan struct{} // closed, and replaced, when a session closes
}

// New makes a gateway without sessions. It needs Run.
func New(c Config) *Gateway {
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	return &Gateway{
		backend: c.Backend, clock: c.Clock, log: c.Log, changes: make(chan struct{}, 1),
		table: table.New(c.Table), closings: make(chan struct{}),
	}
}

// Run takes the backend's reports and closes idle sessions until ctx ends. Its error is the backend's.
func (g *Gateway) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return g.backend.Run(running, g.observe) })
	group.Go(func() error {
		ticker := g.clock.NewTicker(pace)
		defer ticker.Stop()
		for {
			select {
			case <-running.Done():
				return nil
			case <-ticker.C():
				g.expire(running)
			}
		}
	})
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("backend %s: %w", g.backend.Features().Name, err)
	}
	return nil
}

// change waits for the turn to change the backend. The error is that of ctx; without one, done has to be called.
func (g *Gateway) change(ctx context.Context) (done func(), err error) {
	select {
	case g.changes <- struct{}{}:
		return func() { <-g.changes }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// observe takes reports into account.
func (g *Gateway) observe(reports []table.Report) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, closed := g.clock.Now(), false
	for _, r := range reports {
		if g.table.Observe(now, r) {
			closed = true
		}
	}
	if closed {
		g.tell()
	}
}

// tell wakes those who wait for closed sessions; g.mu is held.
func (g *Gateway) tell() {
	close(g.closings)
	g.closings = make(chan struct{})
}

// refresh asks the backend for news of sessions. What it cannot say is left as it was.
func (g *Gateway) refresh(ctx context.Context, ids []uint64) {
	if len(ids) == 0 {
		return
	}
	reports, err := g.backend.Read(ctx, ids)
	if err != nil {
		g.log.Error(err, "The backend does not tell its counters; the last ones are shown", "sessions", len(ids))
		return
	}
	g.observe(reports)
}

// expire closes the sessions that have been silent for too long. Only the backend knows when the newest packet came, so
// those whose time seems to be up are looked at once more.
func (g *Gateway) expire(ctx context.Context) {
	ids := g.due()
	if len(ids) == 0 {
		return
	}
	g.refresh(ctx, ids)
	done, err := g.change(ctx)
	if err != nil {
		return
	}
	defer done()
	if ids = g.due(); len(ids) == 0 {
		return
	}
	last, err := g.stop(ctx, ids)
	if err != nil {
		g.log.Error(err, "The backend does not let go of idle sessions; they are tried again", "sessions", len(ids))
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		g.table.Expire(last[id])
	}
	g.tell()
}

func (g *Gateway) due() []uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.Due(g.clock.Now())
}

// stop lets the backend drop sessions, and returns a last report for each of them. A turn is needed.
func (g *Gateway) stop(ctx context.Context, ids []uint64) (map[uint64]table.Report, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	reports, err := g.backend.Delete(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	last := make(map[uint64]table.Report, len(ids))
	for _, id := range ids {
		last[id] = table.Report{ID: id}
	}
	for _, r := range reports {
		last[r.ID] = r
	}
	return last, nil
}

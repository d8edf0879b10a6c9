package gateway

import (
	"context"

	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// Get is a session with its newest counters. The error is table.ErrUnknown.
func (g *Gateway) Get(ctx context.Context, id uint64) (table.Session, error) {
	if s, err := g.get(id); err != nil || s.State == table.Closed || s.State == table.UnknownState {
		return s, err
	}
	g.refresh(ctx, []uint64{id})
	return g.get(id)
}

func (g *Gateway) get(id uint64) (table.Session, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.Get(id)
}

// List is a page of open sessions with their newest counters, and the cursor of the next page.
func (g *Gateway) List(ctx context.Context, p table.Page) ([]table.Session, uint64) {
	g.mu.Lock()
	page, next := g.table.List(p)
	g.mu.Unlock()
	ids := make([]uint64, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	g.refresh(ctx, ids)
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range page {
		if s, err := g.table.Get(page[i].ID); err == nil {
			page[i] = s
		}
	}
	return page, next
}

// Delete takes a session out, and returns it as it ended. The error is table.ErrUnknown, ErrUnavailable or that of ctx;
// with one of the latter, the session is as it was.
func (g *Gateway) Delete(ctx context.Context, id uint64) (table.Session, error) {
	done, err := g.change(ctx)
	if err != nil {
		return table.Session{}, err
	}
	defer done()
	s, err := g.get(id)
	if err != nil {
		return s, err
	}
	last := map[uint64]table.Report{id: {ID: id}}
	if s.State != table.Closed && s.State != table.UnknownState {
		if last, err = g.stop(ctx, []uint64{id}); err != nil {
			return s, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.Delete(g.clock.Now(), last[id])
}

// Take are closed sessions that have not been reported, at most so many, or all with 0. closings is closed when there may be
// more of them. What the caller does not deliver has to go back by Return.
func (g *Gateway) Take(most int) (sessions []table.Session, closings <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.Take(most), g.closings
}

// Return gives back, in their order, sessions of Take that could not be delivered.
func (g *Gateway) Return(sessions []table.Session) {
	if len(sessions) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.table.Return(sessions)
	g.tell()
}

// Status is what there is to say about a gateway as a whole.
type Status struct {
	Features
	Table      table.Options
	Open       int    // sessions
	Unreported int    // closed, and not taken by anybody yet
	Forgotten  uint64 // closed, and thrown away because nobody took them
}

// Status says how things are.
func (g *Gateway) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Status{Features: g.backend.Features(), Table: g.table.Options(), Open: g.table.Len()}
	s.Unreported, s.Forgotten = g.table.Unreported()
	return s
}

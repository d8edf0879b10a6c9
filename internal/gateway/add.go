package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// portion is how many sessions the backend is told about at a time.
const portion = 64

// Request is a session that somebody wants to have.
type Request struct {
	table.Spec
	// Number lets the gateway choose the id.
	Number bool
	// Err is why the request cannot be fulfilled; it is in a batch so that others keep their places.
	Err error
}

// Result is what became of a request.
type Result struct {
	ID    uint64
	Start time.Time
	Err   error // nil: taken. table.ErrInvalid, table.ErrFull, table.DuplicateError or ErrUnavailable
}

// Add takes sessions, with a result for each, in their order. With atomic, it takes all or none. Once begun, it is done
// to its end; an error is that of ctx, and then nothing was taken.
func (g *Gateway) Add(ctx context.Context, requests []Request, atomic bool) ([]Result, error) {
	done, err := g.change(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := g.clock.Now()
	specs := make([]table.Spec, len(requests))
	results := make([]Result, len(requests))
	size := portion
	if atomic {
		size = max(1, len(requests))
	}
	for begin := 0; begin < len(requests); begin += size {
		end := min(begin+size, len(requests))
		batch := specs[begin:end]
		errs := g.enter(now, requests[begin:end], batch, atomic)
		g.program(ctx, batch, errs, atomic)
		for i := range batch {
			results[begin+i] = Result{ID: batch[i].ID, Start: now, Err: errs[i]}
		}
	}
	return results, nil
}

// enter takes sessions into the table, before the backend knows of them: a session may close at once. It fills in specs.
func (g *Gateway) enter(now time.Time, requests []Request, specs []table.Spec, atomic bool) []error {
	g.mu.Lock()
	defer g.mu.Unlock()
	errs, failed := make([]error, len(requests)), false
	for i, r := range requests {
		specs[i], errs[i] = r.Spec, r.Err
		if errs[i] == nil {
			errs[i] = g.refuse(r.Spec)
		}
		failed = failed || errs[i] != nil
		if r.Number {
			specs[i].ID = g.table.FreeID()
		}
	}
	if !atomic {
		for i := range specs {
			if errs[i] == nil {
				errs[i] = g.table.Add(now, specs[i])
			}
		}
		return errs
	}
	if !failed {
		return g.table.AddAll(now, specs)
	}
	for i := range errs {
		if errs[i] == nil {
			errs[i] = fmt.Errorf("%w: another one of its batch cannot, and it is all or none", table.ErrInvalid)
		}
	}
	return errs
}

// refuse is about what no session can have here. Wrong fields are the table's to find.
func (g *Gateway) refuse(s table.Spec) error {
	can := g.backend.Features()
	switch {
	case s.Validate() != nil:
		return nil
	case !can.has(s.Action):
		return fmt.Errorf("%w: actionType %d: the backend %s does not have it", table.ErrInvalid, s.Action, can.Name)
	case !can.IPv6 && s.Tuple.Source.Addr().Is6():
		return fmt.Errorf("%w: ipVersion 1: the backend %s has no IPv6", table.ErrInvalid, can.Name)
	}
	return nil
}

// program tells the backend about sessions without an error, and takes out of the table what it does not accept.
func (g *Gateway) program(ctx context.Context, specs []table.Spec, errs []error, atomic bool) {
	var wanted []table.Spec
	var places []int
	for i := range specs {
		if errs[i] == nil {
			wanted, places = append(wanted, specs[i]), append(places, i)
		}
	}
	if len(wanted) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var failed, taken []uint64
	for i, err := range g.backend.Add(limited, wanted) {
		if err == nil {
			taken = append(taken, wanted[i].ID)
			continue
		}
		failed = append(failed, wanted[i].ID)
		errs[places[i]] = g.explain(err, wanted[i].ID)
	}
	if atomic && len(failed) > 0 {
		failed = append(failed, taken...)
		g.undo(ctx, taken)
		for _, i := range places {
			if errs[i] == nil {
				errs[i] = fmt.Errorf("%w: not for all sessions of the batch, and it is all or none", ErrUnavailable)
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range failed {
		g.table.Remove(id)
	}
}

// explain is the error of a session that the backend does not take.
func (g *Gateway) explain(err error, id uint64) error {
	if errors.Is(err, table.ErrInvalid) {
		return err
	}
	g.log.Error(err, "The backend does not take a session", "session", id)
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// undo takes back from the backend what it has taken of a batch.
func (g *Gateway) undo(ctx context.Context, taken []uint64) {
	if _, err := g.stop(ctx, taken); err != nil {
		g.log.Error(err, "The backend keeps sessions of a batch that was not taken", "sessions", len(taken))
	}
}

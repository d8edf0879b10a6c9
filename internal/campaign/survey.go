package campaign

import (
	"context"

	"github.com/genode-operator/genode-operator/internal/campaign/interval"
)

// Bounds of a survey.
const (
	surveyChunk = 4096 // variants that are looked at without the engine's lock
	surveyAhead = 256  // variants that are to be run, ahead of the targets
)

// survey looks at variants from lo on, until it has seen many or enough of them are to be run. It returns the
// first one that it has not looked at, and those to be left out. It is pure.
func survey(space Constraint, lo, total uint64) (hi uint64, skipped []interval.Interval) {
	admitted := 0
	end := min(total, lo+surveyChunk)
	for hi = lo; hi < end && admitted < surveyAhead; hi++ {
		// A variant of which that cannot be said is handed out: its attempt fails with what is wrong.
		if admits, err := space.Admits(hi); admits || err != nil {
			admitted++
			continue
		}
		if n := len(skipped); n > 0 && skipped[n-1].Hi == hi {
			skipped[n-1].Hi = hi + 1
			continue
		}
		skipped = append(skipped, interval.Interval{Lo: hi, Hi: hi + 1})
	}
	return hi, skipped
}

// explore surveys a campaign that leaves variants out, a little ahead of its targets, until ctx ends or all of
// it is surveyed.
func (e *Engine) explore(ctx context.Context, c *running, space Constraint) {
	for ctx.Err() == nil {
		e.mu.Lock()
		horizon, total, fresh := c.ledger.Horizon(), c.ledger.Total(), c.ledger.Fresh()
		e.mu.Unlock()
		if horizon >= total {
			return
		}
		if fresh >= surveyAhead {
			select {
			case <-ctx.Done():
			case <-c.survey:
			}
			continue
		}
		hi, skipped := survey(space, horizon, total)
		e.mu.Lock()
		hungry := c.ledger.Fresh() == 0 // workers may be waiting by now
		c.ledger.Survey(hi, skipped)
		c.dirty = true
		e.resettle(c)
		if hungry {
			e.wake()
		}
		e.mu.Unlock()
	}
}

// consumed lets the surveyor go on when the targets come near. The caller holds Engine.mu.
func (c *running) consumed() {
	if c.ledger.Horizon() < c.ledger.Total() && c.ledger.Fresh() < surveyAhead/2 {
		select {
		case c.survey <- struct{}{}:
		default: // it was told already
		}
	}
}

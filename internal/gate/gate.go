// Package gate holds goroutines up: everybody who wants to pass waits while it is shut.
package gate

import (
	"context"
	"sync"
)

// Gate is open until Shut; its zero value can be used. It may be used from any number of goroutines.
type Gate struct {
	mu   sync.Mutex
	shut chan struct{} // nil: open; closed when it opens
}

// Shut makes whoever comes wait until Open. A second Shut changes nothing.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

// Open lets everybody pass, those who wait first of all. A second Open changes nothing.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// Pass waits until the gate is open; an error is that of ctx. A gate that was shut again before the
// waiter ran holds it further.
func (g *Gate) Pass(ctx context.Context) error {
	for {
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if shut == nil {
			return ctx.Err()
		}
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

package addresstarget

import (
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// registryAge is how old a list of open sessions may be.
const registryAge = 500 * time.Millisecond

// openSessions knows which targets have an open session, from a list that is not much older than now.
type openSessions struct {
	registry *session.Registry

	mu      sync.Mutex
	taken   time.Time
	targets map[string]bool
}

func (o *openSessions) to(target string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if age := now.Sub(o.taken); age < 0 || age > registryAge {
		o.taken, o.targets = now, map[string]bool{}
		for _, row := range o.registry.Snapshot() {
			o.targets[row.Target] = true
		}
	}
	return o.targets[target]
}

package addresstarget

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// goingDown is how long a target that was told to reboot may still answer.
const goingDown = 500 * time.Millisecond

// breaks counts the times that targets may have started anew.
type breaks struct {
	mu  sync.Mutex
	all map[types.NamespacedName]past
}

// past is what is known of one target.
type past struct {
	breaks   int64
	rebooted time.Time // the last time that we told it to
}

func newBreaks() *breaks { return &breaks{all: map[types.NamespacedName]past{}} }

// cameBack counts the return of a lost target.
func (b *breaks) cameBack(key types.NamespacedName) {
	b.change(key, func(*past) {})
}

// rebooted counts a reboot by us.
func (b *breaks) rebooted(key types.NamespacedName, at time.Time) {
	b.change(key, func(p *past) { p.rebooted = at })
}

func (b *breaks) change(key types.NamespacedName, how func(*past)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.all[key]
	p.breaks++
	how(&p)
	b.all[key] = p
}

func (b *breaks) count(key types.NamespacedName) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[key].breaks
}

// notBefore is when a target may be looked at first: now, or when it had the time to go down.
func (b *breaks) notBefore(key types.NamespacedName, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if down := b.all[key].rebooted.Add(goingDown); down.After(now) {
		return down
	}
	return now
}

func (b *breaks) forget(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, key)
}

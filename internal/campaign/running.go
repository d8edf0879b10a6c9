package campaign

import (
	"maps"
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// running is a campaign in the engine. Its fields are guarded by Engine.mu.
type running struct {
	id      string
	name    string                    // for people
	plan    *Plan                     // is replaced, and never changed
	targets map[string]session.Target // of the plan, by key
	loaded  bool                      // its records were read
	refused string                    // why it is not run at all
	state   State
	ledger  *Ledger
	tally   *Tally
	share   *share
	serving int // orders that are with workers
	ordered int // variants in them that nobody is at
	blocks  map[string]block
	dirty   bool
	cancel  func()        // ends its goroutines that read or survey
	survey  chan struct{} // holds a token when the surveyor should look again

	// of the writer, see write
	queue    []entry
	writing  bool
	idle     chan struct{} // closed when a forgotten campaign is written out
	storeErr string
	retried  int64
	retries  []chan<- reopened // who waits for failed variants to be reopened
	reviving bool              // that is being done
}

// block keeps a campaign off one target for a while.
type block struct {
	reason, message string
	until           time.Time
}

func newRunning(p *Plan, s *share) *running {
	c := &running{
		id: p.ID, name: p.Name, state: StateLoading, share: s, ledger: NewLedger(p.Total, p.constraint() != nil), tally: NewTally(),
		blocks: map[string]block{}, cancel: func() {}, retried: p.Retried, survey: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	c.take(p)
	return c
}

func (c *running) take(p *Plan) {
	c.plan = p
	c.targets = make(map[string]session.Target, len(p.Targets))
	for _, t := range p.Targets {
		if _, twice := c.targets[key(t)]; !twice {
			c.targets[key(t)] = t
		}
	}
}

// change takes a new plan. What variants are does not change.
func (c *running) change(p *Plan) {
	if !slices.Equal(c.plan.Targets, p.Targets) || !maps.EqualFunc(c.plan.Binaries, p.Binaries, sameContent) || c.plan.Reset != p.Reset {
		clear(c.blocks) // it may be mended
	}
	p.Space, p.Total = c.plan.Space, c.plan.Total
	c.take(p)
}

func sameContent(a, b session.Binary) bool { return a.SHA256 == b.SHA256 }

// settle sets the state that follows from ledger and plan, and reports whether it is another one.
func (c *running) settle() bool {
	before := c.state
	switch complete := c.ledger.Complete(); {
	case c.refused != "":
		c.state = StateRefused
	case !c.loaded, complete && c.reopening():
		c.state = StateLoading
	case complete:
		c.state = StateComplete
	case c.plan.Stopped:
		c.state = StateStopped
	case c.plan.Suspended:
		c.state = StateSuspended
	default:
		c.state = StateRunning
	}
	return c.state != before
}

// reopening reports whether failed variants are to be reopened before anything else.
func (c *running) reopening() bool {
	return c.reviving || len(c.retries) > 0 || c.plan.Retry > c.retried
}

// workFor says when the campaign has work for one of its targets: the zero time is now; false is not without a
// change of something else.
func (c *running) workFor(now time.Time, target string) (time.Time, bool) {
	if c.state != StateRunning || c.storeErr != "" || c.plan.Parallelism > 0 && c.serving >= c.plan.Parallelism {
		return time.Time{}, false
	}
	if b, blocked := c.blocks[target]; blocked && now.Before(b.until) {
		return b.until, true
	}
	if c.ledger.Offers(now, target) {
		return time.Time{}, true
	}
	at := c.ledger.Wake(now)
	return at, !at.IsZero()
}

// names of the campaign's targets by their keys.
func (c *running) names() map[string]string {
	out := make(map[string]string, len(c.targets))
	for k, t := range c.targets {
		out[k] = t.Name
	}
	return out
}

func (c *running) snapshot() Snapshot {
	skipped := min(uint64(c.tally.Skipped), c.ledger.Finished())
	s := Snapshot{
		State: c.state, Total: c.ledger.Total(), Finished: c.ledger.Finished() - skipped, Skipped: c.ledger.Skipped() + skipped,
		Running: c.serving, Tally: c.tally.clone(), StoreError: c.storeErr, Retried: c.retried,
	}
	if s.Blocked = c.refused; s.Blocked != "" {
		return s
	}
	for _, target := range slices.Sorted(maps.Keys(c.blocks)) {
		s.Blocked, s.BlockedReason = c.blocks[target].message, c.blocks[target].reason
	}
	return s
}

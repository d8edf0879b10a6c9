package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// DefaultMost is how many clients may be attached to all lines together if Options do not say.
const DefaultMost = 64

// Options of a Desk.
type Options struct {
	// Lines of the guest, in order.
	Lines []*share.Line
	// Policies in order: the first one that covers a client counts. Without any, nobody gets in.
	Policies []Policy
	// Most is how many clients may be attached at a time, over all policies. 0 means DefaultMost.
	Most int
	// Registry that clients enter and leave. nil: one of the desk's own.
	Registry *session.Registry
}

// Desk lets clients in. Its methods may be called from any goroutine.
type Desk struct {
	options Options

	mu    sync.Mutex
	seats map[*Policy]int // clients by policy
	all   int
}

// New makes a Desk.
func New(o Options) *Desk {
	if o.Most == 0 {
		o.Most = DefaultMost
	}
	if o.Registry == nil {
		o.Registry = session.NewRegistry(nil)
	}
	return &Desk{options: o, seats: map[*Policy]int{}}
}

// Lines are the names of the lines, in order.
func (d *Desk) Lines() []string {
	names := make([]string, 0, len(d.options.Lines))
	for _, l := range d.options.Lines {
		names = append(names, l.Name())
	}
	return names
}

// Attached lists who is attached: Target is the line and the label, as "0 manager".
func (d *Desk) Attached() []session.OpenSession { return d.options.Registry.Snapshot() }

// Request is what a client asks for.
type Request struct {
	Label   string       // who it is, for policies
	Peer    string       // where it is, host:port
	Line    string       // name of the line
	Access  share.Access // "" means share.Read
	Backlog int          // bytes of earlier output; negative: all that are kept
}

// Attach lets a client in, or fails with a *Denied. Seat.Detach must follow.
func (d *Desk) Attach(r Request) (*Seat, error) {
	if r.Access == "" {
		r.Access = share.Read
	}
	line, err := d.line(r.Line)
	if err != nil {
		return nil, err
	}
	policy, err := d.policy(r)
	if err != nil {
		return nil, err
	}
	if err := d.reserve(policy); err != nil {
		return nil, err
	}
	client, err := line.Attach(share.Request{Who: r.Label + " at " + r.Peer, Access: r.Access, NoWait: policy.Single, Backlog: r.Backlog})
	if err != nil {
		d.giveBack(policy)
		if errors.Is(err, share.ErrBusy) {
			return nil, denied(Busy, "serial line %q: %v, and the policy of label %q lets nobody wait: try again later, or ask to steal the line", r.Line, err, r.Label)
		}
		return nil, denied(Closed, "serial line %q: the agent is ending", r.Line)
	}
	entry := d.options.Registry.Enter(r.Line+" "+r.Label, r.Peer)
	s := &Seat{client: client, entry: entry}
	s.leave = sync.OnceFunc(func() {
		client.Detach()
		entry.Leave()
		d.giveBack(policy)
	})
	return s, nil
}

func (d *Desk) line(name string) (*share.Line, error) {
	for _, l := range d.options.Lines {
		if l.Name() == name {
			return l, nil
		}
	}
	return nil, denied(NoLine, "the guest has no serial line %.40q: its lines are %q", name, d.Lines())
}

func (d *Desk) policy(r Request) (*Policy, error) {
	for i := range d.options.Policies {
		p := &d.options.Policies[i]
		if !p.covers(r.Label, r.Line) {
			continue
		}
		if !p.permits(r.Access) {
			return nil, denied(Forbidden, "the console policy of label %.64q grants %s, not %s", r.Label, p.Access, r.Access)
		}
		return p, nil
	}
	return nil, denied(NoPolicy, "no console policy covers label %.64q on serial line %q: give the agent one with --console-policy", r.Label, r.Line)
}

// reserve counts a client of a policy, if there is a place left.
func (d *Desk) reserve(p *Policy) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.seats[p] >= p.clients():
		return denied(InsufficientQuota, "%d clients of label %q are attached, as many as its policy allows: end one first", p.clients(), p.Label)
	case d.all >= d.options.Most:
		return denied(InsufficientQuota, "%d clients are attached, as many as may be: end one first", d.all)
	}
	d.seats[p]++
	d.all++
	return nil
}

func (d *Desk) giveBack(p *Policy) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seats[p]--
	d.all--
}

// Seat is a client who was let in. Its methods are those of share.Client; its traffic is counted.
type Seat struct {
	client *share.Client
	entry  *session.Entry
	leave  func()
	sent   time.Time // when there was output last
}

// pace is the least time between two pieces of output for a client. A guest prints byte by byte; without it,
// each would be a packet of its own. The first piece after a silence is not held up.
const pace = 2 * time.Millisecond

// Next is that of share.Client, but for its pace.
func (s *Seat) Next(ctx context.Context) ([]byte, share.Notice, error) {
	if err := wait(ctx, pace-time.Since(s.sent)); err != nil {
		return nil, share.Notice{}, err
	}
	data, notice, err := s.client.Next(ctx)
	if len(data) > 0 {
		s.sent = time.Now()
		s.entry.Sent(len(data))
	}
	return data, notice, err
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Write is that of share.Client.
func (s *Seat) Write(ctx context.Context, p []byte) (int, error) {
	n, err := s.client.Write(ctx, p)
	s.entry.Received(n)
	if err != nil {
		err = fmt.Errorf("write to the serial line: %w", err)
	}
	return n, err
}

// Resize is that of share.Client.
func (s *Seat) Resize(columns, rows uint16) { s.client.Resize(columns, rows) }

// Detach ends the attachment. A second call does nothing.
func (s *Seat) Detach() { s.leave() }

package faketarget

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/gate"
)

// Target is one fake target. Its methods may be called from any goroutine.
type Target struct {
	opts   Options
	rules  rules
	cancel context.CancelFunc
	ctx    func() context.Context // the target's life
	group  sync.WaitGroup
	gate   gate.Gate
	woken  chan struct{}

	mu          sync.Mutex
	address     string
	listener    net.Listener // nil while connections are refused
	conn        connection   // that is served
	mute        bool         // conn was closed towards the client
	out         *outbox      // of conn
	connections int
	dead        bool

	epoch    time.Time // of the stamps; zero until START
	agenda   []entry
	tasks    []*task
	binaries map[string]code
	events   []Event // not yet pushed
	held     [][]byte
	late     bool
	running  int // jobs
	starts   int

	faults   []*armed
	records  []Record
	counts   map[string]int // of records, by What
	history  []Event
	received []byte
	changed  chan struct{} // nil: nobody waits for a record; closed at the next one
}

// connection is what TCP has beside a net.Conn.
type connection interface {
	net.Conn
	SetLinger(sec int) error
	CloseWrite() error
}

// Start makes a target and lets it listen. It lives until Close.
func Start(opts Options) (*Target, error) {
	opts = opts.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	t := &Target{
		opts: opts, rules: rulesOf(opts.Generation), ctx: func() context.Context { return ctx }, cancel: cancel,
		woken: make(chan struct{}, 1), address: opts.Address,
		binaries: map[string]code{}, counts: map[string]int{},
	}
	for _, f := range opts.Faults {
		t.faults = append(t.faults, &armed{Fault: f})
	}
	if err := t.listen(); err != nil {
		cancel()
		return nil, err
	}
	t.group.Go(func() { t.keepTime(ctx) })
	if opts.RefuseFor > 0 {
		t.Refuse()
		t.group.Go(func() {
			if pause(ctx, opts.Clock, opts.RefuseFor) {
				_ = t.Listen() // the address was free a moment ago; a client sees if it is not
			}
		})
	}
	return t, nil
}

// Close ends the target and everything that it holds.
func (t *Target) Close() {
	t.cancel()
	t.Refuse()
	t.mu.Lock()
	if t.conn != nil {
		t.conn.Close()
	}
	t.mu.Unlock()
	t.group.Wait()
}

// Address is where the target listens, or would if it did not refuse.
func (t *Target) Address() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.address
}

// Generation is the one that the target speaks.
func (t *Target) Generation() string { return t.opts.Generation }

// Refuse closes the port; the connection that is served stays. Those that wait are reset.
func (t *Target) Refuse() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener != nil {
		t.listener.Close()
		t.listener = nil
	}
}

// Listen opens the port again.
func (t *Target) Listen() error {
	t.mu.Lock()
	open := t.listener != nil
	t.mu.Unlock()
	if open {
		return nil
	}
	return t.listen()
}

// Hang makes the target read and write nothing more; new connections are accepted by the system alone.
func (t *Target) Hang() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hang()
}

func (t *Target) hang() {
	t.gate.Shut()
	t.note(Record{What: Hung})
}

// Thaw ends Hang: the target goes on where it was. It does not bring a dead target back.
func (t *Target) Thaw() {
	t.mu.Lock()
	dead := t.dead
	t.mu.Unlock()
	if !dead {
		t.gate.Open()
	}
}

// Drop ends the connection that is served: with FIN, or with a reset.
func (t *Target) Drop(reset bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(reset)
}

// Arm adds a fault; its passes are counted from now on.
func (t *Target) Arm(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, &armed{Fault: f})
}

// Reboot brings the target back as after a restart of its board: the connection is reset, tasks,
// binaries and events are gone, and the stamps begin anew.
func (t *Target) Reboot() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reboot()
}

func (t *Target) reboot() {
	for _, k := range t.tasks {
		k.gone = true
		if k.running != nil {
			k.running.over = true
		}
	}
	t.drop(true)
	t.tasks, t.events, t.held, t.agenda, t.running = nil, nil, nil, nil, 0
	t.binaries, t.epoch, t.dead = map[string]code{}, time.Time{}, false
	t.gate.Open()
}

// drop ends the connection. A FIN comes behind what was said before; after it the input is read and thrown away: closing a socket with unread
// input would send a reset. The caller holds t.mu.
func (t *Target) drop(reset bool) {
	if t.conn == nil {
		return
	}
	out := t.out
	t.out = nil
	if reset {
		_ = t.conn.SetLinger(0) // fails only on a closed socket
		t.conn.Close()
		return
	}
	t.mute = true
	out.finish()
}

// die is a crash of the original. The caller holds t.mu.
func (t *Target) die(why string) {
	t.dead = true
	t.note(Record{What: Died, Text: why})
	t.gate.Shut()
}

// verdict is what the faults of a step leave to do.
type verdict struct {
	lost    bool   // the frame or the GO_SEND that is due
	instead []byte // of the frame that is due
}

// pass lets the faults of a step strike. The caller holds t.mu.
func (t *Target) pass(at Step) verdict {
	var v verdict
	for _, f := range t.faults {
		if f.strikes(at, t.running) {
			t.act(at, f.Do, &v)
		}
	}
	return v
}

func (t *Target) act(at Step, do Action, v *verdict) {
	switch {
	case do.kind == doHang:
		t.hang()
	case do.kind == doClose, do.kind == doReset:
		t.drop(do.kind == doReset)
	case do.kind == doSkip:
		v.lost = true
	case do.kind == doReplace && at == AtPush:
		v.instead = do.bytes
	case do.kind == doReplace, do.kind == doSend:
		t.out.put(do.bytes)
	}
}

// keepTime does what the agenda says when it is due.
func (t *Target) keepTime(ctx context.Context) {
	for {
		t.mu.Lock()
		t.advance(t.opts.Clock.Now())
		due := t.opts.Clock.Now().Add(time.Hour)
		if len(t.agenda) > 0 {
			due = t.agenda[0].at
		}
		t.mu.Unlock()
		timer := t.opts.Clock.NewTimer(max(due.Sub(t.opts.Clock.Now()), time.Microsecond))
		if t.opts.Clock.Now().Before(due) { // a clock that a test has moved in between never fires
			select {
			case <-ctx.Done():
			case <-t.woken:
			case <-timer.C():
			}
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// listen opens the port and accepts connections, one after the other.
func (t *Target) listen() error {
	config := net.ListenConfig{Control: t.opts.control}
	t.mu.Lock()
	defer t.mu.Unlock()
	listener, err := config.Listen(t.ctx(), "tcp", t.address)
	if err != nil {
		return fmt.Errorf("fake target: listen on %s: %w", t.address, err)
	}
	t.address, t.listener = listener.Addr().String(), listener
	t.group.Go(func() { t.accept(t.ctx(), listener) })
	return nil
}

func (t *Target) accept(ctx context.Context, listener net.Listener) {
	defer listener.Close()
	for {
		if t.gate.Pass(ctx) != nil {
			return
		}
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		t.serve(ctx, conn.(connection))
	}
}

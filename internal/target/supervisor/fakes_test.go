package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a fake QEMU, guest and network in one. Everything in it happens in the time of a synctest bubble.
type world struct {
	bootTime    time.Duration // from start or reset to the first answer
	portTime    time.Duration // from then until the port accepts
	restoreTime time.Duration
	saveTime    time.Duration

	mu          sync.Mutex
	frozen      bool // the guest answers nothing; a boot or restore thaws it
	resetsDead  bool // a reset does not bring the guest back
	restoreDead bool // a restore does not bring it back
	launchDead  bool // a relaunch does not either
	mute        bool // QMP answers nothing
	kvmDead     bool // no guest comes up under KVM
	launchError error
	loadError   error
	saveError   error
	resetError  error

	machines []*fakeMachine
	kvm      []bool // of each launch
	calls    []string
	probes   int
	looks    int // at QEMU's CPU times
	cuts     int
	open     int
}

func (w *world) count(call string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (w *world) change(f func(w *world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}

func (w *world) current() *fakeMachine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machines[len(w.machines)-1]
}

func (w *world) launch(_ context.Context, kvm bool) (Machine, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.kvm = append(w.calls, "launch"), append(w.kvm, kvm)
	if w.launchError != nil {
		return nil, w.launchError
	}
	m := &fakeMachine{world: w, kvm: kvm, done: make(chan struct{}), events: make(chan qmp.Event, 16), runState: "running"}
	m.bootedAt = time.Now().Add(w.bootTime)
	w.mute = false
	w.frozen = w.launchDead && len(w.machines) > 0
	w.machines = append(w.machines, m)
	return m, nil
}

// answers is true when the guest answers an echo now.
func (w *world) answers() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.machines) == 0 {
		return false
	}
	m := w.machines[len(w.machines)-1]
	return !w.frozen && !m.ended && m.runState == "running" && !time.Now().Before(m.bootedAt) && (!w.kvmDead || !m.kvm)
}

func (w *world) Echoes(ctx context.Context, interval time.Duration, sink func(vnet.Echo)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var seq uint16
	for {
		sent := time.Now()
		seq++
		sink(vnet.Echo{Seq: seq, Sent: sent})
		if w.answers() {
			sink(vnet.Echo{Seq: seq, Sent: sent, Received: sent.Add(200 * time.Microsecond), RoundTrip: 200 * time.Microsecond})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (w *world) DialGuest(context.Context, uint16) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Now().Before(w.machines[len(w.machines)-1].bootedAt.Add(w.portTime)) {
		return nil, syscall.ECONNREFUSED
	}
	w.probes++
	a, b := net.Pipe()
	_ = b.Close()
	return a, nil
}

func (w *world) ResetConnections() { w.change(func(w *world) { w.cuts++; w.open = 0 }) }

func (w *world) OpenConnections() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

func (w *world) Lines(int) []string { return []string{"kernel initialized", "last words"} }

type fakeMachine struct {
	world    *world
	kvm      bool
	done     chan struct{}
	events   chan qmp.Event
	ended    bool
	how      error
	runState string
	bootedAt time.Time
}

func (m *fakeMachine) Done() <-chan struct{}    { return m.done }
func (m *fakeMachine) Events() <-chan qmp.Event { return m.events }
func (m *fakeMachine) ExitError() error         { return m.how }

func (m *fakeMachine) CPU() (run, wait time.Duration, err error) {
	m.world.change(func(w *world) { w.looks++ })
	return 0, 0, nil
}

func (m *fakeMachine) Kill() { m.end(errors.New("killed")) }

func (m *fakeMachine) end(how error) {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	if !m.ended {
		m.ended, m.how = true, how
		close(m.events)
		close(m.done)
	}
}

// event lets QEMU report something.
func (m *fakeMachine) event(name string, data any) {
	raw, _ := json.Marshal(data)
	m.events <- qmp.Event{Name: name, Data: raw}
}

// command is what all commands have in common: a mute QEMU never answers.
func (m *fakeMachine) command(ctx context.Context, name string, takes time.Duration) error {
	m.world.mu.Lock()
	m.world.calls = append(m.world.calls, name)
	silent, ended := m.world.mute, m.ended
	m.world.mu.Unlock()
	if ended {
		return qmp.ErrDisconnected
	}
	if silent {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(takes)
	return nil
}

func (m *fakeMachine) Stop(ctx context.Context) error { return m.setRunState(ctx, "stop", "paused") }
func (m *fakeMachine) Cont(ctx context.Context) error { return m.setRunState(ctx, "cont", "running") }

func (m *fakeMachine) setRunState(ctx context.Context, command, runState string) error {
	if err := m.command(ctx, command, time.Millisecond); err != nil {
		return err
	}
	m.world.change(func(*world) { m.runState = runState })
	return nil
}

func (m *fakeMachine) Reset(ctx context.Context) error {
	if err := m.command(ctx, "reset", time.Millisecond); err != nil {
		return err
	}
	var err error
	m.world.change(func(w *world) {
		if err = w.resetError; err != nil {
			return
		}
		m.runState, m.bootedAt, w.frozen = "running", time.Now().Add(w.bootTime), w.resetsDead
	})
	return err
}

func (m *fakeMachine) RunState(ctx context.Context) (string, error) {
	err := m.command(ctx, "run state", time.Millisecond)
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	return m.runState, err
}

func (m *fakeMachine) Registers(ctx context.Context) (string, error) {
	return "CPU#0\nRIP=00000000deadbeef RFL=00000046", m.command(ctx, "registers", time.Millisecond)
}

func (m *fakeMachine) SaveSnapshot(ctx context.Context) (int64, error) {
	if err := m.command(ctx, "save", m.world.saveTime); err != nil {
		return 0, err
	}
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	return 17 << 20, m.world.saveError
}

func (m *fakeMachine) LoadSnapshot(ctx context.Context) error {
	if err := m.command(ctx, "load", m.world.restoreTime); err != nil {
		return err
	}
	var err error
	m.world.change(func(w *world) {
		if err = w.loadError; err != nil {
			return
		}
		m.runState, w.frozen = "running", w.restoreDead
	})
	return err
}

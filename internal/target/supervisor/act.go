package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

// act carries out one action; whatever takes time runs beside the loop.
func (s *Supervisor) act(ctx context.Context, a action) {
	switch a := a.(type) {
	case launch:
		old := s.machine
		s.machine = nil
		s.spawn(func() { s.launch(ctx, a, old) })
	case tell:
		m := s.machine
		s.spawn(func() { s.tell(ctx, a, m) })
	case diagnose:
		m := s.machine
		s.spawn(func() { s.diagnose(ctx, a, m) })
	case probe:
		s.spawn(func() { s.probe(ctx, a) })
	case look:
		if m := s.machine; m != nil {
			s.spawn(func() { s.look(ctx, a, m) })
		}
	case cut:
		s.cfg.Network.ResetConnections()
	case pace:
		s.setPace(ctx, a.quick)
	case note:
		s.note(a)
	}
}

// launched carries a new machine with the end of its job.
type launched struct {
	done
	machine int
	vm      Machine
}

// launch ends the old QEMU and starts a new one.
func (s *Supervisor) launch(ctx context.Context, a launch, old Machine) {
	if old != nil {
		old.Kill()
	}
	starting, cancel := context.WithTimeout(ctx, launchTimeout)
	defer cancel()
	vm, err := s.cfg.Launch(starting, a.kvm)
	if err != nil {
		s.post(ctx, done{job: a.job, err: err})
		return
	}
	if !s.post(ctx, launched{done: done{job: a.job}, machine: a.machine, vm: vm}) {
		vm.Kill()
	}
}

// takeOver makes the machine of a launched event the current one, and returns what decide has to know.
func (s *Supervisor) takeOver(ctx context.Context, ev event) event {
	l, ok := ev.(launched)
	if !ok {
		return ev
	}
	s.begun.Store(true)
	s.machine = l.vm
	s.spawn(func() { s.follow(ctx, l.machine, l.vm) })
	return l.done
}

// follow reports QEMU's events, and its end.
func (s *Supervisor) follow(ctx context.Context, number int, m Machine) {
	events := m.Events()
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil // the connection has ended; the process may go on
				continue
			}
			s.post(ctx, reported{machine: number, name: ev.Name, guest: byGuest(ev)})
		case <-m.Done():
			how := "no reason known"
			if err := m.ExitError(); err != nil {
				how = err.Error()
			}
			s.post(ctx, exited{machine: number, how: how})
			return
		}
	}
}

// byGuest reads the "guest" field of RESET and SHUTDOWN.
func byGuest(ev qmp.Event) bool {
	var data struct {
		Guest bool `json:"guest"`
	}
	return json.Unmarshal(ev.Data, &data) == nil && data.Guest
}

func (s *Supervisor) tell(ctx context.Context, a tell, m Machine) {
	bounded, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	end := done{job: a.job, err: errNoMachine}
	if m != nil {
		end.size, end.err = carryOut(bounded, a.command, m)
	}
	end.mute = mute(end.err)
	s.post(ctx, end)
}

var errNoMachine = errors.New("QEMU does not run")

func carryOut(ctx context.Context, c command, m Machine) (size int64, err error) {
	switch c {
	case commandSave:
		return m.SaveSnapshot(ctx)
	case commandLoad:
		return 0, m.LoadSnapshot(ctx)
	case commandReset:
		return 0, m.Reset(ctx)
	case commandStop:
		return 0, m.Stop(ctx)
	case commandCont:
		return 0, m.Cont(ctx)
	}
	return 0, fmt.Errorf("unknown command %q", c)
}

// mute is true for errors that mean that QEMU does not answer, as against a refusal.
func mute(err error) bool {
	for _, kind := range []error{qmp.ErrTimeout, qmp.ErrDisconnected, qmp.ErrClosed, context.DeadlineExceeded, errNoMachine} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// probe connects to the guest's port once.
func (s *Supervisor) probe(ctx context.Context, a probe) {
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := s.cfg.Network.DialGuest(bounded, s.cfg.Settings.ReadyPort)
	if err == nil {
		_ = conn.Close() // nothing was sent that could be lost
	}
	s.post(ctx, done{job: a.job, err: err})
}

func (s *Supervisor) look(ctx context.Context, a look, m Machine) {
	bounded, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	runState, err := m.RunState(bounded)
	if err != nil {
		return // its silence to echoes will tell
	}
	s.post(ctx, found{machine: a.machine, runState: runState})
}

// setPace starts or ends additional echoes in quick succession.
func (s *Supervisor) setPace(ctx context.Context, quick bool) {
	if s.slowDown != nil {
		s.slowDown()
		s.slowDown = nil
	}
	if quick && s.cfg.Settings.EchoInterval > quickInterval {
		ctx, s.slowDown = context.WithCancel(ctx)
		s.echo(ctx, quickInterval)
	}
}

// echo sends echoes until ctx ends.
func (s *Supervisor) echo(ctx context.Context, interval time.Duration) {
	s.spawn(func() {
		err := s.cfg.Network.Echoes(ctx, interval, func(e vnet.Echo) {
			s.echoes.add(e)
			if !e.Received.IsZero() {
				s.cfg.Metrics.roundTrip(e.RoundTrip)
				s.post(ctx, replied{sent: e.Sent, received: e.Received})
			}
		})
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Error(err, "Echoes ended; the guest will count as silent")
		}
	})
}

// readLines reports matching lines of the serial log.
func (s *Supervisor) readLines(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-s.cfg.ReadyLine:
			if !ok {
				return
			}
			s.post(ctx, logged{})
		}
	}
}

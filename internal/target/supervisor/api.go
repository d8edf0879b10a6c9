package supervisor

import (
	"context"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// State returns the newest State.
func (s *Supervisor) State() agentapi.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.published
	now.Time = time.Now()
	now.OpenConnections = s.cfg.Network.OpenConnections()
	return now
}

// Changed returns a channel that is closed at the next change of the State that is more than another echo.
func (s *Supervisor) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Diagnosis returns the newest diagnosis with everything in it, or agentapi.ErrNotFound.
func (s *Supervisor) Diagnosis() (agentapi.Diagnosis, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.diagnosis == nil {
		return agentapi.Diagnosis{}, agentapi.ErrNotFound
	}
	return *s.diagnosis, nil
}

// Console returns the newest n lines of the serial log.
func (s *Supervisor) Console(n int) []string { return s.cfg.Console.Lines(n) }

// Do does something to the guest and returns when QEMU has done it; whether the guest likes it shows in
// the State. The error is agentapi.ErrConflict when it is not possible now.
func (s *Supervisor) Do(ctx context.Context, a agentapi.Action) error {
	request := ask{action: a, answer: make(chan error, 1)}
	select {
	case s.asks <- request:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-request.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Turning is true while the loop turns; it says nothing of the guest.
func (s *Supervisor) Turning() bool {
	return time.Now().UnixNano()-s.turned.Load() < int64(deadLoop)
}

// Started is true once QEMU was started for the first time.
func (s *Supervisor) Started() bool { return s.begun.Load() }

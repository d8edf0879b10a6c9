//go:build linux

package process

import (
	"fmt"
	"os/exec"
	"sync"

	"github.com/go-logr/logr"
)

// SpinCommand is the first argument with which this executable must call Spin.
const SpinCommand = "spin"

// Spin uses all the CPU time that it gets, for ever.
func Spin() {
	for {
	}
}

// Spinners are processes that use all the CPU time they get, as load for tests.
type Spinners struct {
	log logr.Logger

	mu      sync.Mutex
	running map[int]*exec.Cmd
	ended   sync.WaitGroup
}

// NewSpinners makes an empty set.
func NewSpinners(log logr.Logger) *Spinners {
	return &Spinners{log: log, running: map[int]*exec.Cmd{}}
}

// Owns reports whether pid is one of them; they are waited for here.
func (s *Spinners) Owns(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.running[pid]
	return ok
}

// Set ends those that run and starts n others, each adjusted by adjust. 0 leaves none.
func (s *Spinners) Set(n int, adjust func(pid int) error) error {
	s.mu.Lock()
	for _, cmd := range s.running {
		_ = cmd.Process.Kill() // ended already: fine
	}
	s.mu.Unlock()
	s.ended.Wait()
	for range n {
		if err := s.start(adjust); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spinners) start(adjust func(pid int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command("/proc/self/exe", SpinCommand)
	cmd.Env = []string{"GOMAXPROCS=1"}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a busy process: %w", err)
	}
	pid := cmd.Process.Pid
	s.running[pid] = cmd
	s.ended.Go(func() {
		_ = cmd.Wait() // killed, as it should be
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, pid)
	})
	if err := adjust(pid); err != nil {
		s.log.Error(err, "Adjusting a busy process failed")
	}
	return nil
}

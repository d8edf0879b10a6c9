//go:build linux

package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"

	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"
)

// SpinCommand is the first argument with which this executable must call Spin with the second, on the
// main thread.
const SpinCommand = "spin"

// SpinPriority is the lowest of SCHED_FIFO: above every ordinary process, below every job.
const SpinPriority = 1

// Spin uses all the CPU time that it gets, for ever: under SCHED_FIFO with the given priority, or as an
// ordinary process for 0. It is the process itself that leaves the priority it has inherited: nobody
// of the same or a lower one would get to run and do it from outside.
func Spin(priority string) error {
	n, err := strconv.ParseUint(priority, 10, 8)
	if err != nil {
		return fmt.Errorf("priority %q: %w", priority, err)
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	if n > 0 {
		attr.Policy, attr.Priority = unix.SCHED_FIFO, uint32(n)
	}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("set priority %d: %w", n, err)
	}
	for turn := uint64(0); ; turn++ { // counting is the work
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

// Set ends those that run and starts n others, with the priority of Spin. n = 0 leaves none.
func (s *Spinners) Set(n int, priority uint) error {
	s.mu.Lock()
	for _, cmd := range s.running {
		_ = cmd.Process.Kill() // ended already: fine
	}
	s.mu.Unlock()
	s.ended.Wait()
	for range n {
		if err := s.start(priority); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spinners) start(priority uint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command("/proc/self/exe", SpinCommand, strconv.FormatUint(uint64(priority), 10))
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a busy process: %w", err)
	}
	pid := cmd.Process.Pid
	s.running[pid] = cmd
	s.ended.Go(func() {
		err := cmd.Wait()
		if cmd.ProcessState != nil && cmd.ProcessState.Exited() { // and was not killed
			s.log.Error(err, "A busy process has ended by itself")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, pid)
	})
	return nil
}

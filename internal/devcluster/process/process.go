// Package process runs child processes that never outlive this one: each is a process group of
// its own, which ends as a whole, and the kernel kills its leader when this process dies.
package process

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a started child. Its methods may be called from several goroutines.
type Process struct {
	Pid  int // also the number of its process group
	done chan struct{}

	// Valid once done is closed.
	exit Exit
}

// Exit says how a process ended.
type Exit struct {
	Code   int            // 0 to 255; 128 + Signal for one that was killed, as shells have it
	Signal syscall.Signal // 0 unless killed by a signal
	At     time.Time
}

// Start starts cmd as a new process group. With noNewPrivileges neither it nor its descendants
// can gain rights by set-uid programs. The error is that of cmd.Start.
func Start(cmd *exec.Cmd, noNewPrivileges bool) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	p := &Process{done: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(cmd, noNewPrivileges, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the child and waits for it on one thread: the kernel sends the parent's death signal
// when the thread dies that forked, not when the process does. The thread also carries the
// no-new-privileges attribute, so it is given up, not returned to the scheduler, at the end.
func (p *Process) run(cmd *exec.Cmd, noNewPrivileges bool, started chan<- error) {
	runtime.LockOSThread()
	if noNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			started <- fmt.Errorf("forbid new privileges: %w", err)
			return
		}
	}
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.Pid = cmd.Process.Pid
	started <- nil
	defer close(p.done)
	awaitExit(p.Pid)
	// The leader is a zombie yet, so its number, which names the group, cannot be somebody else's.
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // fails when nobody else is in the group
	_ = cmd.Wait()                            // its result is in the state
	p.exit = exitOf(cmd.ProcessState.Sys().(syscall.WaitStatus))
}

// awaitExit returns when the process has ended, and leaves it to be reaped.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func exitOf(status syscall.WaitStatus) Exit {
	if status.Signaled() {
		return Exit{Code: 128 + int(status.Signal()), Signal: status.Signal(), At: time.Now()}
	}
	return Exit{Code: status.ExitStatus(), At: time.Now()}
}

// Done is closed when the process has ended and its group has been killed.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit waits for the end of the process and says how it ended.
func (p *Process) Exit() Exit { <-p.done; return p.exit }

// Signal sends a signal to the whole group. It does nothing once the process has ended.
func (p *Process) Signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.Pid, sig) // it may just have ended
	}
}

// Stop asks the group to end (SIGTERM), kills it after grace, and waits for its end.
func (p *Process) Stop(grace time.Duration) Exit {
	if grace > 0 {
		p.Signal(syscall.SIGTERM)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		}
	}
	p.Signal(syscall.SIGKILL)
	return p.Exit()
}

package qemu

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/console"
)

// Bounds of what is kept of QEMU's standard error.
const (
	stderrBytes = 16 << 10
	stderrLines = 10 // in an error
)

// firstFile is the descriptor of the first further file of a child.
const firstFile = 3

// outputGrace is how long the last output of a dead QEMU is waited for.
const outputGrace = 2 * time.Second

// ExitError says how QEMU ended. Every end is one, status 0 too: a machine that is wanted is gone.
type ExitError struct {
	Code   int      // exit status, -1 when a signal ended it
	Signal string   // name of the signal, "" without one
	Stderr []string // last lines of its standard error, without known harmless ones
}

// Error names the exit status or signal and the last lines of standard error.
func (e *ExitError) Error() string {
	how := fmt.Sprintf("QEMU exited with status %d", e.Code)
	if e.Signal != "" {
		how = "QEMU was ended by signal " + e.Signal
	}
	if len(e.Stderr) == 0 {
		return how
	}
	return how + ": " + strings.Join(e.Stderr, "; ")
}

// process is a running child.
type process struct {
	pid    int
	stdin  io.WriteCloser // closed when the child is gone
	stderr *console.Ring
	done   chan struct{} // closed when it is gone and its output is read
	exit   *ExitError    // valid once done is closed
}

// startProcess starts a child in its own process group, with an environment of its own and dir as its
// working and temporary folder. The kernel kills it when this process dies. Its standard output goes
// to stdout and the lines of its standard error to stderrTee. The files are its descriptors from firstFile on.
func startProcess(path string, args []string, dir string, stdout, stderrTee io.Writer, files ...*os.File) (*process, error) {
	p := &process{
		stderr: console.New(console.Options{MaxBytes: stderrBytes, Tee: stderrTee}),
		done:   make(chan struct{}),
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = dir, environment(dir)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = stdout, p.stderr, files
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	cmd.WaitDelay = outputGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go p.run(cmd, started)
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// run starts the child and waits for its end, all on one thread: the death signal is sent when the
// thread that forked ends, which the Go runtime could do to any thread that is not locked.
func (p *process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = cmd.Wait() // says no more than ProcessState does
	p.stderr.Flush()
	p.exit = exitError(cmd.ProcessState, p.stderr.Lines(-1))
	close(p.done)
}

func exitError(state *os.ProcessState, stderr []string) *ExitError {
	e := &ExitError{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal().String()
	}
	for _, line := range stderr {
		if !harmless(line) {
			e.Stderr = append(e.Stderr, line)
		}
	}
	if n := len(e.Stderr); n > stderrLines {
		e.Stderr = e.Stderr[n-stderrLines:]
	}
	return e
}

// harmless lines come by the dozen with CPU models that TCG knows only in part.
func harmless(line string) bool {
	return line == "" || strings.Contains(line, "TCG doesn't support requested feature")
}

// environment is all that QEMU needs. The two variables that are passed on let a QEMU run that is
// installed in a folder of its own.
func environment(dir string) []string {
	// some boards have a sound chip; without the last one QEMU looks for the host's sound card
	env := []string{"LC_ALL=C", "HOME=" + dir, "TMPDIR=" + dir, "QEMU_AUDIO_DRV=none"}
	for _, name := range []string{"LD_LIBRARY_PATH", "QEMU_MODULE_DIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// kill ends the process group and waits for the end; a second call does nothing.
func (p *process) kill() {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // fails when it has just ended
	}
	<-p.done
}

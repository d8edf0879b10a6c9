//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/refguest"
)

// MinQuota is the least memory that a job gets in a cgroup, in bytes.
const MinQuota = 512 << 10

// Options are the parts of a Runner.
type Options struct {
	Dir      string      // private folder for binaries and configs; must exist and be writable
	Cgroup   string      // cgroup v2 folder with the memory controller for its children; "": RLIMIT_AS
	RealTime bool        // run jobs under SCHED_FIFO
	Log      logr.Logger // output of the jobs and what could not be kept
}

// Runner starts processes. It implements refguest.Runner.
type Runner struct {
	opts Options
	seq  atomic.Uint64
	once sync.Once // warns about missing permission for SCHED_FIFO only once

	mu    sync.Mutex
	files map[string]stored // by binary name
	pids  map[int]struct{}  // of jobs that were not waited for yet
}

type stored struct {
	binary *refguest.Binary
	path   string
}

// New makes a runner.
func New(opts Options) *Runner {
	if opts.Log.GetSink() == nil {
		opts.Log = logr.Discard()
	}
	return &Runner{opts: opts, files: map[string]stored{}, pids: map[int]struct{}{}}
}

// Owns reports whether pid is a job of this runner, which waits for it itself.
func (r *Runner) Owns(pid int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.pids[pid]
	return ok
}

// Start implements refguest.Runner. It fails when the machine has less memory than the quota asks for,
// and when the binary is no program for this machine.
func (r *Runner) Start(spec refguest.Spec) (refguest.Job, error) {
	if free, ok := availableMemory(); ok && spec.Quota > free {
		return nil, fmt.Errorf("quota of %d bytes, %d are available: lower the quota or give the machine more memory", spec.Quota, free)
	}
	path, err := r.file(spec.Binary)
	if err != nil {
		return nil, err
	}
	n := r.seq.Add(1)
	j := &job{runner: r, done: make(chan refguest.Outcome, 1), config: filepath.Join(r.opts.Dir, fmt.Sprintf("config.%d", n))}
	if err := os.WriteFile(j.config, spec.Config, 0o444); err != nil {
		return nil, fmt.Errorf("write config: %w", err)
	}
	if err := r.launch(j, path, spec, n); err != nil {
		j.clean()
		return nil, err
	}
	return j, nil
}

func (r *Runner) launch(j *job, path string, spec refguest.Spec, n uint64) error {
	j.cmd = exec.CommandContext(context.Background(), path, j.config)
	j.cmd.Args[0] = spec.Binary.Name
	j.cmd.Dir = "/"
	j.cmd.Env = []string{}
	j.cmd.WaitDelay = 100 * time.Millisecond // for output that a grandchild keeps open
	j.output = &lines{log: r.opts.Log, prefix: "[init -> taskloader -> " + spec.Name + "] "}
	j.cmd.Stdout = j.output
	j.cmd.Stderr = j.output
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if r.opts.Cgroup != "" && spec.Quota > 0 {
		group, err := newGroup(filepath.Join(r.opts.Cgroup, "job"+strconv.FormatUint(n, 10)), max(spec.Quota, MinQuota))
		if err != nil {
			return err
		}
		j.group = group
		j.cmd.SysProcAttr.UseCgroupFD, j.cmd.SysProcAttr.CgroupFD = true, group.fd()
	}
	if err := r.fork(j, spec); err != nil {
		return fmt.Errorf("start %s: %w", spec.Binary.Name, err)
	}
	go j.wait()
	return nil
}

// fork starts the process. When something is to be constrained, the process is held before its first
// instruction (a tracer is told of the exec), so that no job ever runs without its limits.
func (r *Runner) fork(j *job, spec refguest.Spec) error {
	hold := r.opts.RealTime || spec.Quota > 0 && j.group == nil
	if hold {
		runtime.LockOSThread() // a tracer is a thread
		defer runtime.UnlockOSThread()
		j.cmd.SysProcAttr.Ptrace = true
	}
	r.mu.Lock() // so that nobody asks Owns between the start and the entry
	err := j.cmd.Start()
	if err == nil {
		r.pids[j.cmd.Process.Pid] = struct{}{}
	}
	r.mu.Unlock()
	if err != nil || !hold {
		return err
	}
	pid := j.cmd.Process.Pid
	for { // look, but leave the status to Wait
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	r.constrain(pid, j.group != nil, spec)
	_ = unix.PtraceDetach(pid) // fails only when it has ended
	return nil
}

// constrain sets memory and priority of a process. One that has ended meanwhile is fine.
func (r *Runner) constrain(pid int, grouped bool, spec refguest.Spec) {
	if spec.Quota > 0 && !grouped {
		limit := unix.Rlimit{Cur: spec.Quota, Max: spec.Quota}
		if err := unix.Prlimit(pid, unix.RLIMIT_AS, &limit, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			r.opts.Log.Error(err, "Limiting the memory of a job failed, it runs without", "job", spec.Name)
		}
	}
	if !r.opts.RealTime {
		return
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: fifo(spec.Priority)}
	if err := unix.SchedSetAttr(pid, &attr, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		r.once.Do(func() { r.opts.Log.Info("Jobs run without their priority, SCHED_FIFO is not permitted") })
	}
}

// fifo maps Genode's priority, 0 the highest, to SCHED_FIFO's, 97 the highest that jobs get.
func fifo(priority uint32) uint32 {
	const lowest = 127
	if priority > lowest {
		priority = 0
	}
	return 2 + (lowest-priority)*95/lowest
}

// file returns the path of a binary's file and writes it when the binary is new. The old file of the
// same name keeps its content for those that still run it.
func (r *Runner) file(b *refguest.Binary) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.files[b.Name]
	if ok && old.binary == b {
		return old.path, nil
	}
	path := filepath.Join(r.opts.Dir, fmt.Sprintf("binary.%d", r.seq.Add(1)))
	// A child that is forked while the file is open for writing inherits that, and exec fails with
	// ETXTBSY as long as it lives: no forks until the file is closed.
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, b.Content, 0o555)
	syscall.ForkLock.RUnlock()
	if err != nil {
		return "", fmt.Errorf("write binary %q: %w", b.Name, err)
	}
	if ok {
		_ = os.Remove(old.path) // at worst a stale file in a private folder
	}
	r.files[b.Name] = stored{binary: b, path: path}
	return path, nil
}

//go:build linux

package process

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/refguest"
)

// job is one process (and what it may have forked).
type job struct {
	runner *Runner
	cmd    *exec.Cmd
	output *lines
	config string
	group  *group // nil without a cgroup
	done   chan refguest.Outcome
}

func (j *job) Done() <-chan refguest.Outcome { return j.done }

// Kill ends the process and its group. A job that was waited for already keeps its pid in runner.pids
// no longer, and then nobody is killed.
func (j *job) Kill() {
	j.runner.mu.Lock()
	defer j.runner.mu.Unlock()
	if _, alive := j.runner.pids[j.cmd.Process.Pid]; alive {
		_ = unix.Kill(-j.cmd.Process.Pid, unix.SIGKILL) // gone already: fine
	}
}

func (j *job) wait() {
	_ = j.cmd.Wait() // the state says more than the error
	j.runner.mu.Lock()
	delete(j.runner.pids, j.cmd.Process.Pid)
	j.runner.mu.Unlock()
	j.output.flush()
	status, ok := j.cmd.ProcessState.Sys().(syscall.WaitStatus)
	o := refguest.Outcome{Killed: true}
	if ok && status.Exited() {
		o = refguest.Outcome{Code: status.ExitStatus()}
	}
	o.OutOfQuota = o.Killed && j.group.exceeded()
	j.clean()
	j.done <- o
}

func (j *job) clean() {
	_ = os.Remove(j.config) // at worst a stale file in a private folder
	j.group.close(j.runner.opts.Log)
}

// Usage reads what the kernel accounts for the process.
func (j *job) Usage() refguest.Usage {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(j.cmd.Process.Pid) + "/stat")
	if err != nil {
		return refguest.Usage{}
	}
	return parseStat(stat, uint64(os.Getpagesize()))
}

// parseStat reads user and system time (in ticks of 10 ms) and resident pages.
func parseStat(stat []byte, page uint64) refguest.Usage {
	const utime, stime, rss = 11, 12, 21 // fields behind the command, which may hold blanks
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= rss {
		return refguest.Usage{}
	}
	number := func(i int) uint64 {
		n, err := strconv.ParseUint(string(fields[i]), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return refguest.Usage{
		CPU:    time.Duration(number(utime)+number(stime)) * 10 * time.Millisecond,
		Memory: number(rss) * page,
	}
}

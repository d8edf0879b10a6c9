//go:build linux

package boot

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// serverPriority is above every job (97 at most): a task that never ends must not silence the taskloader.
const serverPriority = 98

// raise puts all threads of this process, and those that they make later, under SCHED_FIFO, and the
// kernel's network thread with them, so that a guest full of busy jobs still answers echo requests.
func raise() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			if err := fifo(tid, serverPriority); err != nil {
				return fmt.Errorf("put the server under SCHED_FIFO: %w", err)
			}
		}
	}
	for pid := 2; pid < 64; pid++ { // kernel threads of the first CPUs
		name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if err == nil && bytes.HasPrefix(name, []byte("ksoftirqd/")) {
			if err := fifo(pid, serverPriority); err != nil {
				return fmt.Errorf("put %s under SCHED_FIFO: %w", bytes.TrimSpace(name), err)
			}
		}
	}
	return nil
}

func fifo(pid int, priority uint32) error {
	return unix.SchedSetAttr(pid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}, 0)
}

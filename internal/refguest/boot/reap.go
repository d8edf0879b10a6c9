//go:build linux

package boot

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// reap collects orphans that came to PID 1, at most once a second. Those that owned claims are waited
// for by whoever started them.
func reap(ctx context.Context, owned func(pid int) bool) {
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	defer signal.Stop(died)
	for {
		select {
		case <-ctx.Done():
			return
		case <-died:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		for _, pid := range zombies() {
			if !owned(pid) {
				_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // somebody else was faster: fine
			}
		}
	}
}

// zombies lists our children that have ended.
func zombies() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 && string(fields[0]) == "Z" && string(fields[1]) == strconv.Itoa(os.Getpid()) {
			pids = append(pids, pid)
		}
	}
	return pids
}

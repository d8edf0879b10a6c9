package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// reapPause is how long a dead child may wait for whoever started it.
const reapPause = 2 * time.Second

// reap buries orphans while the agent is PID 1, to whom the kernel gives every process whose parent has
// died. QEMU has somebody who waits for it and is gone at once; who is still there at the next look
// belongs to nobody.
func reap(ctx context.Context) {
	if os.Getpid() != 1 {
		return
	}
	ticker := time.NewTicker(reapPause)
	defer ticker.Stop()
	before := map[int]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := map[int]bool{}
		for _, pid := range deadChildren() {
			now[pid] = true
			if before[pid] {
				_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // fails when somebody was faster
			}
		}
		before = now
	}
}

// deadChildren lists the children of this process that have ended and were not waited for.
func deadChildren() []int {
	lists, _ := filepath.Glob("/proc/self/task/*/children") // a good pattern never fails
	var dead []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has just ended
		}
		for _, field := range bytes.Fields(text) {
			if pid, err := strconv.Atoi(string(field)); err == nil && isZombie(pid) {
				dead = append(dead, pid)
			}
		}
	}
	return dead
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, ok := bytes.Cut(stat, []byte(") ")) // the name stands in brackets and may hold anything
	if i := bytes.LastIndex(stat, []byte(") ")); ok {
		rest = stat[i+2:]
	}
	return len(rest) > 0 && rest[0] == 'Z'
}

package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Marked returns the processes whose environment holds variable=value: descendants keep the
// environment they were started with even when they leave the process group. Processes whose
// environment may not be read, and zombies, are not seen.
func Marked(variable, value string) []int {
	want := []byte(variable + "=" + value)
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well-formed
	var pids []int
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile, or not ours
		}
		for setting := range bytes.SplitSeq(environ, []byte{0}) {
			if bytes.Equal(setting, want) {
				if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && pid != os.Getpid() {
					pids = append(pids, pid)
				}
				break
			}
		}
	}
	return pids
}

// KillMarked kills all processes [Marked] finds, until it finds none or the patience is over, and
// returns those left.
func KillMarked(variable, value string, patience time.Duration) []int {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		pids := Marked(variable, value)
		if len(pids) == 0 || time.Now().After(end) {
			return pids
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
}

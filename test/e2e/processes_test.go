package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

type proc struct {
	pid     int
	command string
}

// processes are those of this machine whose command line contains the text.
func processes(t *testing.T, text string) []proc {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out []proc
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended meanwhile
		}
		command := strings.ReplaceAll(string(b), "\x00", " ")
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if strings.Contains(command, text) && pid != os.Getpid() {
			out = append(out, proc{pid, command})
		}
	}
	return out
}

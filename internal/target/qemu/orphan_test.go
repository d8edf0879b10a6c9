package qemu

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// orphanVariable makes the test binary start a child and wait to be killed.
const orphanVariable = "GENODE_OPERATOR_TEST_ORPHAN"

func orphanMain() {
	p, err := startProcess("sleep", []string{"600"}, os.TempDir(), io.Discard, io.Discard)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.pid)
	<-p.done
	os.Exit(0)
}

// gone reports whether a process has ended; a zombie that nobody collects counts as ended.
func gone(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAProcessDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), orphanVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid := strings.TrimSpace(line)
	if pid == "" || gone(pid) {
		t.Errorf("the child %q did not start", line)
	}
	parent.Process.Kill()
	parent.Wait()
	for deadline := time.Now().Add(30 * time.Second); !gone(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %s outlives its parent", pid)
		}
	}
}

func TestAProcessOutlivesTheThreadOfItsCaller(t *testing.T) {
	started := make(chan *process)
	go func() {
		runtime.LockOSThread() // without unlocking: the thread ends with this goroutine
		p, err := startProcess("sleep", []string{"600"}, t.TempDir(), io.Discard, io.Discard)
		if err != nil {
			t.Error(err)
		}
		started <- p
	}()
	p := <-started
	if p == nil {
		return
	}
	defer p.kill()
	for range 50 { // threads come and go
		over := make(chan struct{})
		go func() { defer close(over); runtime.LockOSThread() }()
		<-over
	}
	select {
	case <-p.done:
		t.Fatalf("the process ended with a thread: %v", p.exit)
	case <-time.After(200 * time.Millisecond):
	}
}

func TestHowAProcessEnds(t *testing.T) {
	tests := map[string]struct {
		script     string
		wantCode   int
		wantSignal string
		wantError  string
	}{
		"status 0":          {script: "exit 0", wantError: "QEMU exited with status 0"},
		"status and stderr": {script: "echo one >&2; echo two >&2; exit 3", wantCode: 3, wantError: "QEMU exited with status 3: one; two"},
		"signal":            {script: "kill -SEGV $$", wantCode: -1, wantSignal: "segmentation fault", wantError: "QEMU was ended by signal segmentation fault"},
		"known harmless lines are left out": {
			script: "echo \"warning: TCG doesn't support requested feature: CPUID\" >&2; echo bad >&2; exit 1", wantCode: 1,
			wantError: "QEMU exited with status 1: bad",
		},
		"only the last lines are kept": {
			script: "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i >&2; done; exit 1", wantCode: 1,
			wantError: "QEMU exited with status 1: 3; 4; 5; 6; 7; 8; 9; 10; 11; 12",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := startProcess("sh", []string{"-c", tc.script}, t.TempDir(), io.Discard, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			<-p.done
			if p.exit.Code != tc.wantCode || p.exit.Signal != tc.wantSignal || p.exit.Error() != tc.wantError {
				t.Errorf("code %d, signal %q, error %q; want %d, %q, %q", p.exit.Code, p.exit.Signal, p.exit, tc.wantCode, tc.wantSignal, tc.wantError)
			}
			p.kill() // of a process that is gone
		})
	}
}

func TestKillEndsTheWholeGroup(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	p, err := startProcess("sh", []string{"-c", "sleep 600 & echo $!; wait"}, t.TempDir(), w, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	if p.exit.Signal != syscall.SIGKILL.String() {
		t.Errorf("ended by %v", p.exit)
	}
	for deadline := time.Now().Add(30 * time.Second); !gone(strings.TrimSpace(line)); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a child of the process lives on")
		}
	}
}

func TestAProcessHasAnEnvironmentOfItsOwn(t *testing.T) {
	t.Setenv("SECRET_TOKEN", "x")
	dir := t.TempDir()
	var out strings.Builder
	p, err := startProcess("/usr/bin/env", nil, dir, &out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	<-p.done
	if strings.Contains(out.String(), "SECRET") || !strings.Contains(out.String(), "TMPDIR="+dir+"\n") {
		t.Errorf("environment:\n%s", out.String())
	}
}

package process_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "start-a-child" {
		p, err := process.Start(exec.Command("sleep", "600"), false)
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(strconv.Itoa(p.Pid) + "\n")
		select {}
	}
	goleak.VerifyTestMain(m)
}

func TestExit(t *testing.T) {
	tests := map[string]struct {
		script string
		grace  time.Duration // Stop is called when not 0
		want   process.Exit
	}{
		"a code is passed on":                      {script: "exit 7", want: process.Exit{Code: 7}},
		"a signal is 128 and its number":           {script: "kill -SEGV $$", want: process.Exit{Code: 139, Signal: syscall.SIGSEGV}},
		"who heeds SIGTERM ends with its own code": {script: "trap 'exit 3' TERM; echo; while :; do sleep 0.01; done", grace: time.Minute, want: process.Exit{Code: 3}},
		"who ignores SIGTERM is killed":            {script: "trap '' TERM; echo; while :; do sleep 0.01; done", grace: 50 * time.Millisecond, want: process.Exit{Code: 137, Signal: syscall.SIGKILL}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", tc.script)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			cmd.Stdout = w
			p, err := process.Start(cmd, true)
			w.Close()
			if err != nil {
				t.Fatal(err)
			}
			if tc.grace > 0 {
				if _, err := bufio.NewReader(r).ReadString('\n'); err != nil { // the trap is set
					t.Fatal(err)
				}
				p.Stop(tc.grace)
			}
			got := p.Exit()
			if got.At.IsZero() {
				t.Error("no time of the end")
			}
			got.At = time.Time{}
			if got != tc.want {
				t.Errorf("exit %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestTheGroupEndsWithItsLeader(t *testing.T) {
	mark := t.TempDir()
	cmd := exec.Command("sh", "-c", "sleep 600 & setsid sleep 600 & exit 0")
	cmd.Env = append(os.Environ(), "PROCESS_TEST="+mark)
	p, err := process.Start(cmd, false)
	if err != nil {
		t.Fatal(err)
	}
	p.Exit()
	if left := process.KillMarked("PROCESS_TEST", mark, 10*time.Second); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

func TestNoNewPrivileges(t *testing.T) {
	for _, want := range []string{"0", "1"} {
		cmd := exec.Command("grep", "NoNewPrivs", "/proc/self/status")
		var out strings.Builder
		cmd.Stdout = &out
		p, err := process.Start(cmd, want == "1")
		if err != nil {
			t.Fatal(err)
		}
		p.Exit()
		if f := strings.Fields(out.String()); len(f) != 2 || f[1] != want {
			t.Errorf("got %q, want %s", out.String(), want)
		}
	}
}

func TestAChildDiesWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self, "start-a-child")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d has outlived its parent: %s", child, state)
		}
	}
}

//go:build linux

package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/refguest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if dir, err := tasks(); err == nil { // compiles them if no test has; a fraction of a second
			_ = os.RemoveAll(dir)
		}
		os.Exit(code)
	}))
}

// tasks compiles the task binaries once.
var tasks = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "refguest-tasks-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("../../../test/tasks/build.sh", dir).CombinedOutput()
	if err != nil {
		return "", &os.PathError{Op: strings.TrimSpace(string(out)), Path: dir, Err: err}
	}
	return dir, nil
})

func load(t *testing.T, name string) *refguest.Binary {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("the task binaries need gcc: apt-get install gcc")
	}
	dir, err := tasks()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return &refguest.Binary{Name: name, Content: content}
}

type output struct {
	mu    sync.Mutex
	lines []string
}

func (o *output) add(_, args string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, args)
}

func outcome(t *testing.T, j refguest.Job) refguest.Outcome {
	t.Helper()
	select {
	case o := <-j.Done():
		return o
	case <-time.After(time.Minute):
		t.Fatal("the job does not end")
		return refguest.Outcome{}
	}
}

func TestJobs(t *testing.T) {
	cases := map[string]struct {
		task       string
		config     string
		quota      uint64
		want       refguest.Outcome
		wantOutput string
	}{
		"hey says so":                         {task: "hey", config: "<config/>", wantOutput: "hey"},
		"namaste says so":                     {task: "namaste", config: "<config/>", wantOutput: "namaste"},
		"pi reads its argument":               {task: "pi", config: "<config><arg1>1000</arg1></config>", wantOutput: "pi after 1000 terms, in millionths: 3140592"},
		"pi without its argument fails":       {task: "pi", config: "<config/>", want: refguest.Outcome{Code: 1}, wantOutput: "config has no number arg1"},
		"cond_42 with 42":                     {task: "cond_42", config: "<config><arg1>42</arg1></config>"},
		"cond_mod with an odd number":         {task: "cond_mod", config: "<config><arg1>41</arg1></config>"},
		"tumatmul sieves":                     {task: "tumatmul", config: "<config><arg0>5</arg0><arg1>100</arg1></config>", wantOutput: "25 primes up to 100"},
		"linpack within its quota":            {task: "linpack", config: "<config><arg1>50</arg1></config>", quota: 4 << 20, wantOutput: "linpack of order 50"},
		"linpack that needs more than it has": {task: "linpack", config: "<config><arg1>9000</arg1></config>", quota: 1 << 20, want: refguest.Outcome{Code: 22}, wantOutput: "not enough memory"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out output
			dir := t.TempDir()
			r := New(Options{Dir: dir, Log: funcr.New(out.add, funcr.Options{})})
			j, err := r.Start(refguest.Spec{Name: "00." + tc.task, Binary: load(t, tc.task), Config: []byte(tc.config), Quota: tc.quota})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, outcome(t, j)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if got := strings.Join(out.lines, "\n"); !strings.Contains(got, tc.wantOutput) {
				t.Errorf("output %q, want %q in it", got, tc.wantOutput)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "config.*")); len(left) != 0 {
				t.Errorf("configs left behind: %v", left)
			}
		})
	}
}

func TestKillEndsAJobAndItsWholeGroup(t *testing.T) {
	r := New(Options{Dir: t.TempDir()})
	j, err := r.Start(refguest.Spec{Name: "00.idle", Binary: load(t, "idle"), Config: []byte("<config/>")})
	if err != nil {
		t.Fatal(err)
	}
	j.Kill()
	if diff := cmp.Diff(refguest.Outcome{Killed: true}, outcome(t, j)); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	j.Kill() // too late, and harmless
}

func TestWhatIsNoProgramIsRefused(t *testing.T) {
	dir := t.TempDir()
	r := New(Options{Dir: dir})
	if _, err := r.Start(refguest.Spec{Name: "00.x", Binary: &refguest.Binary{Name: "x", Content: []byte("no ELF")}}); err == nil {
		t.Error("a text was started")
	}
	if _, err := r.Start(refguest.Spec{Name: "00.hey", Binary: load(t, "hey"), Quota: 1 << 60}); err == nil {
		t.Error("a job was started with more memory than there is")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "config.*")); len(left) != 0 {
		t.Errorf("configs left behind: %v", left)
	}
}

func TestANewUploadReplacesTheOld(t *testing.T) {
	r := New(Options{Dir: t.TempDir()})
	first, second := load(t, "hey"), load(t, "namaste")
	second.Name = first.Name
	a, err := r.file(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.file(second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(a); a == b || !os.IsNotExist(err) {
		t.Errorf("old file %s (%v), new file %s", a, err, b)
	}
	if again, _ := r.file(second); again != b {
		t.Errorf("the same binary was written twice: %s, %s", b, again)
	}
}

func TestPriorities(t *testing.T) {
	for genode, want := range map[uint32]uint32{0: 97, 127: 2, 128: 97, 64: 49} {
		if got := fifo(genode); got != want {
			t.Errorf("fifo(%d) = %d, want %d", genode, got, want)
		}
	}
	for p := uint32(1); p < 128; p++ {
		if fifo(p) > fifo(p-1) {
			t.Errorf("priority %d is above %d", p, p-1)
		}
	}
}

func TestUsage(t *testing.T) {
	stat := "12 (a b) c) R 1 2 3 4 5 6 7 8 9 10 7 5 13 14 15 16 17 18 19 20 30 22 23"
	want := refguest.Usage{CPU: 120 * time.Millisecond, Memory: 30 * 4096}
	if diff := cmp.Diff(want, parseStat([]byte(stat), 4096)); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	if got := parseStat([]byte("12 (x"), 4096); got != (refguest.Usage{}) {
		t.Errorf("usage of half a line: %+v", got)
	}
}

func TestOutputIsBounded(t *testing.T) {
	var out output
	l := &lines{log: funcr.New(out.add, funcr.Options{}), prefix: "p "}
	for range 10_000 {
		if n, err := l.Write([]byte("a line\nan")); n != 9 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if len(out.lines) > maxOutput/len("a line\n") {
		t.Errorf("%d lines got through", len(out.lines))
	}
	if last := out.lines[len(out.lines)-1]; !strings.Contains(last, "dropped") {
		t.Errorf("last line %q does not say that output is dropped", last)
	}
}

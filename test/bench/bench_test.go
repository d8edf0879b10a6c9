package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
)

// TestMain is the fake targets' process, too, which the benchmark starts by its own name.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "fakes" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// quick are options for a short run with a freshly built agent, whose files lie in the returned folder.
func quick(t *testing.T, only ...string) (o *options, dir string) {
	t.Helper()
	if os.Getenv("REFGUEST_IMAGE") == "" || os.Getenv("REFGUEST_TASKS") == "" {
		t.Skip("REFGUEST_IMAGE and REFGUEST_TASKS are not set: build the reference guest with \"make guest\" and set them to its folders")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skipf("no QEMU: %v", err)
	}
	agent := filepath.Join(t.TempDir(), "agent")
	dir, err := os.MkdirTemp("", "bench") // short: there will be sockets in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	repo, err := assets.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", agent, "./cmd/agent")
	build.Dir = repo
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "TMPDIR="+t.TempDir())
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	o = &options{}
	o.register(&cobra.Command{})
	o.quick, o.only, o.agent, o.output = true, only, agent, "text"
	if err := o.complete(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	return o, dir
}

// nothingLeft checks that no file and no process of the run is left.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s is left", filepath.Join(dir, e.Name()))
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(dir+"/")) {
			t.Errorf("still running: %s", bytes.ReplaceAll(b, []byte{0}, []byte(" ")))
		}
	}
}

// TestEverySeriesHasResults is the short form of the whole. How large the numbers are is no matter here, and
// neither is a false alarm: the machine may be so busy that an echo time-out of 250 ms is too short.
func TestEverySeriesHasResults(t *testing.T) {
	o, dir := quick(t)
	var out bytes.Buffer
	b := &bench{}
	err := b.measure(t.Context(), o, &out, &progress{out: t.Output()})
	t.Log("\n" + out.String())
	switch {
	case errors.Is(err, errFalseAlarm):
		t.Log(err)
	case err != nil:
		t.Fatal(err)
	}
	nothingLeft(t, dir)
	for _, s := range b.report.Freezes {
		if s.Failure != "" || s.Detection.N != o.freezes || s.Outage.N != o.freezes || s.Outage.Min <= 0 || s.Silence.Min < float64(s.TimeoutMS) {
			t.Errorf("freezes: %+v", s)
		}
	}
	for _, s := range b.report.Busy {
		if s.RoundTrip.N == 0 || s.LongestGap <= 0 {
			t.Errorf("busy: %+v", s)
		}
	}
	for _, s := range b.report.Footprint {
		if s.Agent.Resident <= 0 || s.QEMU.Resident <= 0 || s.Agent.Private <= 0 {
			t.Errorf("footprint: %+v", s)
		}
	}
	for _, s := range b.report.Echoes {
		if s.RoundTrip.N == 0 || s.RoundTrip.Min <= 0 {
			t.Errorf("echoes: %+v", s)
		}
	}
	for _, s := range b.report.Throughput {
		if s.PerSecond <= 0 || s.PerRaw <= 0 || s.SentBytes <= 0 || s.ReceivedBytes <= 0 {
			t.Errorf("variants: %+v", s)
		}
	}
	if f, y, i, e, v := len(b.report.Freezes), len(b.report.Busy), len(b.report.Footprint), len(b.report.Echoes), len(b.report.Throughput); f != 6 || y != 4 || i != 2 || e != 2 || v != 6 {
		t.Errorf("%d freeze series, %d busy, %d footprints, %d echo series, %d throughputs", f, y, i, e, v)
	}
	for _, want := range []string{"detection/time-out", "gap/time-out", "agent/QEMU", "of raw loop", " x ", "CPUs (", "load ", "Linux ", "QEMU "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables do not say %q", want)
		}
	}
}

func TestAnInterruptedRunLeavesNothing(t *testing.T) {
	o, dir := quick(t, partRestore)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // while guests boot
	defer cancel()
	b := &bench{}
	if err := b.measure(ctx, o, &bytes.Buffer{}, &progress{out: t.Output()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("measure = %v", err)
	}
	nothingLeft(t, dir)
}

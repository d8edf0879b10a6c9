package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// process is a genodectl that runs.
type process struct {
	*exec.Cmd
	log   bytes.Buffer // to be read when it has ended
	ended chan struct{}
}

// begin starts genodectl; it is killed after the test at the latest.
func (l *lab) begin(args ...string) *process {
	l.Helper()
	p := &process{Cmd: l.command(context.Background(), "genodectl", args...), ended: make(chan struct{})}
	p.Stderr = &p.log
	if err := p.Start(); err != nil {
		l.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.Wait() // ProcessState says how it ended
	}()
	l.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// end waits for the end of a process, and returns its exit code; -1 for a signal.
func (l *lab) end(p *process) int {
	l.Helper()
	const limit = time.Minute
	select {
	case <-p.ended:
	case <-time.After(limit):
		l.Fatal("genodectl does not end")
	}
	return p.ProcessState.ExitCode()
}

// await waits until target i has seen n messages or events of a kind.
func (l *lab) await(i int, what string, n int) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	if err := l.targets[i].Await(ctx, what, n); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) signal(p *process, s os.Signal) {
	l.Helper()
	if err := p.Process.Signal(s); err != nil {
		l.Fatal(err)
	}
}

const forEver = 3_600_000 // ms

func TestCtrlCStopsTheTargets(t *testing.T) {
	l := newLab(t, 3, faketarget.Options{Job: faketarget.Takes(forEver)})
	p := l.begin(append([]string{"run", "-t", "example.Hey6"}, l.targetFlags(3)...)...)
	for i := range l.targets {
		l.await(i, "START", 1)
	}
	l.signal(p, os.Interrupt)
	if code := l.end(p); code != 1 || !strings.Contains(p.log.String(), "stopped: 0 of 127 variants") {
		t.Errorf("code %d: %s", code, &p.log)
	}
	for i, target := range l.targets {
		if target.Count("STOP") == 0 {
			t.Errorf("target %s was not told to stop", address(i))
		}
	}
	if n := len(l.records("example-hey6")); n != 0 {
		t.Errorf("%d records of variants that were stopped", n)
	}
}

func TestTheSecondCtrlCKills(t *testing.T) {
	l := newLab(t, 1, faketarget.Options{Job: faketarget.Takes(forEver), Faults: []faketarget.Fault{{At: faketarget.AtStop, Do: faketarget.Hang()}}})
	p := l.begin(append([]string{"run", "-t", "example.Hey6"}, l.targetFlags(1)...)...)
	l.await(0, "START", 1)
	l.signal(p, os.Interrupt)
	l.await(0, faketarget.Hung, 1) // it has the STOP, and says nothing
	l.signal(p, os.Interrupt)
	l.end(p)
	if status, is := p.ProcessState.Sys().(syscall.WaitStatus); !is || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v, want by the signal: %s", p.ProcessState, &p.log)
	}
}

func TestAKilledCampaignGoesOn(t *testing.T) {
	l := newLab(t, 2, faketarget.Options{Job: faketarget.Takes(5)})
	run := append([]string{"run", "-t", "example.Hey6"}, l.targetFlags(2)...)
	for n := range 3 {
		p := l.begin(run...)
		l.await(0, "START", 10*(n+1))
		l.signal(p, os.Kill)
		l.end(p)
	}
	if got := l.genodectl(run...); got.code != 0 {
		t.Fatalf("code %d: %s", got.code, got.log)
	}
	l.once("example-hey6", 127)
	if n := l.targets[0].Count("START") + l.targets[1].Count("START"); n >= 2*127 {
		t.Errorf("%d starts: nothing was kept of what had ended before the kills", n)
	}
}

func TestStopAndResume(t *testing.T) {
	l := newLab(t, 2, faketarget.Options{Job: faketarget.Takes(20)})
	p := l.begin(append([]string{"run", "-t", "example.Hey6"}, l.targetFlags(2)...)...)
	l.await(0, "START", 5)
	second := l.genodectl(append([]string{"run", "-t", "example.Hey6"}, l.targetFlags(2)...)...)
	if second.code != 2 || !strings.Contains(second.log, "runs already") {
		t.Errorf("a second run of the same campaign: code %d: %s", second.code, second.log)
	}
	if got := l.genodectl("stop", "example-hey6"); got.code != 0 {
		t.Fatalf("stop: code %d: %s", got.code, got.log)
	}
	if code := l.end(p); code != 1 {
		t.Errorf("the stopped run ended with %d", code)
	}
	if got := l.genodectl("stop", "example-hey6"); got.code != 2 || !strings.Contains(got.log, "does not run") {
		t.Errorf("stop again: code %d: %s", got.code, got.log)
	}
	if got := l.genodectl("resume", "example-hey6"); got.code != 0 {
		t.Fatalf("resume: code %d: %s", got.code, got.log)
	}
	l.once("example-hey6", 127)
}

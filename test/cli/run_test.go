package cli

import (
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

func TestHey6OnEightTargets(t *testing.T) {
	l := newLab(t, 8, faketarget.Options{Job: faketarget.Takes(10)})
	got := l.genodectl(append([]string{"run", "-t", "example.Hey6TaskSet", "-o", "csv"}, l.targetFlags(8)...)...)
	if got.code != 0 {
		t.Fatalf("code %d: %s", got.code, got.log)
	}
	l.once("example-hey6", 127)
	if n := strings.Count(got.out, "\n"); n != 128 {
		t.Errorf("%d lines of CSV, want a head and 127 jobs:\n%s", n, got.out)
	}
	if !strings.Contains(got.log, "127/127 variants") || strings.ContainsAny(got.log, "\r\x1b") {
		t.Errorf("progress %q, want plain lines that end with all variants", got.log)
	}
	for i, target := range l.targets {
		if target.Count("START") == 0 {
			t.Errorf("target %s ran nothing", address(i))
		}
	}
}

func TestTheSameCommandGoesOn(t *testing.T) {
	l := newLab(t, 1, faketarget.Options{})
	run := append([]string{"run", "-t", "example.Hey6"}, l.targetFlags(1)...)
	for range 2 {
		if got := l.genodectl(run...); got.code != 0 {
			t.Fatalf("code %d: %s", got.code, got.log)
		}
	}
	if n := l.targets[0].Count("START"); n != 127 {
		t.Errorf("%d starts after two runs, want 127: the second has nothing to do", n)
	}
	l.once("example-hey6", 127)
	if got := l.genodectl(append(run, "--fresh")...); got.code != 0 || l.targets[0].Count("START") != 254 {
		t.Errorf("--fresh: code %d, %d starts, want 254: %s", got.code, l.targets[0].Count("START"), got.log)
	}
	l.once("example-hey6", 127)
}

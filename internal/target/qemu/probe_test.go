package qemu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The probe guest itself is right: under TCG it reports at once.
func TestTheProbeGuestRunsUnderTCG(t *testing.T) {
	need(t, x86)
	t.Setenv("TMPDIR", t.TempDir())
	// a busy machine may take longer than the probe allows, but not every time
	var err error
	for range 5 {
		if err = probe(within(t), x86, "tcg"); err == nil {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
	wantNothingLeft(t)
}

func TestAProbeThatFailsLeavesNothingBehind(t *testing.T) {
	tests := map[string]struct {
		script string
		cancel bool
		want   string
	}{
		"QEMU refuses":              {script: "echo 'failed to initialize kvm' >&2; exit 1", want: "failed to initialize kvm"},
		"QEMU ends without a guest": {script: "exit 0", want: "status 0"},
		"the guest gets nowhere":    {script: "exec sleep 600", want: "got nowhere within"},
		"the caller gives up":       {script: "exec sleep 600", cancel: true, want: "context canceled"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "qemu")
			must(t, os.WriteFile(binary, []byte("#!/bin/sh\n"+tc.script+"\n"), 0o700))
			t.Setenv("TMPDIR", t.TempDir())
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if tc.cancel {
				cancel()
			}
			if err := probe(ctx, binary, "kvm"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not hold %q", err, tc.want)
			}
			wantNothingLeft(t)
		})
	}
}

func wantNothingLeft(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Whatever this machine's KVM is like, the answer comes in bounded time.
func TestProbeKVMComesBack(t *testing.T) {
	need(t, x86)
	begin := time.Now()
	err := ProbeKVM(within(t), "pc")
	t.Logf("KVM here: %v, after %s", err, time.Since(begin).Round(time.Millisecond))
	if took := time.Since(begin); took > 10*probeTimeout {
		t.Errorf("the probe took %s", took)
	}
}

func TestProbeKVMSaysNoWithoutTrying(t *testing.T) {
	for preset, want := range map[string]string{"virt-arm64": "runs under TCG only", "vax": "is unknown"} {
		if err := ProbeKVM(context.Background(), preset); err == nil || errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), want) {
			t.Errorf("preset %s: error %v does not hold %q", preset, err, want)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// agentProgram builds the agent once for a test.
func agentProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func TestWhatIsWrongIsSaidAtOnce(t *testing.T) {
	program := agentProgram(t)
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	if err := os.WriteFile(image, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	pc := []string{"--preset=pc", "--disk=" + image}
	cases := map[string]struct {
		args []string
		want string // the whole of standard error when it ends in a line feed
	}{
		"a missing kernel": {
			[]string{"--preset=pc", "--kernel=/x"}, "spec.qemu.boot.kernel.path \"/x\": no such file in the runner image\n"},
		"a missing file of another source": {
			[]string{"--preset=pc", "--iso=/sources/source-0/a/genode.iso"},
			"spec.qemu.boot.iso.path \"a/genode.iso\": no such file in the image, claim or ConfigMap that it names\n"},
		"a folder instead of a file": {[]string{"--preset=pc", "--disk=" + dir}, "spec.qemu.boot.disk.path"},
		"missing binaries":           {append(pc, "--binaries=/nowhere"), "spec.qemu.binaries.path \"/nowhere\": no such folder in the runner image\n"},
		"no preset":                  {[]string{"--disk=" + image}, "spec.qemu.preset"},
		"an unknown preset":          {[]string{"--preset=vax", "--disk=" + image}, "vax"},
		"two boot sources":           {append(pc, "--iso="+image), "exactly one"},
		"a guest outside its subnet": {append(pc, "--guest-address=10.9.9.9"), "10.9.9.9"},
		"a time-out that is too short": {
			append(pc, "--echo-interval=1s", "--echo-timeout=1s"), "at least twice"},
		"an unknown step":                   {append(pc, "--steps=Replace"), "spec.restart.steps"},
		"a bad pattern":                     {append(pc, "--ready-log-pattern=("), "spec.health.readyLogPattern"},
		"a console policy that is none":     {append(pc, "--console-policy=ci"), "--console-policy: console policy \"ci\": the access is missing"},
		"a console for everybody":           {append(pc, "--console-plain=0.0.0.0:7500"), "without TLS a serial line stays on loopback"},
		"a console that leaves without TLS": {append(pc, "--console-dial=192.0.2.1:23"), "without TLS a serial line stays on loopback"},
		"a console at no port":              {append(pc, "--console-listen=127.0.0.1"), "--console-listen \"127.0.0.1\": give HOST:PORT"},
		"consoles beyond the last port":     {append(pc, "--console-listen=127.0.0.1:65534", "--serial-lines=3"), "from 1 to 65533"},
		"too many serial lines":             {append(pc, "--serial-lines=5"), "spec.qemu.serialLines"},
		"an unknown flag":                   {append(pc, "--nonsense"), "unknown flag: --nonsense"},
		"a bad override":                    {append(pc, "--machine=q35,accel=kvm"), "overrides.machine"},
		"a bad accelerator":                 {append(pc, "--accelerator=Fast"), "spec.qemu.accelerator"},
		"a forward of no port":              {append(pc, "--forward=70000"), "spec.qemu.network.ports"},
		"a download to nowhere": {
			[]string{"fetch", "--url=http://127.0.0.1:1/x", "--sha256=12", "--to=/nowhere", "--field=spec.qemu.boot.iso"}, "spec.qemu.boot.iso.sha256"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "termination-log")
			cmd := exec.CommandContext(t.Context(), program, append([]string{"--termination-log=" + report}, tc.args...)...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitConfig {
				t.Errorf("ended with %v, want status %d", err, exitConfig)
			}
			whole := strings.HasSuffix(tc.want, "\n")
			if got := stderr.String(); whole && got != tc.want || !strings.Contains(got, tc.want) {
				t.Errorf("standard error %q, want %q", got, tc.want)
			}
			message, err := os.ReadFile(report)
			if err != nil || !strings.HasSuffix(strings.TrimSpace(stderr.String()), string(message)) {
				t.Errorf("termination log %q, %v", message, err)
			}
		})
	}
}

func TestPresetsAreListed(t *testing.T) {
	log := ""
	cmd := command(&log)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"presets"})
	if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), "virt-arm64") || !strings.Contains(out.String(), "gic-version=3") {
		t.Errorf("presets = %v:\n%s", err, out.String())
	}
}

// A machine that finds nothing to boot is guest enough for what has nothing to do with guests.
func TestTheAgentRunsAndEnds(t *testing.T) {
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skipf("no QEMU: %v", err)
	}
	program := agentProgram(t)
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.WriteFile(disk, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	const ip = "127.77.0.1"
	work := filepath.Join(dir, "w")
	agent := exec.CommandContext(t.Context(), program, "--preset=linux-x86", "--disk="+disk, "--accelerator=TCG", "--pod-ip="+ip, "--work-dir="+work)
	var stderr bytes.Buffer
	agent.Stderr = &stderr
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, "http://"+ip+":7080/startupz", http.StatusOK)
	awaitStatus(t, "http://"+ip+":7080/livez", http.StatusOK)
	awaitStatus(t, "http://"+ip+":7080/readyz", http.StatusServiceUnavailable)

	token, errToken := os.ReadFile(filepath.Join(work, "credentials", "token"))
	cert, errCert := os.ReadFile(filepath.Join(work, "credentials", "tls.crt"))
	if errToken != nil || errCert != nil {
		t.Fatal(errToken, errCert)
	}
	client, err := agentapi.NewClient(ip+":7443", agentapi.Credentials{Token: string(token), CertPEM: cert})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	state, err := client.State(t.Context())
	if err != nil || state.Verdict != agentapi.VerdictBooting || state.Boots != 1 || state.Accelerator != "TCG" {
		t.Errorf("state %+v, %v", state, err)
	}
	if err := client.Do(t.Context(), agentapi.ActionStop); err != nil {
		t.Error(err)
	}
	if state, err = client.State(t.Context()); err != nil || state.Verdict != agentapi.VerdictPaused {
		t.Errorf("paused: %+v, %v", state, err)
	}
	qemu := childrenOf(t, agent.Process.Pid)
	if len(qemu) == 0 {
		t.Error("the agent has no children")
	}
	began := time.Now()
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := agent.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, stderr.String())
	}
	t.Logf("ended %s after SIGTERM", time.Since(began).Round(time.Millisecond))
	for _, pid := range qemu {
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("child %s outlived the agent", pid)
		}
	}
}

func TestDeadChildrenAreFound(t *testing.T) {
	child := exec.CommandContext(t.Context(), "true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for !slices.Contains(deadChildren(), child.Process.Pid) {
		if time.Now().After(deadline) {
			t.Fatal("a child that nobody waits for was not found")
		}
		time.Sleep(time.Millisecond)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(deadChildren(), child.Process.Pid) {
		t.Error("a child that was buried is still found")
	}
}

func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "cat /proc/$1/task/*/children", "sh", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// awaitStatus asks until the answer has the status.
func awaitStatus(t *testing.T, url string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode == want {
				return
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not answer %d: %v", url, want, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

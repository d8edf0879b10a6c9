package assets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// killDelay is how long a cancelled go command may take to end before its output is abandoned.
const killDelay = 5 * time.Second

// build is one building of hack/kubebox.
type build struct {
	source string // folder of the sources
	dir    string // folder of the result; it exists complete or not at all
}

func newBuild(root string) (build, error) {
	source := filepath.Join(root, "hack", "kubebox")
	sum, err := hashSources(source)
	if err != nil {
		return build{}, fmt.Errorf("read the sources of the control plane: %w", err)
	}
	return build{source: source, dir: filepath.Join(root, ".cache", "kubebox", sum)}, nil
}

// hashSources names a version of the sources: everything the binary depends on is in these files.
func hashSources(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	slices.Sort(files)
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOOS, runtime.GOARCH, ldflags)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(file), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// ldflags drop the symbol tables and stamp the version, which else reads v0.0.0-master.
const ldflags = "-s -w -X k8s.io/component-base/version.gitVersion=" + Version +
	" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37"

// run builds into a temporary folder and renames it, so that no half result is ever found.
func (b build) run(ctx context.Context, progress io.Writer) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("build the control plane: %w; install Go 1.26 or newer, or set %s", err, Env)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(b.dir), ".new-")
	if err != nil {
		return fmt.Errorf("build the control plane: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }() // nothing is left there after success
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("build the control plane: %w", err)
	}
	m := newMeter(progress)
	m.say("Building etcd and Kubernetes %s from their Go modules into %s.", Version, b.dir)
	m.say("This happens once; with an empty build cache it takes 8 to 15 minutes on two cores and 5 GB of disk.")
	if err := b.compile(ctx, tmp, m); err != nil {
		return fmt.Errorf("build the control plane (hack/kubebox): %w", err)
	}
	for _, name := range links {
		if err := os.Symlink(Binary, filepath.Join(tmp, name)); err != nil {
			return fmt.Errorf("build the control plane: %w", err)
		}
	}
	_ = os.RemoveAll(b.dir) // at most a damaged result; if it stays, the rename says so
	if err := os.Rename(tmp, b.dir); err != nil {
		return fmt.Errorf("build the control plane: %w", err)
	}
	m.say("Built etcd and Kubernetes in %s.", m.elapsed())
	return nil
}

func (b build) compile(ctx context.Context, tmp string, m *meter) error {
	stop := m.start()
	defer stop()
	m.phase("downloading modules")
	var listing, complaints bytes.Buffer
	list := b.goCommand(ctx, "list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", ".")
	list.Stdout, list.Stderr = &listing, io.MultiWriter(&complaints, m)
	if err := list.Run(); err != nil {
		return explain(ctx, "go list", err, complaints.String())
	}
	m.total(len(strings.Fields(listing.String())))
	m.phase("compiling packages")
	complaints.Reset()
	compile := b.goCommand(ctx, "build", "-v", "-ldflags", ldflags, "-o", filepath.Join(tmp, Binary), ".")
	compile.Stderr = io.MultiWriter(&complaints, m)
	if err := compile.Run(); err != nil {
		return explain(ctx, "go build", err, complaints.String())
	}
	return nil
}

// goCommand prepares a go command with the flags of this repository's other builds, which thereby
// share their compiled packages. It is a process group of its own, ended as a whole.
func (b build) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "GOWORK=off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay
	return cmd
}

// explain adds the last lines of a failed go command that are not mere package names.
func explain(ctx context.Context, what string, err error, output string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
	var lines []string
	for line := range strings.Lines(output) {
		if line = strings.TrimRight(line, "\n"); !isPackage(line) && !isDownload(line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s: %w", what, err)
	}
	return errors.Join(fmt.Errorf("%s: %w", what, err), errors.New(strings.Join(lines[max(0, len(lines)-20):], "\n")))
}

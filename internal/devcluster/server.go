package devcluster

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

// readyLine begins the line by which "kubebox server" says that it is ready.
const readyLine = "cluster ready"

// lastLines is how much of the log an error shows.
const lastLines = 15

// startServer starts the control plane's process and waits until it says that it is ready.
func startServer(ctx context.Context, dir string, options Options) (*process.Process, error) {
	programs, err := assets.EnsureKubebox(ctx, options.Log)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	logPath := filepath.Join(dir, "control-plane.log")
	log, err := openLog(logPath)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		_ = log.Close()
		return nil, err
	}
	cmd := exec.Command(filepath.Join(programs, assets.Binary), serverArgs(dir, options)...)
	cmd.Env = append(os.Environ(), "KUBEBOX_EXIT_WITH_PARENT=1")
	cmd.Stdout, cmd.Stderr = w, log
	child, err := process.Start(cmd, false)
	_ = w.Close() // the child has its own
	if err != nil {
		_, _ = r.Close(), log.Close()
		return nil, err
	}
	ready := make(chan struct{})
	go copyOutput(r, log, ready)
	select {
	case <-ready:
		return child, nil
	case <-child.Done():
		return nil, fmt.Errorf("it ended with code %d; the end of %s:\n%s", child.Exit().Code, logPath, tail(logPath))
	case <-ctx.Done():
		child.Stop(stopGrace)
		return nil, context.Cause(ctx)
	}
}

// copyOutput copies the server's messages to the log until the server ends, and closes ready when
// it meets the line that says so.
func copyOutput(r io.ReadCloser, log io.WriteCloser, ready chan<- struct{}) {
	defer func() { _, _ = r.Close(), log.Close() }()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		_, _ = fmt.Fprintln(log, lines.Text()) // a full disk must not stop the reading
		if ready != nil && strings.HasPrefix(lines.Text(), readyLine) {
			close(ready)
			ready = nil
		}
	}
}

// tail returns the last lines of a file, or what hinders to read it.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-lastLines):], []byte("\n")))
}

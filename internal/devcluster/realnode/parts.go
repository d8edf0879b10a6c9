package realnode

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// started are the parts of the node, in their order.
var started = []string{"containerd", "server", "kubelet", "kube-proxy"}

// parts are the programs that make the node.
type parts struct {
	job
	failed chan error // the end of any of them; with room for all
}

// containerdSocket is in the node's own /run.
const containerdSocket = "/run/containerd/containerd.sock"

// start starts all parts, each when it can work, and returns when the node is ready.
func (p *parts) start(ctx context.Context) error {
	config := filepath.Join(p.dir, "config")
	if err := p.launch("containerd", "containerd", "--config", filepath.Join(config, "containerd.toml")); err != nil {
		return err
	}
	server := filepath.Join(p.programs, "kubebox")
	if err := p.launch("server", server, "server", "--dir", p.dir, "--address", Address, "--port", strconv.Itoa(APIPort)); err != nil {
		return err
	}
	if err := p.await(ctx, "containerd", func() error { return quiet(exec.CommandContext(ctx, "ctr", "-a", containerdSocket, "version")) }); err != nil {
		return err
	}
	for _, image := range p.images {
		_, _ = fmt.Fprintf(p.out, "importing %s\n", filepath.Base(image))
		if err := quiet(exec.CommandContext(ctx, "ctr", "-a", containerdSocket, "-n", "k8s.io", "images", "import", image)); err != nil {
			return fmt.Errorf("import %s: %w", image, err)
		}
	}
	if err := p.await(ctx, "the API server", func() error { return p.apiReady(ctx) }); err != nil {
		return err
	}
	began := time.Now()
	if err := p.launch("kubelet", filepath.Join(p.programs, "kubelet"), "--config", filepath.Join(config, "kubelet.yaml"),
		"--kubeconfig", filepath.Join(p.dir, "node.kubeconfig"), "--root-dir", filepath.Join(p.dir, "kubelet"),
		"--hostname-override", Name, "--node-ip", Address); err != nil {
		return err
	}
	if err := p.launch("kube-proxy", filepath.Join(p.programs, "kube-proxy"), "--config", filepath.Join(config, "proxy.yaml")); err != nil {
		return err
	}
	return p.await(ctx, "the node", func() error { return p.nodeReady(ctx, began) })
}

// launch starts a part; its output goes to dir/log, and its end is a failure of the node.
func (p *parts) launch(name, program string, args ...string) error {
	path := filepath.Join(p.dir, "log", name+".log")
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = p.dir
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		err := cmd.Wait()
		_ = log.Close()
		p.failed <- fmt.Errorf("%s has ended (%w); the end of its log:\n%s", name, err, tail(path))
	}()
	return nil
}

// await polls until something works, a part ends, or ctx does.
func (p *parts) await(ctx context.Context, what string, works func() error) error {
	const interval = 100 * time.Millisecond
	for {
		err := works()
		if err == nil {
			return nil
		}
		select {
		case failure := <-p.failed:
			return failure
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", what, context.Cause(ctx), err)
		case <-time.After(interval):
		}
	}
}

// quiet runs a command; its output is in the error.
func quiet(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// tail returns the last lines of a file, or what hinders to read it.
func tail(path string) string {
	const lines = 15
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

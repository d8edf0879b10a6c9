package realnode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Node is a running cluster.
type Node struct {
	Dir        string
	Kubeconfig string // of the administrator; good in the node's network namespace, see Command
	Pid        int    // of the init, as this machine counts

	init   *exec.Cmd
	life   io.Closer // the init ends when it is closed
	cgroup string
	ended  chan struct{}
	result error // of init; valid once ended is closed
}

// InitArgument is the first argument by which this program is called as the init of a node; its main must
// hand such calls to Main.
const InitArgument = "realnode-init"

// ErrNoNamespaces is the error of machines that do not let anybody make namespaces, as inside of containers.
var ErrNoNamespaces = errors.New("this machine does not allow new PID, network, mount, UTS and IPC namespaces")

const readyLine = "node ready"

// Start starts a cluster and returns when pods can be made in the namespace "default". The cluster ends
// with Stop, or with this process, not with ctx, which only bounds the start.
func Start(ctx context.Context, o Options) (*Node, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.ReadyTimeout == 0 {
		o.ReadyTimeout = 3 * time.Minute
	}
	removeStale()
	n := &Node{Dir: dir, Kubeconfig: filepath.Join(dir, "kubeconfig"), ended: make(chan struct{})}
	if n.cgroup, err = makeCgroup(prefix + strconv.Itoa(os.Getpid())); err != nil {
		return nil, fmt.Errorf("make a cgroup for the node: %w", err)
	}
	said, err := n.launch(o)
	if err != nil {
		removeCgroup(n.cgroup)
		return nil, err
	}
	if err := n.await(ctx, o, said); err != nil {
		n.Stop()
		return nil, fmt.Errorf("start the node: %w; its logs are in %s", err, filepath.Join(dir, "log"))
	}
	return n, nil
}

// launch starts the init in namespaces of its own.
func (n *Node) launch(o Options) (said io.ReadCloser, err error) {
	if err := os.MkdirAll(filepath.Join(n.Dir, "log"), 0o711); err != nil {
		return nil, err
	}
	args := []string{InitArgument, "--dir", n.Dir, "--programs", o.Programs, "--cgroup", n.cgroup, "--timeout", o.ReadyTimeout.String()}
	n.init = exec.Command("/proc/self/exe", append(args, o.Images...)...)
	n.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true, // Ctrl-C is for us: the cluster ends when we want it to
	}
	n.init.Stderr = o.Log
	if n.life, err = n.init.StdinPipe(); err != nil {
		return nil, err
	}
	if said, err = n.init.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := n.init.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EINVAL) {
			err = fmt.Errorf("%w: %w", ErrNoNamespaces, err)
		}
		return nil, fmt.Errorf("start in new namespaces: %w", err)
	}
	n.Pid = n.init.Process.Pid
	pid := []byte(strconv.Itoa(n.Pid) + "\n")
	return said, os.WriteFile(filepath.Join(n.Dir, "init.pid"), pid, 0o644)
}

// await waits until the init says that the node is ready, or ends.
func (n *Node) await(ctx context.Context, o Options, said io.Reader) error {
	ready := make(chan struct{})
	go func() {
		var once sync.Once
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			_, _ = fmt.Fprintln(o.Log, lines.Text())
			if strings.HasPrefix(lines.Text(), readyLine) {
				once.Do(func() { close(ready) })
			}
		}
		n.result = n.init.Wait()
		close(n.ended)
	}()
	select {
	case <-ready:
		return nil
	case <-n.ended:
		return errors.Join(errors.New("it ended"), n.result)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Done is closed when the cluster has ended, whether by Stop or by itself.
func (n *Node) Done() <-chan struct{} { return n.ended }

// Stop ends the cluster and everything in it, and waits until it is gone; its state stays in Dir.
func (n *Node) Stop() {
	_ = n.life.Close() // it may have ended
	const grace = 20 * time.Second
	select {
	case <-n.ended:
	case <-time.After(grace):
		_ = n.init.Process.Kill() // PID 1 takes its namespace with it
		<-n.ended
	}
	_ = os.Remove(filepath.Join(n.Dir, "init.pid"))
	removeCgroup(n.cgroup)
}

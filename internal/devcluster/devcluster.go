// Package devcluster runs a small Kubernetes control plane on this machine: etcd, API server,
// controller-manager and scheduler in one child process, reachable on loopback only.
//
//	Start ──► kubebox server (hack/kubebox) ──► DIR/kubeconfig, DIR/control-plane.log
//	                                            DIR/etcd, DIR/pki: kept for the next run
//
// It is for development, demonstration and tests, and for nothing else: state is not flushed to
// disk unless asked for, keys are never rotated. Nodes are package localnode's.
package devcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

// Options of a control plane.
type Options struct {
	// Dir holds the state; it is made when missing, and a cluster found there goes on. Required.
	Dir string
	// Port of the API on 127.0.0.1; 0 takes that of the previous run in Dir, or a free one.
	Port int
	// Fsync lets etcd flush each write to disk: slower, and safe against a crash of the machine.
	Fsync bool
	// ReadyTimeout is how long to wait for the cluster; default 2 minutes. Usual are 3 to 6 s.
	ReadyTimeout time.Duration
	// Log is told about the building of the programs, if that is necessary. Nil for silence.
	Log io.Writer
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	Dir            string
	Kubeconfig     string       // of the administrator
	NodeKubeconfig string       // of the node called "local", with a node's rights and no more
	RESTConfig     *rest.Config // of the administrator
	Pid            int          // of the one process that is the control plane

	child *process.Process
	stop  sync.Once
}

// stopGrace is how long the control plane may take to end by itself.
const stopGrace = 10 * time.Second

// Done is closed when the control plane has ended, whether by Stop or by itself.
func (c *ControlPlane) Done() <-chan struct{} { return c.child.Done() }

// Stop ends the control plane and waits until it is gone; its state stays in Dir.
func (c *ControlPlane) Stop() { c.stop.Do(func() { c.child.Stop(stopGrace) }) }

// KubeletTLS names the files a node serves its API with: certificate and key, and the authority
// that has signed the certificate of its only client, the API server.
func (c *ControlPlane) KubeletTLS() (cert, key, clientCA string) {
	pki := filepath.Join(c.Dir, "pki")
	return filepath.Join(pki, "kubelet.crt"), filepath.Join(pki, "kubelet.key"), filepath.Join(pki, "ca.crt")
}

// Start starts a control plane and returns when it is ready: the API server answers, and pods can
// be made in the namespace "default". The control plane does not end with ctx, which only bounds
// the start, but with Stop or this process.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	if options.Dir == "" {
		return nil, errors.New("start the control plane: Options.Dir is empty; name a folder for its state")
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	child, err := startServer(ctx, dir, options)
	if err != nil {
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	c := &ControlPlane{
		Dir: dir, Pid: child.Pid, child: child,
		Kubeconfig:     filepath.Join(dir, "kubeconfig"),
		NodeKubeconfig: filepath.Join(dir, "node.kubeconfig"),
	}
	if c.RESTConfig, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		c.Stop()
		return nil, fmt.Errorf("start the control plane: read its kubeconfig: %w", err)
	}
	return c, nil
}

// serverArgs are the arguments of "kubebox server".
func serverArgs(dir string, o Options) []string {
	args := []string{"server", "--dir", dir, "--port", strconv.Itoa(o.Port)}
	if o.Fsync {
		args = append(args, "--fsync")
	}
	if o.ReadyTimeout > 0 {
		args = append(args, "--ready-timeout", o.ReadyTimeout.String())
	}
	return args
}

// openLog opens a log for appending; the previous content is put aside when it is large.
func openLog(path string) (*os.File, error) {
	const large = 10 << 20
	if info, err := os.Stat(path); err == nil && info.Size() > large {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

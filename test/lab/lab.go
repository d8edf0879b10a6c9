// Package lab runs the whole product on this machine, for the demo and for end-to-end tests: a real
// control plane, the local node, and the manager as a process of its own with the rights of its
// service account.
//
//	Start ──► control plane ──► CRDs, RBAC ──► local node ──► manager
//	               ▲ kubectl          pods: agent + QEMU + reference guest
//
// Everything lives in one folder and on loopback, and is gone after Stop.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/devcluster"
	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
	"github.com/genode-operator/genode-operator/internal/devcluster/localnode"
)

// RunnerImage is the name of the runner image that the local node knows.
const RunnerImage = "genode-operator/runner:local"

// Namespace of the manager.
const Namespace = "genode-operator-system"

// Options of a Lab.
type Options struct {
	// Guest is the folder of the reference guest (vmlinuz, initrd.gz), Tasks that of its task binaries,
	// Programs that of the programs manager and agent.
	Guest, Tasks, Programs string
	// Out is told what happens; nil for silence.
	Out io.Writer
}

// Lab is everything running. Its methods are for one goroutine, except where they say otherwise.
type Lab struct {
	client.Client
	Dir  string
	Repo string

	options  Options
	claim    *os.File // locked while the lab lives
	programs string   // kubectl and friends
	plane    *devcluster.ControlPlane
	manager  *process
	local    *localnode.Node
}

// Start starts a lab; Stop must be called even after an error.
func Start(ctx context.Context, o Options) (*Lab, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	l := &Lab{options: o}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"", l.folder},
		{"Starting the control plane: etcd, API server, controllers, scheduler", l.controlPlane},
		{"Installing the resource definitions and the manager's rights", l.install},
		{"Starting the local node", l.node},
		{"Starting the manager", l.StartManager},
	} {
		begin := time.Now()
		if err := step.do(ctx); err != nil {
			return l, err
		}
		if step.what != "" {
			fmt.Fprintf(o.Out, "%s: %.1f s\n", step.what, time.Since(begin).Seconds())
		}
	}
	return l, nil
}

// folder makes the lab's folder with the runner image in it. Pods may run as another user: it is
// readable by everybody, apart from the control plane's state.
func (l *Lab) folder(context.Context) (err error) {
	if l.Repo, err = assets.RepoRoot(); err != nil {
		return err
	}
	removeAbandoned()
	if l.Dir, err = os.MkdirTemp("", prefix); err != nil {
		return err
	}
	if l.claim, err = lock(l.Dir); err != nil {
		return err
	}
	if err := os.Chmod(l.Dir, 0o755); err != nil {
		return err
	}
	image := filepath.Join(l.Dir, "image")
	return errors.Join(
		copyFile(filepath.Join(l.options.Programs, "agent"), filepath.Join(image, "agent")),
		copyFolder(l.options.Guest, filepath.Join(image, "guest")),
		copyFolder(l.options.Tasks, filepath.Join(image, "binaries")),
	)
}

func (l *Lab) controlPlane(ctx context.Context) (err error) {
	if l.programs, err = assets.Ensure(ctx, l.options.Out); err != nil {
		return err
	}
	if l.plane, err = devcluster.Start(ctx, devcluster.Options{Dir: filepath.Join(l.Dir, "control-plane"), Log: l.options.Out}); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	l.Client, err = client.NewWithWatch(l.plane.RESTConfig, client.Options{Scheme: scheme})
	return err
}

// install applies what config/default applies, apart from the Deployment: here the manager is a
// process of this machine.
func (l *Lab) install(ctx context.Context) error {
	if _, err := l.Kubectl(ctx, "create", "namespace", Namespace); err != nil {
		return err
	}
	if _, err := l.Kubectl(ctx, "label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted"); err != nil {
		return err
	}
	for _, folder := range []string{"crd", "rbac"} {
		overlay := filepath.Join(l.Dir, folder)
		if err := writeOverlay(overlay, filepath.Join(l.Repo, "config", folder)); err != nil {
			return err
		}
		if _, err := l.Kubectl(ctx, "apply", "--server-side", "-k", overlay); err != nil {
			return err
		}
	}
	_, err := l.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	return err
}

func (l *Lab) node(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", l.plane.NodeKubeconfig)
	if err != nil {
		return err
	}
	cert, key, clientCA := l.plane.KubeletTLS()
	l.local, err = localnode.Start(ctx, localnode.Options{
		RESTConfig: config, Dir: filepath.Join(l.Dir, "node"),
		Images:      map[string]string{RunnerImage: filepath.Join(l.Dir, "image")},
		ServingCert: cert, ServingKey: key, ClientCA: clientCA, Log: logr.Discard(),
	})
	if err != nil {
		return err
	}
	_, err = l.Kubectl(ctx, "wait", "--for=condition=Ready", "--timeout=60s", "node", "--all")
	return err
}

// Stop ends everything and removes the lab's folder. It may be called twice.
func (l *Lab) Stop() {
	if l.manager != nil {
		l.manager.stop()
	}
	if l.local != nil {
		_ = l.local.Stop()
		l.local = nil
	}
	if l.plane != nil {
		l.plane.Stop()
	}
	if l.Dir != "" {
		_ = os.RemoveAll(l.Dir)
	}
	if l.claim != nil {
		l.claim.Close()
		l.claim = nil
	}
}

package testenv

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/genode-operator/genode-operator/internal/devcluster"
	"github.com/genode-operator/genode-operator/internal/devcluster/localnode"
)

// ClusterOptions of a whole cluster for one test.
type ClusterOptions struct {
	// Dir holds the cluster's state; default a temporary folder. A cluster found there goes on.
	Dir string
	// Images gives each image reference its folder on this machine.
	Images map[string]string
	// Capacity replaces what this machine has, for tests with more pods than CPUs.
	Capacity corev1.ResourceList
	// WithoutNode starts the control plane only.
	WithoutNode bool
	// WithoutCRDs leaves out this repository's CustomResourceDefinitions.
	WithoutCRDs bool
}

// Cluster is a control plane with controllers and scheduler, and a node that runs pods as local
// processes. The exported fields are replaced by the Restart functions.
type Cluster struct {
	*devcluster.ControlPlane
	Node *localnode.Node

	options ClusterOptions
}

// clusterTimeout bounds the start of a cluster whose programs are built.
const clusterTimeout = 3 * time.Minute

// StartCluster starts a cluster, which is stopped after the test. It takes about 5 s; tests of a
// package should share one where they can.
func StartCluster(tb testing.TB, options ClusterOptions) *Cluster {
	tb.Helper()
	if options.Dir == "" {
		options.Dir = Dir(tb)
	}
	c := &Cluster{options: options}
	c.StartControlPlane(tb)
	tb.Cleanup(func() { c.ControlPlane.Stop() })
	if !options.WithoutCRDs {
		installCRDs(tb, c.RESTConfig)
	}
	if !options.WithoutNode {
		c.StartNode(tb)
	}
	return c
}

// Dir is a temporary folder that other users can pass through: pods may run as one of them.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o711); err != nil {
			tb.Fatalf("testenv.Dir: %v", err)
		}
	}
	return dir
}

// StartControlPlane starts the control plane, or starts it again after it was stopped or killed.
func (c *Cluster) StartControlPlane(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	if _, err := ensure(); err != nil { // outside the time limit: it may be built
		tb.Fatalf("testenv.StartCluster: %v", err)
	}
	control, err := devcluster.Start(ctx, devcluster.Options{Dir: c.options.Dir, Log: os.Stderr})
	if err != nil {
		tb.Fatalf("testenv.StartCluster: %v", err)
	}
	c.ControlPlane = control
}

// StartNode starts the node, or starts it again after [localnode.Node.Stop].
func (c *Cluster) StartNode(tb testing.TB) {
	tb.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.NodeKubeconfig)
	if err != nil {
		tb.Fatalf("testenv.StartCluster: %v", err)
	}
	cert, key, ca := c.KubeletTLS()
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	node, err := localnode.Start(ctx, localnode.Options{
		RESTConfig: config, Dir: filepath.Join(c.Dir, "node"), Images: c.options.Images, Capacity: c.options.Capacity,
		ServingCert: cert, ServingKey: key, ClientCA: ca, StopGrace: time.Second,
	})
	if err != nil {
		tb.Fatalf("testenv.StartCluster: %v", err)
	}
	c.Node = node
	tb.Cleanup(func() {
		if err := node.Stop(); err != nil {
			tb.Errorf("testenv: %v", err)
		}
	})
}

func installCRDs(tb testing.TB, config *rest.Config) {
	tb.Helper()
	crds, err := CRDs()
	if err != nil {
		tb.Fatalf("testenv.StartCluster: %v", err)
	}
	_, err = envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{crds}, ErrorIfPathMissing: true})
	if err != nil {
		tb.Fatalf("testenv.StartCluster: install our kinds: %v", err)
	}
}

// Package kubelet holds no code: its tests run the product as people install it, on a real kubelet with containerd,
// in containers from images, in namespaces that enforce Pod Security "restricted".
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
	"github.com/genode-operator/genode-operator/internal/devcluster/realnode"
)

// imagesFolder names the variable with the folder of image archives that hack/images.sh makes.
const imagesFolder = "NODE_IMAGES"

func TestMain(m *testing.M) {
	if code, is := realnode.Main(os.Args); is {
		os.Exit(code)
	}
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// cluster is a cluster with the product installed from config/default.
type cluster struct {
	*testing.T
	node       *realnode.Node
	repo, tool string // folder of the repository, and of kubectl
	client
}

// newCluster starts a cluster and installs the product by one of the kustomizations here; it is gone after the test, and the test fails when something is left of it.
func newCluster(t *testing.T, install string) *cluster {
	t.Helper()
	images := os.Getenv(imagesFolder)
	switch {
	case images == "":
		t.Skipf("%s is not set: run this by make e2e", imagesFolder)
	case os.Geteuid() != 0:
		t.Skip("a node needs root, for namespaces, mounts and cgroups: run this as root")
	}
	c := &cluster{T: t}
	var err error
	if c.repo, err = assets.RepoRoot(); err != nil {
		t.Fatal(err)
	}
	if c.tool, err = assets.EnsureKubebox(t.Context(), t.Output()); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "genode-node-")
	if err != nil {
		t.Fatal(err)
	}
	var archives []string
	for _, name := range []string{"pause", "manager", "runner", "postgres"} {
		archives = append(archives, filepath.Join(images, name+".tar"))
	}
	c.node, err = realnode.Start(t.Context(), realnode.Options{Dir: dir, Programs: c.tool, Images: archives, Log: t.Output()})
	if errors.Is(err, realnode.ErrNoNamespaces) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end(dir) })
	if c.client, err = newClient(c.node); err != nil {
		t.Fatal(err)
	}
	c.install(install)
	return c
}

// end stops the node and checks that nothing is left.
func (c *cluster) end(dir string) {
	if c.Failed() {
		c.explain()
	}
	c.node.Stop()
	if err := os.RemoveAll(dir); err != nil {
		c.Errorf("the node's folder is in use after its end: %v", err)
	}
	if left, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/genode-node-%d", os.Getpid())); len(left) > 0 {
		c.Errorf("cgroups are left: %v", left)
	}
}

func (c *cluster) install(folder string) {
	c.Helper()
	c.inside("mkdir", "-p", "/run/genode-results")
	c.kubectl("apply", "--server-side", "-k", filepath.Join(c.repo, "test/kubelet", folder))
	c.kubectl("create", "namespace", "lab")
	c.kubectl("label", "namespace", "lab", "pod-security.kubernetes.io/enforce=restricted")
	c.kubectl("-n", system, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=120s")
}

// inside runs a program in the node's namespaces and returns what it prints.
func (c *cluster) inside(program string, args ...string) string {
	c.Helper()
	out, err := c.try(c.Context(), program, args...)
	if err != nil {
		c.Fatal(err)
	}
	return out
}

func (c *cluster) try(ctx context.Context, program string, args ...string) (string, error) {
	return c.tryInput(ctx, "", program, args...)
}

// tryInput is try with standard input.
func (c *cluster) tryInput(ctx context.Context, input, program string, args ...string) (string, error) {
	cmd, err := realnode.Command(ctx, c.node.Dir, program, args...)
	if err != nil {
		return "", err
	}
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (c *cluster) kubectl(args ...string) string {
	c.Helper()
	return c.inside(filepath.Join(c.tool, "kubectl"), args...)
}

// explain prints what one wants to see of a cluster in which a test has failed.
func (c *cluster) explain() {
	for _, args := range [][]string{
		{"get", "pods,targetsessions,tasksets", "-A", "-o", "wide"}, {"describe", "pods", "-A"},
		{"-n", system, "logs", "deployment/genode-operator-manager", "--tail=60"},
	} {
		out, err := c.try(context.Background(), filepath.Join(c.tool, "kubectl"), args...)
		c.Log(out, err)
	}
}

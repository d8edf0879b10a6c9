// Package testenv gives tests a real API server: etcd and kube-apiserver with this repository's
// CustomResourceDefinitions, one for each test package, on loopback.
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		l := testenv.NewLab(t) // a namespace of its own
//		l.Manage(ctrl.Options{}, func(mgr ctrl.Manager) error { return targetpool.SetupWithManager(mgr, targetpool.Options{}) })
//		testenv.Await(l, "arm", &v1alpha1.TargetPool{}, "ready", isReady)
//
// The first run on a machine builds the programs, which takes minutes; see package assets. There
// are no controllers behind this API server: nothing schedules pods, and namespaces are never
// emptied. Tests that need those use [StartCluster].
package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
)

// startTimeout and stopTimeout suit a machine that is busy compiling; both take about 5 s else.
const (
	startTimeout = 3 * time.Minute
	stopTimeout  = time.Minute
)

// shared is the environment of this test binary.
var shared struct {
	sync.Mutex
	open   bool // between the begin and the end of Main
	env    *envtest.Environment
	config *rest.Config
	err    error // of the one attempt to start
}

// Main runs a package's tests and afterwards stops what [Start] has started. It returns the exit
// code. A package without a test that calls Start pays nothing.
func Main(m *testing.M) int {
	shared.Lock()
	shared.open = true
	shared.Unlock()
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// Start returns the access to the API server of this test package, as its administrator; the
// first call starts the server. It is shared by all tests: keep them apart with [Namespace].
func Start(tb testing.TB) *rest.Config {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.open {
		tb.Fatal("testenv.Start: nothing would stop the API server; write func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }")
	}
	if shared.config == nil && shared.err == nil {
		shared.config, shared.err = start()
	}
	if shared.err != nil {
		tb.Fatalf("testenv.Start: %v", shared.err)
	}
	return rest.CopyConfig(shared.config)
}

// CRDs is the folder of this repository's generated CustomResourceDefinitions.
func CRDs() (string, error) {
	root, err := assets.RepoRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "config", "crd", "bases")
	if found, _ := filepath.Glob(filepath.Join(dir, "*.yaml")); len(found) == 0 {
		return "", fmt.Errorf("%s holds no CustomResourceDefinition; generate them with: make manifests", dir)
	}
	return dir, nil
}

func start() (*rest.Config, error) {
	crds, err := CRDs()
	if err != nil {
		return nil, err
	}
	programs, err := assets.Ensure(context.Background(), os.Stderr)
	if err != nil {
		return nil, err
	}
	// Inherited by etcd and the API server: they end when this test binary does, even by a panic.
	if err := os.Setenv("KUBEBOX_EXIT_WITH_PARENT", "1"); err != nil {
		return nil, err
	}
	shared.env = &envtest.Environment{
		BinaryAssetsDirectory:    programs,
		CRDDirectoryPaths:        []string{crds},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  stopTimeout,
	}
	config, err := shared.env.Start()
	if err != nil {
		_ = shared.env.Stop() // what has started before the failure
		shared.env = nil
		return nil, fmt.Errorf("start etcd and the API server: %w", err)
	}
	return config, nil
}

// ensure finds or builds the programs of a whole control plane.
func ensure() (string, error) { return assets.EnsureKubebox(context.Background(), os.Stderr) }

func stop() error {
	shared.Lock()
	defer shared.Unlock()
	shared.open = false
	if shared.env == nil {
		return nil
	}
	if err := shared.env.Stop(); err != nil {
		return fmt.Errorf("stop etcd and the API server: %w", err)
	}
	return nil
}

// Namespace makes a namespace with a name of its own, and deletes it after the test.
func Namespace(tb testing.TB, config *rest.Config) string {
	tb.Helper()
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		tb.Fatalf("testenv.Namespace: %v", err)
	}
	ns, err := api.CoreV1().Namespaces().Create(context.Background(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		tb.Fatalf("testenv.Namespace: %v", err)
	}
	tb.Cleanup(func() {
		if err := api.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}); err != nil {
			tb.Logf("testenv.Namespace: %v", err)
		}
	})
	return ns.Name
}

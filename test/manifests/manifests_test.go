// Package manifests holds no code: its tests hand everything below config/ to a real API server, strictly
// validated and without storing it.
package manifests

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

var dryRun = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}

func TestTheAPIServerAcceptsEveryManifest(t *testing.T) {
	config := testenv.Start(t)
	api := newCreator(t, config)
	cases := map[string]struct {
		wantKinds map[string]int // at least these
	}{
		"config/default": {map[string]int{"Deployment": 1, "CustomResourceDefinition": 3, "ClusterRole": 4, "NetworkPolicy": 1, "PersistentVolumeClaim": 1}},
		"config/samples": {map[string]int{"TargetPool": 1, "TaskSet": 1}},
		// One for each machine preset.
		"config/samples/presets":        {map[string]int{"TargetSession": 6}},
		"config/samples/campaigns":      {map[string]int{"TaskSet": 12, "TargetPool": 1}},
		"config/samples/addresses":      {map[string]int{"TargetPool": 1, "TaskSet": 1}},
		"config/network-policy/targets": {map[string]int{"NetworkPolicy": 2}},
	}
	for folder, tc := range cases {
		t.Run(folder, func(t *testing.T) {
			namespace := testenv.Namespace(t, config)
			kinds := map[string]int{}
			for _, object := range build(t, folder) {
				kinds[object.GetKind()]++
				switch object.GetKind() {
				case "CustomResourceDefinition", "Namespace":
					continue // they are there already, or nothing but a name
				}
				api.create(t, &object, namespace)
			}
			for kind, want := range tc.wantKinds {
				if kinds[kind] != want {
					t.Errorf("%s: got %d, want %d", kind, kinds[kind], want)
				}
			}
		})
	}
}

// W10 of taskgen's defects: no security.
func TestTheManagersPodIsAdmittedAsRestricted(t *testing.T) {
	config := testenv.Start(t)
	clients := kubernetes.NewForConfigOrDie(config)
	namespace, err := clients.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "restricted-",
		Labels:       map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, object := range build(t, "config/default") {
		if object.GetKind() != "Deployment" {
			continue
		}
		found = true
		template, _, err := unstructured.NestedMap(object.Object, "spec", "template")
		if err != nil {
			t.Fatal(err)
		}
		var pod corev1.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pod); err != nil {
			t.Fatal(err)
		}
		pod.Name = "manager"
		if _, err := clients.CoreV1().Pods(namespace.Name).Create(t.Context(), &pod, dryRun); err != nil {
			t.Errorf("pod of Deployment %s: %v", object.GetName(), err)
		}
	}
	if !found {
		t.Error("config/default has no Deployment")
	}
}

// creator creates objects of any kind without storing them.
type creator struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newCreator(t *testing.T, config *rest.Config) creator {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return creator{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))}
}

func (c creator) create(t *testing.T, object *unstructured.Unstructured, namespace string) {
	t.Helper()
	if err := c.tryCreate(t.Context(), object, namespace); err != nil {
		t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
}

func (c creator) tryCreate(ctx context.Context, object *unstructured.Unstructured, namespace string) error {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = c.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		object.SetNamespace(namespace)
		resource = c.client.Resource(mapping.Resource).Namespace(namespace)
	}
	_, err = resource.Create(ctx, object, dryRun)
	return err
}

// build returns what kustomize makes of a folder.
func build(t *testing.T, folder string) []unstructured.Unstructured {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "tool", "kustomize", "build", filepath.Join(root, folder))
	cmd.Dir = filepath.Join(root, "hack", "tools")
	// The flags of every other build: with the race detector's cgo the tool would be compiled anew.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kustomize build %s: %v\n%s", folder, err, stderr.String())
	}
	var objects []unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(out), 4096); ; {
		var object unstructured.Unstructured
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("%s: %v", folder, err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

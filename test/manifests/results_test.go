package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/genode-operator/genode-operator/internal/testenv"
)

// with builds config/default with a component.
func with(t *testing.T, component string) (claims int, manager *appsv1.Deployment) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(folder, root)
	if err != nil {
		t.Fatal(err)
	}
	overlay := "resources: [" + up + "/config/default]\ncomponents: [" + up + "/config/components/" + component + "]\n"
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Rel(root, folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range build(t, below) {
		switch object.GetKind() {
		case "PersistentVolumeClaim":
			claims++
		case "Deployment":
			manager = &appsv1.Deployment{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, manager); err != nil {
				t.Fatal(err)
			}
		}
	}
	if manager == nil {
		t.Fatalf("config/default with %s has no Deployment", component)
	}
	return claims, manager
}

func TestResultsInPostgreSQL(t *testing.T) {
	claims, manager := with(t, "postgres-results")
	if claims != 0 {
		t.Errorf("%d claims that nobody needs", claims)
	}
	container := manager.Spec.Template.Spec.Containers[0]
	i := slices.IndexFunc(container.Args, func(arg string) bool { return strings.HasPrefix(arg, "--results-dsn-file=") })
	if i < 0 || slices.ContainsFunc(container.Args, func(arg string) bool { return strings.HasPrefix(arg, "--results=") }) {
		t.Fatalf("arguments %v, want --results-dsn-file in place of --results", container.Args)
	}
	folder, key := filepath.Split(strings.TrimPrefix(container.Args[i], "--results-dsn-file="))
	mount := slices.IndexFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == filepath.Clean(folder) })
	if mount < 0 || container.VolumeMounts[mount].SubPath != "" {
		t.Fatalf("mounts %v, want a whole folder at %s: a single file does not follow its Secret", container.VolumeMounts, folder)
	}
	name := container.VolumeMounts[mount].Name
	volume := slices.IndexFunc(manager.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == name })
	if volume < 0 || manager.Spec.Template.Spec.Volumes[volume].Secret == nil {
		t.Fatalf("volume %s of %v is no Secret", name, manager.Spec.Template.Spec.Volumes)
	}
	secret := manager.Spec.Template.Spec.Volumes[volume].Secret
	if key != "dsn" || secret.SecretName != "genode-operator-results-dsn" {
		t.Errorf("key %s of Secret %s, want those that docs/results.md names", key, secret.SecretName)
	}
	admitted(t, manager)
}

func TestResultsInAnEmptyFolder(t *testing.T) {
	claims, manager := with(t, "ephemeral-results")
	if claims != 0 || manager.Spec.Template.Spec.Volumes[0].EmptyDir == nil {
		t.Errorf("%d claims, volume %v", claims, manager.Spec.Template.Spec.Volumes[0])
	}
	admitted(t, manager)
}

// admitted hands the pod of a Deployment to an API server that lets in restricted ones only.
func admitted(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	clients := kubernetes.NewForConfigOrDie(testenv.Start(t))
	namespace, err := clients.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "restricted-",
		Labels:       map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "manager"}, Spec: d.Spec.Template.Spec}
	if _, err := clients.CoreV1().Pods(namespace.Name).Create(t.Context(), pod, dryRun); err != nil {
		t.Errorf("pod of Deployment %s: %v", d.Name, err)
	}
}

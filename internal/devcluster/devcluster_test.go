package devcluster_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/genode-operator/genode-operator/internal/devcluster"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop")) // idle connections of the tests' clients
}

func start(t *testing.T, dir string) *devcluster.ControlPlane {
	t.Helper()
	c, err := devcluster.Start(t.Context(), devcluster.Options{Dir: dir, Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func client(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func await(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 90*time.Second, true, done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func configMap(name string, owners ...metav1.OwnerReference) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners}}
}

func TestStateAndAccessSurviveKill(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	api := client(t, first.RESTConfig)
	if _, err := api.CoreV1().ConfigMaps("default").Create(t.Context(), configMap("kept"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	account := filepath.Join(dir, "account.kubeconfig")
	if err := devcluster.WriteServiceAccountKubeconfig(t.Context(), first.RESTConfig, "default", "default", account, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := devcluster.Start(t.Context(), devcluster.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another control plane runs on") {
		t.Errorf("a second start on the same folder gave: %v", err)
	}

	if err := syscall.Kill(first.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	start(t, dir)

	// The same client: the port and the keys have stayed.
	if _, err := api.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", account)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t, config).CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("a service account without roles reads ConfigMaps: %v", err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "view"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "default", Namespace: "default"}},
	}
	if _, err := api.RbacV1().RoleBindings("default").Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the service account reads by its role", func(ctx context.Context) (bool, error) {
		_, err := client(t, config).CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{})
		return err == nil, nil
	})
}

func TestTheUsualControllersRun(t *testing.T) {
	api := client(t, start(t, t.TempDir()).RESTConfig)
	namespace, err := api.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "full", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the namespace gets its service account", func(ctx context.Context) (bool, error) {
		_, err := api.CoreV1().ServiceAccounts("full").Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "root"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	if _, err = api.CoreV1().Pods("full").Create(t.Context(), pod, metav1.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("a pod that breaks Pod Security is answered: %v", err)
	}
	owner, err := api.CoreV1().ConfigMaps("full").Create(t.Context(), configMap("owner"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ref := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}
	if _, err := api.CoreV1().ConfigMaps("full").Create(t.Context(), configMap("owned", ref), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := api.CoreV1().ConfigMaps("full").Delete(t.Context(), "owner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the owned object goes with its owner", func(ctx context.Context) (bool, error) {
		_, err := api.CoreV1().ConfigMaps("full").Get(ctx, "owned", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err := api.CoreV1().Namespaces().Delete(t.Context(), namespace.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the namespace is emptied and goes", func(ctx context.Context) (bool, error) {
		_, err := api.CoreV1().Namespaces().Get(ctx, "full", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

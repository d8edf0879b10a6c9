package localnode_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/devcluster/localnode"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

const (
	image   = "example.org/tools:1"
	patient = 60 * time.Second // for a condition, on a busy machine
)

// TestMain makes this binary play other roles too: a web server in a pod, or a node to be killed.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve":
		fmt.Println(serve(os.Args[2], os.Args[3]))
		os.Exit(1)
	case len(os.Args) > 1 && os.Args[1] == "node":
		fmt.Println(node(os.Args[2], os.Args[3], os.Args[4]))
		select {}
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop")) // idle connections of the tests' clients
}

// serve answers 200 while the file named state holds "good", and 500 else.
func serve(address, state string) error {
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, _ := os.ReadFile(state); strings.TrimSpace(string(b)) != "good" {
			http.Error(w, "bad", http.StatusInternalServerError)
		}
	}))
}

func node(kubeconfig, dir, images string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	_, err = localnode.Start(context.Background(), localnode.Options{RESTConfig: config, Dir: dir, Images: map[string]string{image: images}})
	return err
}

// imageFolder is an image with a shell script, and this binary as /server.
func imageFolder(t *testing.T) string {
	t.Helper()
	dir := testenv.Dir(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "server")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte("#!/bin/sh\necho hello from $0 \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".entrypoint.json"), []byte(`["/hello", "entry"]`), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// bench is what the tests of this file work with.
type bench struct {
	cluster   *testenv.Cluster
	api       kubernetes.Interface
	namespace string
	images    string
}

func newBench(t *testing.T, withoutNode bool) *bench {
	t.Helper()
	b := &bench{images: imageFolder(t)}
	b.cluster = testenv.StartCluster(t, testenv.ClusterOptions{Images: map[string]string{image: b.images}, WithoutCRDs: true, WithoutNode: withoutNode})
	var err error
	if b.api, err = kubernetes.NewForConfig(b.cluster.RESTConfig); err != nil {
		t.Fatal(err)
	}
	b.namespace = "default"
	return b
}

func sh(script string) corev1.Container {
	return corev1.Container{Name: "main", Image: image, Command: []string{"/bin/sh", "-c", script}}
}

func pod(name string, policy corev1.RestartPolicy, containers ...corev1.Container) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
		RestartPolicy: policy, Containers: containers, TerminationGracePeriodSeconds: ptr.To[int64](2), AutomountServiceAccountToken: ptr.To(false),
	}}
}

func volume(name string, src corev1.VolumeSource) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: src}
}

func (b *bench) create(t *testing.T, p *corev1.Pod) *corev1.Pod {
	t.Helper()
	made, err := b.api.CoreV1().Pods(b.namespace).Create(t.Context(), p, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// await returns the pod once done accepts it.
func (b *bench) await(t *testing.T, name, what string, done func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var last *corev1.Pod
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		p, err := b.api.CoreV1().Pods(b.namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			continue
		}
		if last = p; done(p) {
			return p
		}
	}
	t.Fatalf("pod %s: %s did not come; its status: %+v", name, what, last.Status)
	return nil
}

func (b *bench) awaitPhase(t *testing.T, name string, phase corev1.PodPhase) *corev1.Pod {
	t.Helper()
	return b.await(t, name, "phase "+string(phase), func(p *corev1.Pod) bool { return p.Status.Phase == phase })
}

func (b *bench) awaitGone(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(50 * time.Millisecond) {
		_, err := b.api.CoreV1().Pods(b.namespace).Get(t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("pod %s is still there: %v", name, err)
		}
	}
}

func (b *bench) logs(t *testing.T, name string, options corev1.PodLogOptions) string {
	t.Helper()
	stream, err := b.api.CoreV1().Pods(b.namespace).GetLogs(name, &options).Stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var out bytes.Buffer
	if _, err := io.Copy(&out, stream); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (b *bench) awaitEvent(t *testing.T, name, reason, part string) {
	t.Helper()
	var seen []string
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		events, err := b.api.CoreV1().Events(b.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + name})
		if err != nil {
			t.Fatal(err)
		}
		seen = nil
		for _, e := range events.Items {
			if seen = append(seen, e.Reason+": "+e.Message); e.Reason == reason && strings.Contains(e.Message, part) {
				return
			}
		}
	}
	t.Fatalf("pod %s: no event %s with %q among %q", name, reason, part, seen)
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func reachable(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

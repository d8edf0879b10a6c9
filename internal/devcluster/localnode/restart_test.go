package localnode_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

func testClaim(t *testing.T, b *bench) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "kept"), []byte("kept\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
	none := ""
	pv := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "disk"}, Spec: corev1.PersistentVolumeSpec{
		Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: folder}},
	}}
	if _, err := b.api.CoreV1().PersistentVolumes().Create(t.Context(), pv, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "disk"}, Spec: corev1.PersistentVolumeClaimSpec{
		StorageClassName: &none, VolumeName: "disk", AccessModes: pv.Spec.AccessModes, Resources: corev1.VolumeResourceRequirements{Requests: size},
	}}
	if _, err := b.api.CoreV1().PersistentVolumeClaims(b.namespace).Create(t.Context(), claim, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c := corev1.Container{Name: "main", Image: image, Command: []string{"cat", "/disk/kept"}, VolumeMounts: []corev1.VolumeMount{{Name: "disk", MountPath: "/disk"}}}
	p := pod("claim", corev1.RestartPolicyNever, c)
	p.Spec.Volumes = []corev1.Volume{volume("disk", corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "disk"}})}
	b.create(t, p)
	b.awaitPhase(t, "claim", corev1.PodSucceeded)
	if got := b.logs(t, "claim", corev1.PodLogOptions{}); got != "kept\n" {
		t.Errorf("it wrote %q", got)
	}
}

// TestKills kills the control plane and the node with -9, and lets them come back.
func TestKills(t *testing.T) {
	b := newBench(t, true)
	dir := filepath.Join(b.cluster.Dir, "node")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command(self, "node", b.cluster.NodeKubeconfig, dir, b.images)
	node.Stdout, node.Stderr = os.Stderr, os.Stderr
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = node.Process.Kill(), node.Wait() })

	c := sh("echo up; setsid sleep 600 & cd $DATA; touch kept; sleep 600")
	c.Env = []corev1.EnvVar{{Name: "DATA", Value: "/data"}}
	c.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	p := pod("stays", corev1.RestartPolicyAlways, c)
	p.Spec.Volumes = []corev1.Volume{volume("data", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})}
	b.create(t, p)
	once := pod("once", corev1.RestartPolicyNever, sh("sleep 600"))
	b.create(t, once)
	b.awaitPhase(t, "once", corev1.PodRunning)
	before := b.await(t, "stays", "readiness", ready)
	id := before.Status.ContainerStatuses[0].ContainerID
	kept := filepath.Join(dir, "pods", string(before.UID), "volumes", "data", "kept")
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(kept); err == nil {
			break
		}
	}

	if err := syscall.Kill(b.cluster.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-b.cluster.Done()
	b.cluster.StartControlPlane(t)
	after := b.await(t, "stays", "readiness", ready)
	if s := after.Status.ContainerStatuses[0]; s.ContainerID != id || s.RestartCount != 0 {
		t.Errorf("the death of the control plane has changed the container: %+v", s)
	}

	if err := node.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = node.Wait()
	b.cluster.StartNode(t)
	after = b.await(t, "stays", "a restart", func(p *corev1.Pod) bool { return ready(p) && p.Status.ContainerStatuses[0].RestartCount == 1 })
	s := after.Status.ContainerStatuses[0]
	if s.ContainerID == id || s.LastTerminationState.Terminated == nil || s.LastTerminationState.Terminated.Reason != "Unknown" {
		t.Errorf("after the death of the node: %+v", s)
	}
	if left := process.Marked("LOCALNODE_CONTAINER", id); len(left) > 0 {
		t.Errorf("processes %v of the former container are left", left)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("the pod's emptyDir was not kept: %v", err)
	}
	b.awaitPhase(t, "once", corev1.PodFailed)

	if err := b.cluster.Node.Stop(); err != nil {
		t.Fatal(err)
	}
	b.cluster.StartNode(t)
	b.await(t, "stays", "another restart", func(p *corev1.Pod) bool { return ready(p) && p.Status.ContainerStatuses[0].RestartCount == 2 })
}

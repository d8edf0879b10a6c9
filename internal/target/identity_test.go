package target_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target"
)

func TestImageDigest(t *testing.T) {
	runner, volume := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
		{Name: "sidecar", ImageID: "sha256:" + strings.Repeat("c", 64)},
		{Name: v1alpha1.TargetContainer, ImageID: "registry.example/runner@" + runner, VolumeMounts: []corev1.VolumeMountStatus{
			{Name: "work"},
			{Name: "source-0", VolumeStatus: &corev1.VolumeStatus{Image: &corev1.ImageVolumeStatus{ImageRef: "registry.example/genode@" + volume}}},
		}},
	}}}
	boot := func(b v1alpha1.BootSource) func(*v1alpha1.TargetSessionSpec) {
		return func(s *v1alpha1.TargetSessionSpec) { s.Qemu.Boot = b }
	}
	runnerFile := &v1alpha1.FileSource{Path: "/guest/vmlinuz"}
	cases := map[string]struct {
		change func(*v1alpha1.TargetSessionSpec)
		pod    *corev1.Pod
		want   string
	}{
		"files of the runner image":   {boot(v1alpha1.BootSource{Kernel: runnerFile, Initrd: &v1alpha1.FileSource{Path: "/guest/initrd.gz"}}), pod, runner},
		"a download":                  {boot(v1alpha1.BootSource{ISO: &v1alpha1.FileSource{URL: "https://x.org/i", SHA256: sha}}), pod, "sha256:" + sha},
		"files of an OCI image":       {boot(v1alpha1.BootSource{Kernel: &v1alpha1.FileSource{Image: "genode", Path: "image.elf"}, Initrd: runnerFile}), pod, volume + " " + runner},
		"a kubelet that does not say": {boot(v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Image: "genode", Path: "i"}}), &corev1.Pod{}, ""},
		"a claim":                     {boot(v1alpha1.BootSource{ISO: &v1alpha1.FileSource{PersistentVolumeClaim: "images", Path: "i"}}), pod, ""},
		"one file that is not known":  {boot(v1alpha1.BootSource{Kernel: runnerFile, Initrd: &v1alpha1.FileSource{ConfigMap: "c", Path: "i"}}), pod, ""},
		"binaries do not belong to it": {func(s *v1alpha1.TargetSessionSpec) {
			s.Qemu.Binaries = &v1alpha1.FileSource{PersistentVolumeClaim: "b"}
		}, pod, runner},
		"no pod":                    {boot(v1alpha1.BootSource{Kernel: runnerFile}), nil, ""},
		"a target that is not ours": {func(s *v1alpha1.TargetSessionSpec) { s.Qemu = nil }, pod, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := target.ImageDigest(session(tc.change), tc.pod); got != tc.want {
				t.Errorf("digest = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestHostClass(t *testing.T) {
	board := session(func(s *v1alpha1.TargetSessionSpec) { s.Class, s.Qemu = v1alpha1.ClassPing, nil })
	if got := target.HostClass(board); got != "Ping" {
		t.Errorf("of a board: %q", got)
	}
	if got := target.HostClass(session(kernel(v1alpha1.PresetVirtARM64))); got != "Qemu/virt-arm64" {
		t.Errorf("of a virtual machine: %q", got)
	}
}

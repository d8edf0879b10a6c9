package target_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target"
)

var update = flag.Bool("update", false, "write the golden files anew")

func session(change func(*v1alpha1.TargetSessionSpec)) *v1alpha1.TargetSession {
	ts := &v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{
			Name: "arm-0", Namespace: "lab", UID: "8f14e45f-ceea-467f-a0e6-1c2d3e4f5a6b",
			Labels:      map[string]string{v1alpha1.LabelPool: "arm", "lab": "demo"},
			Annotations: map[string]string{"note": "kept", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
		},
		Spec: v1alpha1.TargetSessionSpec{
			Class: v1alpha1.ClassQemu,
			Qemu: &v1alpha1.QemuTarget{
				Preset: v1alpha1.PresetPC, Accelerator: v1alpha1.AcceleratorAuto,
				Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/images/genode.iso"}},
			},
			Health:     v1alpha1.HealthSpec{EchoIntervalMilliseconds: 200, EchoTimeoutMilliseconds: 900, BootTimeoutSeconds: 60, RebootLimit: 3},
			Restart:    v1alpha1.RestartSpec{Steps: []v1alpha1.RecoveryStep{"Restore", "Reset", "Relaunch", "Replace"}},
			Taskloader: v1alpha1.TaskloaderSpec{Port: 3001, Generation: v1alpha1.GenerationAuto},
		},
	}
	change(&ts.Spec)
	return ts
}

func kernel(preset v1alpha1.MachinePreset) func(*v1alpha1.TargetSessionSpec) {
	return func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.Preset = preset
		s.Qemu.Boot = v1alpha1.BootSource{Kernel: &v1alpha1.FileSource{Path: "image.elf"}}
	}
}

var sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

var cases = map[string]func(*v1alpha1.TargetSessionSpec){
	"pc":           func(*v1alpha1.TargetSessionSpec) {},
	"virt-arm64":   kernel(v1alpha1.PresetVirtARM64),
	"virt-arm":     kernel(v1alpha1.PresetVirtARM),
	"pbxa9":        kernel(v1alpha1.PresetPBXA9),
	"virt-riscv64": kernel(v1alpha1.PresetVirtRISCV64),
	"linux-x86": func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.Preset = v1alpha1.PresetLinuxX86
		s.Qemu.Boot = v1alpha1.BootSource{
			Kernel: &v1alpha1.FileSource{Path: "/guest/vmlinuz"}, Initrd: &v1alpha1.FileSource{Path: "/guest/initrd"}, Append: "console=ttyS0 x=$(POD_IP)",
		}
	},
	"configmap": func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.Boot = v1alpha1.BootSource{
			Kernel: &v1alpha1.FileSource{ConfigMap: "genode", Path: "image.elf"}, Initrd: &v1alpha1.FileSource{ConfigMap: "genode", Path: "initrd"},
		}
		s.Qemu.Binaries = &v1alpha1.FileSource{ConfigMap: "binaries", Path: "."}
	},
	"claim": func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.Boot = v1alpha1.BootSource{Disk: &v1alpha1.FileSource{PersistentVolumeClaim: "images", Path: "x86/genode.img"}}
		s.Qemu.Binaries = &v1alpha1.FileSource{PersistentVolumeClaim: "images", Path: "bin"}
	},
	"image": func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.Boot = v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Image: "registry.example/genode:26.02", Path: "genode.iso"}}
		s.Qemu.Binaries = &v1alpha1.FileSource{Image: "registry.example/tasks:1", Path: "bin"}
	},
	"url": func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.Boot = v1alpha1.BootSource{
			Kernel: &v1alpha1.FileSource{URL: "https://example.org/image.elf", SHA256: sha}, Initrd: &v1alpha1.FileSource{URL: "https://example.org/initrd", SHA256: sha},
		}
	},
	"everything": func(s *v1alpha1.TargetSessionSpec) {
		s.Qemu.RunnerImage = "registry.example/runner:own"
		s.Qemu.Accelerator = v1alpha1.AcceleratorTCG
		s.Qemu.Overrides = &v1alpha1.MachineOverrides{
			Machine: "q35", CPU: "max,+x2apic", CPUs: ptr.To[int32](2), MemoryMebibytes: ptr.To[int32](512), NIC: "virtio-net-pci", NICOptions: "vectors=0",
		}
		s.Qemu.Network = v1alpha1.NetworkSpec{
			Subnet: "192.168.217.0/24", Gateway: "192.168.217.1", GuestAddress: "192.168.217.9", MACAddress: "02:00:00:00:00:09", Ports: []int32{8080, 3002},
		}
		s.Qemu.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}}
		s.Qemu.NodeSelector = map[string]string{"kubernetes.io/arch": "amd64"}
		s.Qemu.Tolerations = []corev1.Toleration{{Key: "lab", Operator: corev1.TolerationOpExists}}
		s.Qemu.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "registry"}}
		s.Health = v1alpha1.HealthSpec{EchoIntervalMilliseconds: 50, EchoTimeoutMilliseconds: 250, BootTimeoutSeconds: 120, RebootLimit: 5, ReadyLogPattern: `init.*ready$`}
		s.Restart.Steps = []v1alpha1.RecoveryStep{"Replace", "Reset"}
		s.Taskloader.Port = 3002
	},
}

func build(t *testing.T, ts *v1alpha1.TargetSession) *corev1.Pod {
	t.Helper()
	pod, err := target.Pod(ts, target.PodOptions{RunnerImage: "registry.example/runner:v1", Epoch: 3, CredentialsFingerprint: "c0ffee"})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

func TestPodsAreAsPinned(t *testing.T) {
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := yaml.Marshal(build(t, session(change)))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; write it with: go test ./internal/target -update", err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("another pod than in %s; if that is meant: go test ./internal/target -update\n%s", file, diff)
			}
		})
	}
}

func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			pod := build(t, session(change))
			level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
			for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
				if !result.Allowed {
					t.Errorf("Pod Security refuses the pod: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
		})
	}
}

func TestOnlyPodsThatDownloadAreLabelledSo(t *testing.T) {
	tests := map[string]struct {
		change    func(*v1alpha1.TargetSessionSpec)
		own       string // label of the session
		wantLabel string
	}{
		"a URL needs the label":                    {cases["url"], "", "true"},
		"a URL needs it whatever the session says": {cases["url"], "false", "true"},
		"an image does not":                        {cases["image"], "", ""},
		"the session may have it for other needs":  {cases["image"], "true", "true"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ts := session(tc.change)
			if tc.own != "" {
				ts.Labels[v1alpha1.LabelDownloads] = tc.own
			}
			if got := build(t, ts).Labels[v1alpha1.LabelDownloads]; got != tc.wantLabel {
				t.Errorf("label %s = %q, want %q", v1alpha1.LabelDownloads, got, tc.wantLabel)
			}
		})
	}
}

func TestHashChangesExactlyWhenAnotherPodIsNeeded(t *testing.T) {
	hash := func(ts *v1alpha1.TargetSession, o target.PodOptions) string {
		pod, err := target.Pod(ts, o)
		if err != nil {
			t.Fatal(err)
		}
		return pod.Annotations[v1alpha1.AnnotationSpecHash]
	}
	base := target.PodOptions{RunnerImage: "runner", Epoch: 1, CredentialsFingerprint: "a"}
	plain := func() *v1alpha1.TargetSession { return session(func(*v1alpha1.TargetSessionSpec) {}) }
	want := hash(plain(), base)
	tests := map[string]struct {
		change   func(*v1alpha1.TargetSession, *target.PodOptions)
		wantSame bool
	}{
		"another epoch is the same pod": {func(_ *v1alpha1.TargetSession, o *target.PodOptions) { o.Epoch = 9 }, true},
		"another restart budget is the same pod": {func(ts *v1alpha1.TargetSession, _ *target.PodOptions) {
			ts.Spec.Restart.Limit = ptr.To[int32](1)
		}, true},
		"another label is the same pod": {func(ts *v1alpha1.TargetSession, _ *target.PodOptions) { ts.Labels["lab"] = "other" }, true},
		"another kernel is another pod": {func(ts *v1alpha1.TargetSession, _ *target.PodOptions) {
			ts.Spec.Qemu.Boot.ISO.Path = "/other.iso"
		}, false},
		"another echo interval is another pod": {func(ts *v1alpha1.TargetSession, _ *target.PodOptions) {
			ts.Spec.Health.EchoIntervalMilliseconds = 50
		}, false},
		"other credentials are another pod":     {func(_ *v1alpha1.TargetSession, o *target.PodOptions) { o.CredentialsFingerprint = "b" }, false},
		"another default runner is another pod": {func(_ *v1alpha1.TargetSession, o *target.PodOptions) { o.RunnerImage = "runner:2" }, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ts, o := plain(), base
			tc.change(ts, &o)
			if same := hash(ts, o) == want; same != tc.wantSame {
				t.Errorf("same hash: %v, want %v", same, tc.wantSame)
			}
		})
	}
}

func TestPodsThatCannotBeBuiltSayWhichFieldIsMissing(t *testing.T) {
	if _, err := target.Pod(session(func(*v1alpha1.TargetSessionSpec) {}), target.PodOptions{}); err == nil || !cmp.Equal(err.Error(),
		"spec.qemu.runnerImage is empty and the manager has no --runner-image: set one of them") {
		t.Errorf("error = %v", err)
	}
	if _, err := target.Pod(session(func(s *v1alpha1.TargetSessionSpec) { s.Qemu = nil }), target.PodOptions{RunnerImage: "x"}); err == nil {
		t.Error("a pod without spec.qemu was built")
	}
}

func TestFieldOfDownload(t *testing.T) {
	pod := build(t, session(cases["url"]))
	var got []string
	for _, c := range pod.Spec.InitContainers {
		got = append(got, target.FieldOfDownload(c.Name))
	}
	if diff := cmp.Diff([]string{"spec.qemu.boot.kernel", "spec.qemu.boot.initrd"}, got); diff != "" {
		t.Error(diff)
	}
	if got := target.FieldOfDownload("istio-init"); got != "" {
		t.Errorf("field of a stranger's container = %q", got)
	}
}

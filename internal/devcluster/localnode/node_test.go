package localnode_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

// TestNode runs pods of all kinds side by side on one node.
func TestNode(t *testing.T) {
	b := newBench(t, false)
	t.Run("pods", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *bench){
			"exit codes and messages":     testExitCodes,
			"restart on failure":          testRestartOnFailure,
			"crash loop":                  testCrashLoop,
			"init containers":             testInitContainers,
			"secrets and config maps":     testConfiguration,
			"missing secret":              testMissingSecret,
			"unknown images":              testUnknownImages,
			"unsupported volume":          testUnsupportedVolume,
			"probes":                      testProbes,
			"deletion":                    testDeletion,
			"logs":                        testLogs,
			"user":                        testUser,
			"entrypoint":                  testEntrypoint,
			"program that does not exist": testNoProgram,
			"persistent volume claim":     testClaim,
		} {
			t.Run(name, func(t *testing.T) { t.Parallel(); test(t, b) })
		}
	})
	nodeDir := filepath.Join(b.cluster.Dir, "node")
	if err := b.cluster.Node.Stop(); err != nil {
		t.Error(err)
	}
	if left := process.Marked("LOCALNODE_DIR", nodeDir); len(left) > 0 {
		t.Errorf("processes %v have outlived the node", left)
	}
}

func testExitCodes(t *testing.T, b *bench) {
	tests := map[string]struct {
		script  string
		code    int32
		reason  string
		message string
	}{
		"code":    {"echo why > $TERMINATION_LOG; exit 3", 3, "Error", "why\n"},
		"signal":  {"kill -SEGV $$$$", 139, "Error", ""},
		"success": {"exit 0", 0, "Completed", ""},
	}
	for name, tc := range tests {
		b.create(t, pod("exit-"+name, corev1.RestartPolicyNever, sh(tc.script)))
	}
	for name, tc := range tests {
		phase := corev1.PodFailed
		if tc.code == 0 {
			phase = corev1.PodSucceeded
		}
		s := b.awaitPhase(t, "exit-"+name, phase).Status.ContainerStatuses[0]
		end := s.State.Terminated
		if end == nil || end.ExitCode != tc.code || end.Reason != tc.reason || end.Message != tc.message || s.RestartCount != 0 {
			t.Errorf("%s: %+v", name, s)
		} else if end.StartedAt.IsZero() || end.FinishedAt.IsZero() || end.ContainerID == "" {
			t.Errorf("%s: times or id are missing: %+v", name, end)
		}
	}
}

func testRestartOnFailure(t *testing.T, b *bench) {
	c := sh("test -e /data/again && exit 0; touch /data/again; exit 5")
	c.Command[2] = "cd $DATA; test -e again && exit 0; touch again; exit 5"
	c.Env = []corev1.EnvVar{{Name: "DATA", Value: "/data"}}
	c.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	p := pod("on-failure", corev1.RestartPolicyOnFailure, c)
	p.Spec.Volumes = []corev1.Volume{volume("data", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})}
	b.create(t, p)
	s := b.awaitPhase(t, "on-failure", corev1.PodSucceeded).Status.ContainerStatuses[0]
	if s.RestartCount != 1 || s.LastTerminationState.Terminated == nil || s.LastTerminationState.Terminated.ExitCode != 5 {
		t.Errorf("status %+v", s)
	}
}

func testCrashLoop(t *testing.T, b *bench) {
	b.create(t, pod("crash", corev1.RestartPolicyAlways, sh("echo run; exit 1")))
	got := b.await(t, "crash", "CrashLoopBackOff after two restarts", func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return len(s) == 1 && s[0].RestartCount >= 2 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "CrashLoopBackOff"
	})
	if message := got.Status.ContainerStatuses[0].State.Waiting.Message; !strings.HasPrefix(message, "back-off ") || !strings.Contains(message, "restarting failed container=main pod=crash_default(") {
		t.Errorf("message %q", message)
	}
	if got.Status.Phase != corev1.PodRunning {
		t.Errorf("phase %s", got.Status.Phase)
	}
	b.awaitEvent(t, "crash", "BackOff", "Back-off restarting failed container main")
}

func testInitContainers(t *testing.T, b *bench) {
	first, second := sh("echo 1 >> $OUT/order"), sh("echo 2 >> $OUT/order")
	first.Name, second.Name = "first", "second"
	last := sh("cat $OUT/order; sleep 600")
	for _, c := range []*corev1.Container{&first, &second, &last} {
		c.Env = []corev1.EnvVar{{Name: "OUT", Value: "/out"}}
		c.VolumeMounts = []corev1.VolumeMount{{Name: "out", MountPath: "/out"}}
	}
	p := pod("init", corev1.RestartPolicyAlways, last)
	p.Spec.InitContainers = []corev1.Container{first, second}
	p.Spec.Volumes = []corev1.Volume{volume("out", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})}
	b.create(t, p)
	got := b.await(t, "init", "readiness", ready)
	if s := got.Status.InitContainerStatuses; len(s) != 2 || s[0].State.Terminated == nil || s[1].State.Terminated == nil || !s[0].Ready {
		t.Errorf("init containers %+v", s)
	}
	b.awaitLog(t, "init", corev1.PodLogOptions{}, "1\n2\n")
}

// awaitLog waits until a container's log is as wanted.
func (b *bench) awaitLog(t *testing.T, name string, options corev1.PodLogOptions, want string) {
	t.Helper()
	var got string
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got = b.logs(t, name, options); got == want {
			return
		}
	}
	t.Fatalf("the log of %s is %q, want %q", name, got, want)
}

func testConfiguration(t *testing.T, b *bench) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"user": "me", "word": "pass"}}
	if _, err := b.api.CoreV1().Secrets(b.namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"COLOR": "blue", "size": "9"}}
	if _, err := b.api.CoreV1().ConfigMaps(b.namespace).Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c := sh(`echo "$USER_NAME $MY_COLOR $NAME $NODE $TIER $NONE"; cat "$1" "$2"; stat -c %a "$1"; ls "$3"`)
	c.Args = []string{"script", "/keys/deep/word", "/settings/size", "/settings"}
	c.EnvFrom = []corev1.EnvFromSource{{Prefix: "MY_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
	fieldRef := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	key := func(name, key string, optional *bool) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: optional}}
	}
	c.Env = []corev1.EnvVar{
		{Name: "USER_NAME", ValueFrom: key("keys", "user", nil)},
		{Name: "NAME", ValueFrom: fieldRef("metadata.name")},
		{Name: "NODE", ValueFrom: fieldRef("spec.nodeName")},
		{Name: "TIER", ValueFrom: fieldRef("metadata.labels['tier']")},
		{Name: "NONE", ValueFrom: key("no-such-secret", "x", ptr.To(true))},
	}
	c.VolumeMounts = []corev1.VolumeMount{{Name: "keys", MountPath: "/keys"}, {Name: "settings", MountPath: "/settings"}}
	p := pod("configuration", corev1.RestartPolicyNever, c)
	p.Labels = map[string]string{"tier": "back"}
	p.Spec.Volumes = []corev1.Volume{
		volume("keys", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "keys", DefaultMode: ptr.To[int32](0o440), Items: []corev1.KeyToPath{{Key: "word", Path: "deep/word"}}}}),
		volume("settings", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}),
	}
	b.create(t, p)
	b.awaitPhase(t, "configuration", corev1.PodSucceeded)
	if got, want := b.logs(t, "configuration", corev1.PodLogOptions{}), "me blue configuration local back \npass9440\nCOLOR\nsize\n"; got != want {
		t.Errorf("it wrote %q, want %q", got, want)
	}
}

func testMissingSecret(t *testing.T, b *bench) {
	c := sh("echo $WORD")
	c.Env = []corev1.EnvVar{{Name: "WORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "late"}, Key: "word"}}}}
	b.create(t, pod("missing", corev1.RestartPolicyNever, c))
	b.awaitWaiting(t, "missing", "CreateContainerConfigError", `secret "late" not found`)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "late"}, StringData: map[string]string{"wrod": "x"}}
	secret, err := b.api.CoreV1().Secrets(b.namespace).Create(t.Context(), secret, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.awaitWaiting(t, "missing", "CreateContainerConfigError", "couldn't find key word in Secret default/late")
	secret.StringData = map[string]string{"word": "found"}
	if _, err := b.api.CoreV1().Secrets(b.namespace).Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.awaitPhase(t, "missing", corev1.PodSucceeded)
	if got := b.logs(t, "missing", corev1.PodLogOptions{}); got != "found\n" {
		t.Errorf("it wrote %q", got)
	}
}

func (b *bench) awaitWaiting(t *testing.T, name, reason, part string) {
	t.Helper()
	b.await(t, name, reason+" with "+part, func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == reason &&
			strings.Contains(s[0].State.Waiting.Message, part) && p.Status.Phase == corev1.PodPending
	})
}

func testUnknownImages(t *testing.T, b *bench) {
	c := sh("exit 0")
	c.Image = "example.org/other:2"
	b.create(t, pod("unknown", corev1.RestartPolicyAlways, c))
	p := pod("unknown-volume", corev1.RestartPolicyAlways, sh("exit 0"))
	p.Spec.Volumes = []corev1.Volume{volume("guest", corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: "example.org/guest:3"}})}
	b.create(t, p)
	b.awaitWaiting(t, "unknown", "ImagePullBackOff", `no folder is given for image "example.org/other:2"`)
	b.awaitEvent(t, "unknown", "Failed", "example.org/other:2")
	b.awaitWaiting(t, "unknown-volume", "ErrImagePull", "example.org/guest:3")
}

func testUnsupportedVolume(t *testing.T, b *bench) {
	p := pod("host-path", corev1.RestartPolicyAlways, sh("exit 0"))
	p.Spec.Volumes = []corev1.Volume{volume("etc", corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/etc"}})}
	b.create(t, p)
	b.awaitWaiting(t, "host-path", "NotSupportedByLocalNode", `volume "etc"`)
}

func testProbes(t *testing.T, b *bench) {
	c := corev1.Container{
		Name: "main", Image: image, Command: []string{"/server"}, Args: []string{"serve", "$(POD_IP):8080", "/state/health"},
		Env:          []corev1.EnvVar{{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}}},
		Ports:        []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}},
		VolumeMounts: []corev1.VolumeMount{{Name: "state", MountPath: "/state"}},
	}
	tcp := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}
	web := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("web"), Path: "/"}}
	file := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"test", "!", "-e", "/state/dead"}}}
	c.StartupProbe = &corev1.Probe{ProbeHandler: tcp, PeriodSeconds: 1, FailureThreshold: 60}
	c.ReadinessProbe = &corev1.Probe{ProbeHandler: web, PeriodSeconds: 1, FailureThreshold: 1, TimeoutSeconds: 5}
	c.LivenessProbe = &corev1.Probe{ProbeHandler: file, PeriodSeconds: 1, FailureThreshold: 2, TimeoutSeconds: 5}
	p := pod("probes", corev1.RestartPolicyAlways, c)
	p.Spec.Volumes = []corev1.Volume{volume("state", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})}
	made := b.create(t, p)
	state := filepath.Join(b.cluster.Dir, "node", "pods", string(made.UID), "volumes", "state")

	got := b.await(t, "probes", "the end of the startup", func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return len(s) == 1 && ptr.Deref(s[0].Started, false)
	})
	if ready(got) || !strings.HasPrefix(got.Status.PodIP, "127.77.") || !reachable(got.Status.PodIP+":8080") {
		t.Errorf("ready %v, address %s", ready(got), got.Status.PodIP)
	}
	b.awaitEvent(t, "probes", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(state, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("health", "good")
	b.await(t, "probes", "readiness", ready)
	write("health", "bad")
	b.await(t, "probes", "the end of readiness", func(p *corev1.Pod) bool { return !ready(p) })
	write("dead", "")
	b.awaitEvent(t, "probes", "Killing", "Container main failed liveness probe, will be restarted")
	if err := os.Remove(filepath.Join(state, "dead")); err != nil {
		t.Fatal(err)
	}
	write("health", "good")
	got = b.await(t, "probes", "a restart", func(p *corev1.Pod) bool { return ready(p) && p.Status.ContainerStatuses[0].RestartCount > 0 })
	if got.Status.PodIP == "" || got.Status.ContainerStatuses[0].LastTerminationState.Terminated == nil {
		t.Errorf("status %+v", got.Status)
	}
}

func testDeletion(t *testing.T, b *bench) {
	background := metav1.DeletePropagationBackground
	scripts := map[string]struct {
		script string
		grace  int64
	}{
		"heeds":   {"trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", 30},
		"ignores": {"trap '' TERM; echo up; while :; do sleep 0.05; done", 1},
		"forced":  {"echo up; sleep 600 & setsid sleep 600", 0},
	}
	for name, s := range scripts {
		b.create(t, pod("delete-"+name, corev1.RestartPolicyAlways, sh(s.script)))
	}
	for name, s := range scripts {
		name = "delete-" + name
		id := b.await(t, name, "running", func(p *corev1.Pod) bool {
			return p.Status.Phase == corev1.PodRunning && b.logs(t, name, corev1.PodLogOptions{}) == "up\n"
		}).Status.ContainerStatuses[0].ContainerID
		if len(process.Marked("LOCALNODE_CONTAINER", id)) == 0 {
			t.Errorf("%s: no process is found by its mark", name)
		}
		begin := time.Now()
		if err := b.api.CoreV1().Pods(b.namespace).Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &s.grace, PropagationPolicy: &background}); err != nil {
			t.Fatal(err)
		}
		b.awaitGone(t, name)
		took := time.Since(begin)
		if name == "delete-heeds" && took > 25*time.Second || name == "delete-ignores" && took < time.Second {
			t.Errorf("%s: gone after %s with %d s of grace", name, took, s.grace)
		}
		for end := time.Now().Add(patient); len(process.Marked("LOCALNODE_CONTAINER", id)) > 0; time.Sleep(20 * time.Millisecond) {
			if name != "delete-forced" || time.Now().After(end) { // a forced deletion does not wait for the processes
				t.Fatalf("%s: its processes go on", name)
			}
		}
	}
}

func testLogs(t *testing.T, b *bench) {
	b.create(t, pod("logs", corev1.RestartPolicyAlways, sh("echo a; echo b >&2; echo c; sleep 2; echo d; exit 1")))
	b.awaitPhase(t, "logs", corev1.PodRunning)
	b.awaitLog(t, "logs", corev1.PodLogOptions{TailLines: ptr.To[int64](1)}, "c\n")
	if got, want := b.logs(t, "logs", corev1.PodLogOptions{Follow: true}), "a\nb\nc\nd\n"; got != want {
		t.Errorf("followed: %q, want %q", got, want)
	}
	b.await(t, "logs", "a restart", func(p *corev1.Pod) bool {
		return p.Status.ContainerStatuses[0].RestartCount >= 1 && p.Status.ContainerStatuses[0].State.Running != nil
	})
	if got, want := b.logs(t, "logs", corev1.PodLogOptions{Previous: true}), "a\nb\nc\nd\n"; got != want {
		t.Errorf("previous: %q, want %q", got, want)
	}
}

func testUser(t *testing.T, b *bench) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes as another user")
	}
	c := sh("id -u; id -g; grep NoNewPrivs /proc/self/status | cut -f2; echo x > $WORK/file; stat -c %g $WORK/file; echo said > $TERMINATION_LOG")
	c.Env = []corev1.EnvVar{{Name: "WORK", Value: "/work"}}
	c.VolumeMounts = []corev1.VolumeMount{{Name: "work", MountPath: "/work"}}
	c.SecurityContext = &corev1.SecurityContext{AllowPrivilegeEscalation: ptr.To(false)}
	p := pod("user", corev1.RestartPolicyNever, c)
	p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65534), RunAsGroup: ptr.To[int64](65534), FSGroup: ptr.To[int64](777)}
	p.Spec.Volumes = []corev1.Volume{volume("work", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})}
	b.create(t, p)
	got := b.awaitPhase(t, "user", corev1.PodSucceeded)
	if log := b.logs(t, "user", corev1.PodLogOptions{}); log != "65534\n65534\n1\n777\n" {
		t.Errorf("it wrote %q", log)
	}
	if message := got.Status.ContainerStatuses[0].State.Terminated.Message; message != "said\n" {
		t.Errorf("message %q", message)
	}
}

func testEntrypoint(t *testing.T, b *bench) {
	b.create(t, pod("entrypoint", corev1.RestartPolicyNever, corev1.Container{Name: "main", Image: image, Args: []string{"more"}}))
	b.awaitPhase(t, "entrypoint", corev1.PodSucceeded)
	if got, want := b.logs(t, "entrypoint", corev1.PodLogOptions{}), "hello from "+filepath.Join(b.images, "hello")+" entry more\n"; got != want {
		t.Errorf("it wrote %q, want %q", got, want)
	}
}

func testNoProgram(t *testing.T, b *bench) {
	b.create(t, pod("no-program", corev1.RestartPolicyNever, corev1.Container{Name: "main", Image: image, Command: []string{"/no/such"}}))
	end := b.awaitPhase(t, "no-program", corev1.PodFailed).Status.ContainerStatuses[0].State.Terminated
	if end.ExitCode != 128 || end.Reason != "StartError" || !strings.Contains(end.Message, "/no/such") {
		t.Errorf("state %+v", end)
	}
}

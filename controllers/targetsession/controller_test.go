package targetsession_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// up makes a target and waits until it is ready.
func up(l *lab, name string, change ...func(*v1alpha1.TargetSession)) *agent {
	l.Helper()
	l.session(name, change...)
	a := l.run(l.pod(name + "-1"))
	l.await(name, "ready", isReady)
	return a
}

func hopeless(s *agentapi.State) {
	s.Verdict, s.VerdictSince, s.Ready, s.NeedsReplacement, s.Message = agentapi.VerdictSilentToPing, time.Now(), false, true, "silent for 900 ms"
}

func TestATargetBecomesReady(t *testing.T) {
	l := newLab(t)
	up(l, "arm")
	ts := l.get("arm")
	if ts.Status.Epoch != 1 || ts.Status.PodName != "arm-1" || ts.Status.Verdict != agentapi.VerdictAlive || ts.Status.Boots != 1 {
		t.Errorf("status = %+v", ts.Status)
	}
	secret := l.secret("arm")
	if !metav1.IsControlledBy(secret, ts) || len(secret.Data[corev1.TLSPrivateKeyKey]) == 0 {
		t.Errorf("Secret = %+v", secret.ObjectMeta)
	}
	key := types.NamespacedName{Namespace: l.Namespace, Name: "arm"}
	if state, ok := l.hub.State(key); !ok || state.Incarnation != 1 {
		t.Errorf("hub's state = %+v, %v", state, ok)
	}
	if _, ok := l.hub.Client(key); !ok {
		t.Error("the hub has no client")
	}
}

func TestTheStatusIsNotWrittenWhileNothingHappens(t *testing.T) {
	l := newLab(t)
	a := up(l, "arm")
	before := l.get("arm").ResourceVersion
	for range 5 {
		a.set(func(s *agentapi.State) { s.LastEcho, s.RoundTripMicroseconds = time.Now(), s.RoundTripMicroseconds+1 })
	}
	a.set(func(s *agentapi.State) { s.Accelerator = "KVM" }) // real news, after which the others are known to be handled
	after := l.await("arm", "accelerator KVM", func(ts *v1alpha1.TargetSession) bool { return ts.Status.Accelerator == "KVM" })
	if before == after.ResourceVersion {
		t.Error("news were not written")
	}
	var writes int
	for _, f := range after.ManagedFields {
		if f.Subresource == "status" {
			writes++
		}
	}
	if writes != 1 {
		t.Errorf("%d managers write the status, want 1", writes)
	}
}

func TestAHopelessTargetGetsANewPod(t *testing.T) {
	l := newLab(t)
	a := up(l, "arm")
	first := l.pod("arm-1")
	l.bind(first)
	a.set(hopeless)
	l.await("arm", "epoch 2", func(ts *v1alpha1.TargetSession) bool { return ts.Status.Epoch == 2 })
	l.Until("pod arm-1 is being deleted", func() bool { return l.pod("arm-1").DeletionTimestamp != nil }, nil)
	l.await("arm", "waits for the old pod", func(ts *v1alpha1.TargetSession) bool {
		return says(ts, v1alpha1.ConditionPodRunning, "pod arm-1 has to be gone")
	})
	a.stop()
	l.gone(first)
	l.run(l.pod("arm-2"))
	ts := l.await("arm", "ready again", isReady)
	if ts.Status.Restarts != 1 || ts.Status.Recoveries.Replace != 1 || ts.Status.Boots != 2 || ts.Status.LastRecovery.Reason != v1alpha1.ReasonNeedsReplacement {
		t.Errorf("status = %+v", ts.Status)
	}
	l.Until("event PodReplaced", func() bool {
		var list eventsv1.EventList
		if err := l.List(context.Background(), &list, client.InNamespace(l.Namespace)); err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Items {
			if e.Reason == "PodReplaced" && e.Regarding.Name == "arm" {
				return true
			}
		}
		return false
	}, nil)
}

func TestADeletedPodIsMadeAnew(t *testing.T) {
	l := newLab(t)
	up(l, "arm")
	l.gone(l.pod("arm-1"))
	l.run(l.pod("arm-2"))
	if ts := l.await("arm", "ready again", isReady); ts.Status.Restarts != 1 {
		t.Errorf("%d restarts, want 1", ts.Status.Restarts)
	}
}

func TestTheRestartBudgetEnds(t *testing.T) {
	l := newLab(t)
	a := up(l, "arm", func(ts *v1alpha1.TargetSession) { ts.Spec.Restart.Limit = ptr.To[int32](0) })
	a.set(hopeless)
	l.await("arm", "given up", func(ts *v1alpha1.TargetSession) bool {
		return status(ts, v1alpha1.ConditionRestartsExhausted) == "True/LimitReached" && status(ts, v1alpha1.ConditionReady) == "False/LimitReached"
	})
	if pods := l.pods("arm"); len(pods) != 1 || pods[0].Name != "arm-1" {
		t.Errorf("the pod was not left for inspection: %d pods", len(pods))
	}
	l.edit("arm", func(ts *v1alpha1.TargetSession) { ts.Spec.Restart.Limit = ptr.To[int32](1) })
	l.pod("arm-2")
	l.await("arm", "no longer given up", func(ts *v1alpha1.TargetSession) bool {
		return status(ts, v1alpha1.ConditionRestartsExhausted) == "absent"
	})
}

func TestTheBreakerHoldsAFleetBack(t *testing.T) {
	l := newLab(t)
	inPool := func(ts *v1alpha1.TargetSession) {
		ts.Labels = map[string]string{v1alpha1.LabelPool: "fleet"}
		ts.Spec.Restart.BackoffBaseMilliseconds = 20_000 // time for all three to fail
	}
	var agents []*agent
	names := []string{"fleet-0", "fleet-1", "fleet-2"}
	for _, name := range names {
		agents = append(agents, up(l, name, inPool))
	}
	for i, a := range agents {
		a.set(hopeless)
		l.await(names[i], "failed", func(ts *v1alpha1.TargetSession) bool { return ts.Status.FailedSince != nil })
	}
	held := func(ts *v1alpha1.TargetSession) bool {
		return status(ts, v1alpha1.ConditionRestartAllowed) == "False/TooManyUnhealthy" && says(ts, v1alpha1.ConditionRestartAllowed, "of 3 targets of pool fleet")
	}
	l.await(names[2], "held back", held)
	agents[0].set(func(s *agentapi.State) { s.Verdict, s.NeedsReplacement, s.Ready = agentapi.VerdictAlive, false, true })
	agents[1].set(func(s *agentapi.State) { s.Verdict, s.NeedsReplacement, s.Ready = agentapi.VerdictAlive, false, true })
	l.await(names[2], "let go", func(ts *v1alpha1.TargetSession) bool { return !held(ts) })
}

func TestAnotherSpecIsAnotherEpochAndNoRestart(t *testing.T) {
	l := newLab(t)
	up(l, "arm")
	l.edit("arm", func(ts *v1alpha1.TargetSession) { ts.Spec.Health.EchoIntervalMilliseconds = 100 })
	l.run(l.pod("arm-2"))
	ts := l.await("arm", "ready as epoch 2", func(ts *v1alpha1.TargetSession) bool { return isReady(ts) && ts.Status.Epoch == 2 })
	if ts.Status.Restarts != 0 || ts.Status.ObservedGeneration != ts.Generation {
		t.Errorf("status = %+v", ts.Status)
	}
	l.edit("arm", func(ts *v1alpha1.TargetSession) { ts.Spec.Restart.Limit = ptr.To[int32](3) })
	ts = l.await("arm", "observed", func(ts *v1alpha1.TargetSession) bool { return ts.Status.ObservedGeneration == ts.Generation })
	if ts.Status.Epoch != 2 {
		t.Errorf("another budget made epoch %d", ts.Status.Epoch)
	}
}

func TestSourcesAreLookedForFirst(t *testing.T) {
	l := newLab(t)
	l.session("arm", func(ts *v1alpha1.TargetSession) {
		ts.Spec.Qemu.Boot = v1alpha1.BootSource{Kernel: &v1alpha1.FileSource{ConfigMap: "genode", Path: "image.elf"}}
		ts.Spec.Qemu.Binaries = &v1alpha1.FileSource{PersistentVolumeClaim: "tasks", Path: "bin"}
	})
	missing := func(part string) {
		t.Helper()
		ts := l.await("arm", part, func(ts *v1alpha1.TargetSession) bool {
			return status(ts, v1alpha1.ConditionSourcesReady) == "False/NotFound" && says(ts, v1alpha1.ConditionReady, part)
		})
		if ts.Status.Epoch != 0 || len(l.pods("arm")) != 0 {
			t.Errorf("epoch %d without sources", ts.Status.Epoch)
		}
	}
	missing(`spec.qemu.boot.kernel: there is no ConfigMap "genode"`)
	missing(`spec.qemu.binaries: there is no PersistentVolumeClaim "tasks"`)
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "genode", Namespace: l.Namespace}, BinaryData: map[string][]byte{"image": {1}}}
	if err := l.Create(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	missing(`spec.qemu.boot.kernel: ConfigMap "genode" has no key "image.elf"`)
	cm.BinaryData["image.elf"] = []byte{1}
	if err := l.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	l.edit("arm", func(ts *v1alpha1.TargetSession) { ts.Spec.Qemu.Binaries = nil })
	l.pod("arm-1")
	l.await("arm", "sources found", func(ts *v1alpha1.TargetSession) bool {
		return status(ts, v1alpha1.ConditionSourcesReady) == "True/Found"
	})
}

func TestStrangersAreLeftAlone(t *testing.T) {
	l := newLab(t)
	for _, stranger := range []client.Object{
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "arm-1", Namespace: l.Namespace}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: target.CredentialsSecret("riscv"), Namespace: l.Namespace}},
	} {
		if err := l.Create(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
	}
	l.session("arm")
	l.session("riscv")
	l.await("arm", "told of the pod", func(ts *v1alpha1.TargetSession) bool {
		return status(ts, v1alpha1.ConditionPodRunning) == "False/NameTaken" && says(ts, v1alpha1.ConditionPodRunning, "Pod arm-1")
	})
	l.await("riscv", "told of the Secret", func(ts *v1alpha1.TargetSession) bool {
		return status(ts, v1alpha1.ConditionPodRunning) == "False/NameTaken" && says(ts, v1alpha1.ConditionPodRunning, "Secret riscv-agent")
	})
	if pod := l.pod("arm-1"); len(pod.Labels) != 0 || len(pod.OwnerReferences) != 0 {
		t.Errorf("the stranger's pod was changed: %+v", pod.ObjectMeta)
	}
	if secret := l.secret("riscv"); len(secret.Data) != 0 {
		t.Error("the stranger's Secret was filled")
	}
}

func TestAnotherManagerTakesOver(t *testing.T) {
	l := newLab(t)
	a := up(l, "arm")
	l.stop()
	a.set(func(s *agentapi.State) { s.Boots, s.Incarnation, s.Recoveries.Reset = 2, 2, 1 })
	l.start()
	ts := l.await("arm", "the reset is counted", func(ts *v1alpha1.TargetSession) bool { return ts.Status.Boots == 2 })
	if ts.Status.Epoch != 1 || ts.Status.Recoveries.Reset != 1 || !isReady(ts) {
		t.Errorf("status = %+v", ts.Status)
	}
}

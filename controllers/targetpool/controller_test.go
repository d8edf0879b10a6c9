package targetpool_test

import (
	"context"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/targetpool"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// lab is one namespace with the controller running in it.
type lab struct{ *testenv.Lab }

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{testenv.NewLab(t)}
	l.Manage(ctrl.Options{}, func(mgr ctrl.Manager) error {
		return targetpool.SetupWithManager(mgr, targetpool.Options{Class: session.Classes{}})
	})
	return l
}

func (l *lab) pool(name string, replicas int32) {
	l.Helper()
	l.Make(&v1alpha1.TargetPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.Namespace},
		Spec: v1alpha1.TargetPoolSpec{Replicas: &replicas, Template: v1alpha1.TargetSessionTemplate{
			Metadata: v1alpha1.TemplateMetadata{Labels: map[string]string{"lab": "demo"}},
			Spec: v1alpha1.TargetSessionSpec{Qemu: &v1alpha1.QemuTarget{
				Preset: v1alpha1.PresetPC, Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/genode.iso"}},
			}},
		}},
	})
}

func (l *lab) get(name string) *v1alpha1.TargetPool {
	l.Helper()
	return testenv.Fetch(l.Lab, name, &v1alpha1.TargetPool{})
}

// sessions are the names of a pool's sessions, each with its echo interval.
func (l *lab) sessions(pool string) map[string]int32 {
	l.Helper()
	var list v1alpha1.TargetSessionList
	if err := l.List(context.Background(), &list, client.InNamespace(l.Namespace), client.MatchingLabels{v1alpha1.LabelPool: pool}); err != nil {
		l.Fatal(err)
	}
	found := map[string]int32{}
	for _, ts := range list.Items {
		found[ts.Name] = ts.Spec.Health.EchoIntervalMilliseconds
	}
	return found
}

func (l *lab) awaitSessions(pool string, want map[string]int32) {
	l.Helper()
	var diff string
	l.Until("sessions of "+pool, func() bool { diff = cmp.Diff(want, l.sessions(pool)); return diff == "" }, func() string { return diff })
}

func (l *lab) awaitReady(pool, want string) *v1alpha1.TargetPool {
	l.Helper()
	return testenv.Await(l.Lab, pool, &v1alpha1.TargetPool{}, want, func(got *v1alpha1.TargetPool) bool {
		c := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && string(c.Status)+"/"+c.Reason == want && got.Status.ObservedGeneration == got.Generation
	})
}

// ready does what the TargetSession controller does when a target comes up.
func (l *lab) ready(name string) {
	l.Helper()
	ts := testenv.Fetch(l.Lab, name, &v1alpha1.TargetSession{})
	before := ts.DeepCopy()
	meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, ObservedGeneration: ts.Generation,
	})
	if err := l.Status().Patch(context.Background(), ts, client.MergeFrom(before)); err != nil {
		l.Fatal(err)
	}
}

func TestAPoolIsScaledThroughItsSubresource(t *testing.T) {
	l := newLab(t)
	l.pool("arm", 2)
	l.awaitSessions("arm", map[string]int32{"arm-0": 200, "arm-1": 200})
	l.ready("arm-0")
	l.ready("arm-1")
	l.awaitReady("arm", "True/Ready")

	scale := func(n int32) {
		t.Helper()
		if err := l.SubResource("scale").Update(t.Context(), l.get("arm"), client.WithSubResourceBody(&autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: n}})); err != nil {
			t.Fatal(err)
		}
	}
	scale(4)
	l.awaitSessions("arm", map[string]int32{"arm-0": 200, "arm-1": 200, "arm-2": 200, "arm-3": 200})
	l.awaitReady("arm", "False/WaitingForTargets")
	var now autoscalingv1.Scale
	l.Until("4 replicas in scale", func() bool {
		if err := l.SubResource("scale").Get(t.Context(), l.get("arm"), &now); err != nil {
			t.Fatal(err)
		}
		return now.Status.Replicas == 4
	}, nil)
	if now.Status.Selector != "genode-operator.io/pool=arm" || now.Spec.Replicas != 4 {
		t.Errorf("scale = %+v", now)
	}
	scale(1)
	l.awaitSessions("arm", map[string]int32{"arm-0": 200})
	if pool := l.awaitReady("arm", "True/Ready"); pool.Status.Replicas != 1 || pool.Status.ReadyReplicas != 1 {
		t.Errorf("status = %+v", pool.Status)
	}
}

func TestATemplateIsRolledOutTargetByTarget(t *testing.T) {
	l := newLab(t)
	l.pool("arm", 2)
	l.awaitSessions("arm", map[string]int32{"arm-0": 200, "arm-1": 200})
	l.ready("arm-0")
	l.ready("arm-1")
	l.awaitReady("arm", "True/Ready")
	pool := l.get("arm")
	before := pool.DeepCopy()
	pool.Spec.Template.Spec.Health.EchoIntervalMilliseconds = 100
	if err := l.Patch(t.Context(), pool, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	l.awaitSessions("arm", map[string]int32{"arm-0": 100, "arm-1": 200})
	if got := l.awaitReady("arm", "False/Updating"); got.Status.UpdatedReplicas != 1 {
		t.Errorf("status = %+v", got.Status)
	}
	l.awaitSessions("arm", map[string]int32{"arm-0": 100, "arm-1": 200}) // still: the first one is not ready yet
	l.ready("arm-0")
	l.awaitSessions("arm", map[string]int32{"arm-0": 100, "arm-1": 100})
	l.ready("arm-1")
	l.awaitReady("arm", "True/Ready")
}

func TestAStrangerIsLeftAlone(t *testing.T) {
	l := newLab(t)
	stranger := &v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{Name: "arm-1", Namespace: l.Namespace},
		Spec: v1alpha1.TargetSessionSpec{Qemu: &v1alpha1.QemuTarget{
			Preset: v1alpha1.PresetPBXA9, Boot: v1alpha1.BootSource{Kernel: &v1alpha1.FileSource{Path: "/mine.elf"}},
		}},
	}
	l.Make(stranger)
	l.pool("arm", 3)
	l.awaitReady("arm", "False/NameTaken")
	l.awaitSessions("arm", map[string]int32{"arm-0": 200, "arm-2": 200})
	after := testenv.Fetch(l.Lab, stranger.Name, &v1alpha1.TargetSession{})
	if after.ResourceVersion != stranger.ResourceVersion {
		t.Errorf("the stranger's session was changed: %+v", after.ObjectMeta)
	}
}

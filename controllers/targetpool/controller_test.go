package targetpool_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/targetpool"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

const patience = time.Minute

// lab is one namespace with the controller running in it.
type lab struct {
	*testing.T
	client    client.Client
	namespace string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	config := testenv.Start(t)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	l := &lab{T: t, namespace: testenv.Namespace(t, config)}
	var err error
	if l.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Logger: logr.Discard(),
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{l.namespace: {}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := targetpool.SetupWithManager(mgr, targetpool.Options{SkipNameValidation: ptr.To(true)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("manager: %v", err)
		}
	})
	return l
}

func (l *lab) pool(name string, replicas int32) {
	l.Helper()
	pool := &v1alpha1.TargetPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.namespace},
		Spec: v1alpha1.TargetPoolSpec{Replicas: &replicas, Template: v1alpha1.TargetSessionTemplate{
			Metadata: v1alpha1.TemplateMetadata{Labels: map[string]string{"lab": "demo"}},
			Spec: v1alpha1.TargetSessionSpec{Qemu: &v1alpha1.QemuTarget{
				Preset: v1alpha1.PresetPC, Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/genode.iso"}},
			}},
		}},
	}
	if err := l.client.Create(context.Background(), pool); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) get(name string) *v1alpha1.TargetPool {
	l.Helper()
	var pool v1alpha1.TargetPool
	if err := l.client.Get(context.Background(), types.NamespacedName{Namespace: l.namespace, Name: name}, &pool); err != nil {
		l.Fatal(err)
	}
	return &pool
}

// sessions are the names of a pool's sessions, each with its echo interval.
func (l *lab) sessions(pool string) map[string]int32 {
	l.Helper()
	var list v1alpha1.TargetSessionList
	if err := l.client.List(context.Background(), &list, client.InNamespace(l.namespace), client.MatchingLabels{v1alpha1.LabelPool: pool}); err != nil {
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
	l.until(func() bool { diff = cmp.Diff(want, l.sessions(pool)); return diff == "" }, func() string { return diff })
}

func (l *lab) awaitReady(pool, want string) *v1alpha1.TargetPool {
	l.Helper()
	var got *v1alpha1.TargetPool
	l.until(func() bool {
		got = l.get(pool)
		c := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && string(c.Status)+"/"+c.Reason == want && got.Status.ObservedGeneration == got.Generation
	}, func() string { raw, _ := json.Marshal(got.Status); return want + ", but " + string(raw) })
	return got
}

func (l *lab) until(is func() bool, dump func() string) {
	l.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			l.Fatalf("not within %s: %s", patience, dump())
		}
	}
}

// ready does what the TargetSession controller does when a target comes up.
func (l *lab) ready(name string) {
	l.Helper()
	var ts v1alpha1.TargetSession
	if err := l.client.Get(context.Background(), types.NamespacedName{Namespace: l.namespace, Name: name}, &ts); err != nil {
		l.Fatal(err)
	}
	before := ts.DeepCopy()
	meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, ObservedGeneration: ts.Generation,
	})
	if err := l.client.Status().Patch(context.Background(), &ts, client.MergeFrom(before)); err != nil {
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
		if err := l.client.SubResource("scale").Update(t.Context(), l.get("arm"), client.WithSubResourceBody(&autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: n}})); err != nil {
			t.Fatal(err)
		}
	}
	scale(4)
	l.awaitSessions("arm", map[string]int32{"arm-0": 200, "arm-1": 200, "arm-2": 200, "arm-3": 200})
	l.awaitReady("arm", "False/WaitingForTargets")
	var now autoscalingv1.Scale
	l.until(func() bool {
		if err := l.client.SubResource("scale").Get(t.Context(), l.get("arm"), &now); err != nil {
			t.Fatal(err)
		}
		return now.Status.Replicas == 4
	}, func() string { return "4 replicas in scale" })
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
	if err := l.client.Patch(t.Context(), pool, client.MergeFrom(before)); err != nil {
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
		ObjectMeta: metav1.ObjectMeta{Name: "arm-1", Namespace: l.namespace},
		Spec: v1alpha1.TargetSessionSpec{Qemu: &v1alpha1.QemuTarget{
			Preset: v1alpha1.PresetPBXA9, Boot: v1alpha1.BootSource{Kernel: &v1alpha1.FileSource{Path: "/mine.elf"}},
		}},
	}
	if err := l.client.Create(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	l.pool("arm", 3)
	l.awaitReady("arm", "False/NameTaken")
	l.awaitSessions("arm", map[string]int32{"arm-0": 200, "arm-2": 200})
	var after v1alpha1.TargetSession
	if err := l.client.Get(t.Context(), client.ObjectKeyFromObject(stranger), &after); err != nil {
		t.Fatal(err)
	}
	if after.ResourceVersion != stranger.ResourceVersion {
		t.Errorf("the stranger's session was changed: %+v", after.ObjectMeta)
	}
}

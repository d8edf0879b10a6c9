package targetsession_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/targetsession"
	"github.com/genode-operator/genode-operator/internal/target"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// lab is one namespace with the controller running in it, and with the test as its kubelet.
type lab struct {
	*testenv.Lab
	t    *testing.T
	hub  *targetsession.Hub
	stop func() // ends the manager

	mu         sync.Mutex
	violations []string // pods that were applied before their epoch was stored
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Lab: testenv.NewLab(t), t: t}
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, v := range l.violations {
			t.Error(v)
		}
	})
	l.start()
	return l
}

// start starts a manager.
func (l *lab) start() {
	l.Helper()
	byObject, err := targetsession.CacheByObject()
	if err != nil {
		l.Fatal(err)
	}
	watched := func(c *rest.Config, o client.Options) (client.Client, error) {
		inner, err := client.NewWithWatch(c, o)
		if err != nil {
			return nil, err
		}
		return interceptor.NewClient(inner, interceptor.Funcs{Apply: l.checkApply}), nil
	}
	l.stop = l.Manage(ctrl.Options{Cache: cache.Options{ByObject: byObject}, NewClient: watched}, func(mgr ctrl.Manager) error {
		l.hub = targetsession.NewHub(targetsession.HubOptions{})
		return targetsession.SetupWithManager(mgr, targetsession.Options{RunnerImage: "runner", Hub: l.hub})
	})
}

// checkApply watches every server-side apply: a pod may be applied only when its epoch is stored, and no
// other pod of its session is left.
func (l *lab) checkApply(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	raw, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	var applied metav1.PartialObjectMetadata
	if err := json.Unmarshal(raw, &applied); err != nil {
		return err
	}
	if applied.Kind == "Pod" {
		var ts v1alpha1.TargetSession
		if err := l.Get(ctx, types.NamespacedName{Namespace: l.Namespace, Name: applied.Labels[v1alpha1.LabelSession]}, &ts); err != nil {
			return err
		}
		l.mu.Lock()
		if want := fmt.Sprint(ts.Status.Epoch); want != applied.Labels[v1alpha1.LabelEpoch] || ts.Status.PodName != applied.Name {
			l.violations = append(l.violations, fmt.Sprintf("pod %s was applied while epoch %s and pod %q were stored", applied.Name, want, ts.Status.PodName))
		}
		for _, pod := range l.pods(ts.Name) {
			if pod.Name != applied.Name {
				l.violations = append(l.violations, fmt.Sprintf("pod %s was applied while pod %s existed", applied.Name, pod.Name))
			}
		}
		l.mu.Unlock()
	}
	return c.Apply(ctx, obj, opts...)
}

// session makes a TargetSession.
func (l *lab) session(name string, change ...func(*v1alpha1.TargetSession)) {
	l.Helper()
	ts := &v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.Namespace},
		Spec: v1alpha1.TargetSessionSpec{
			Qemu:    &v1alpha1.QemuTarget{Preset: v1alpha1.PresetPC, Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/genode.iso"}}},
			Restart: v1alpha1.RestartSpec{BackoffBaseMilliseconds: 100},
		},
	}
	for _, c := range change {
		c(ts)
	}
	l.Make(ts)
}

func (l *lab) get(name string) *v1alpha1.TargetSession {
	l.Helper()
	return testenv.Fetch(l.Lab, name, &v1alpha1.TargetSession{})
}

// edit changes a TargetSession's spec.
func (l *lab) edit(name string, change func(*v1alpha1.TargetSession)) {
	l.Helper()
	testenv.Edit(l.Lab, name, &v1alpha1.TargetSession{}, change)
}

// await waits until a TargetSession is as wanted, and returns it.
func (l *lab) await(name, what string, is func(*v1alpha1.TargetSession) bool) *v1alpha1.TargetSession {
	l.Helper()
	return testenv.Await(l.Lab, name, &v1alpha1.TargetSession{}, what, is)
}

// pods lists a session's pods.
func (l *lab) pods(session string) []corev1.Pod {
	l.Helper()
	var list corev1.PodList
	if err := l.List(context.Background(), &list, client.InNamespace(l.Namespace), client.MatchingLabels{v1alpha1.LabelSession: session}); err != nil {
		l.Fatal(err)
	}
	return list.Items
}

// pod waits for a pod.
func (l *lab) pod(name string) *corev1.Pod {
	l.Helper()
	return testenv.Await(l.Lab, name, &corev1.Pod{}, "is made", func(*corev1.Pod) bool { return true })
}

// bind puts a pod on a node, so that its deletion takes until the kubelet says that it is gone.
func (l *lab) bind(pod *corev1.Pod) {
	l.Helper()
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}, Target: corev1.ObjectReference{Kind: "Node", Name: "n1"}}
	if err := l.SubResource("binding").Create(context.Background(), pod, binding); err != nil {
		l.Fatal(err)
	}
}

// gone does what a kubelet does when the last container of a deleted pod has ended.
func (l *lab) gone(pod *corev1.Pod) {
	l.Helper()
	if err := l.Delete(context.Background(), pod, client.GracePeriodSeconds(0)); err != nil {
		l.Fatal(err)
	}
}

// run starts an agent for a pod, and tells the API server that the pod runs there.
func (l *lab) run(pod *corev1.Pod) *agent {
	l.Helper()
	ts := l.get(pod.Labels[v1alpha1.LabelSession])
	a := startAgent(l.t, l.secret(ts.Name))
	before := pod.DeepCopy()
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: a.ip, PodIPs: []corev1.PodIP{{IP: a.ip}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: v1alpha1.TargetContainer, Image: "runner", Ready: true, Started: ptr.To(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}},
	}
	if err := l.Status().Patch(context.Background(), pod, client.MergeFrom(before)); err != nil {
		l.Fatal(err)
	}
	return a
}

func (l *lab) secret(session string) *corev1.Secret {
	l.Helper()
	return testenv.Fetch(l.Lab, target.CredentialsSecret(session), &corev1.Secret{})
}

// status is a condition as Status/Reason.
func status(ts *v1alpha1.TargetSession, kind string) string {
	if c := meta.FindStatusCondition(ts.Status.Conditions, kind); c != nil {
		return string(c.Status) + "/" + c.Reason
	}
	return "absent"
}

func says(ts *v1alpha1.TargetSession, kind, part string) bool {
	c := meta.FindStatusCondition(ts.Status.Conditions, kind)
	return c != nil && strings.Contains(c.Message, part)
}

func isReady(ts *v1alpha1.TargetSession) bool {
	return status(ts, v1alpha1.ConditionReady) == "True/Ready"
}

// agent is a fake target behind the real API.
type agent struct {
	ip   string
	stop func()

	mu      sync.Mutex
	state   agentapi.State
	changed chan struct{}
}

// addresses hands out loopback addresses, one for each agent of this test binary.
var addresses struct {
	sync.Mutex
	next byte
}

// startAgent serves the agent's API on a loopback address of its own, at the port of the real one.
func startAgent(t *testing.T, secret *corev1.Secret) *agent {
	t.Helper()
	cert, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	addresses.Lock()
	addresses.next++
	a := &agent{ip: fmt.Sprintf("127.77.%d.%d", os.Getpid()%250, addresses.next), changed: make(chan struct{})}
	addresses.Unlock()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(a.ip, fmt.Sprint(v1alpha1.AgentPort)))
	if err != nil {
		t.Fatal(err)
	}
	a.set(func(s *agentapi.State) {
		*s = agentapi.State{
			Verdict: agentapi.VerdictAlive, VerdictSince: time.Now(), Message: "answers", Ready: true, Boots: 1, Incarnation: 1, Accelerator: "TCG",
			Snapshot: agentapi.SnapshotState{State: agentapi.SnapshotUsable},
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := &agentapi.Server{Backend: a, Token: string(secret.Data[target.TokenKey])}
	go func() { ended <- server.Serve(ctx, listener, cert) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("agent: %v", err)
		}
	})
	t.Cleanup(a.stop)
	return a
}

func (a *agent) set(change func(*agentapi.State)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.state)
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *agent) State() agentapi.State {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.state
	s.Time = time.Now()
	return s
}

func (a *agent) Changed() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

func (*agent) Do(context.Context, agentapi.Action) error { return agentapi.ErrConflict }
func (*agent) Console(int) []string                      { return nil }
func (*agent) Diagnosis() (agentapi.Diagnosis, error) {
	return agentapi.Diagnosis{}, agentapi.ErrNotFound
}

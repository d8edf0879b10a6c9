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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

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

// patience is how long a condition may take; a busy machine needs some of it.
const patience = time.Minute

// lab is one namespace with the controller running in it, and with the test as its kubelet.
type lab struct {
	*testing.T
	client    client.Client
	namespace string
	hub       *targetsession.Hub
	stop      func() // ends the manager
	config    func() // starts another one

	mu         sync.Mutex
	violations []string // pods that were applied before their epoch was stored
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
	byObject, err := targetsession.CacheByObject()
	if err != nil {
		t.Fatal(err)
	}
	l.config = func() {
		mgr, err := ctrl.NewManager(config, ctrl.Options{
			Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Logger: logr.Discard(),
			Cache: cache.Options{ByObject: byObject, DefaultNamespaces: map[string]cache.Config{l.namespace: {}}},
			NewClient: func(c *rest.Config, o client.Options) (client.Client, error) {
				inner, err := client.NewWithWatch(c, o)
				if err != nil {
					return nil, err
				}
				return interceptor.NewClient(inner, interceptor.Funcs{Apply: l.checkApply}), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		l.hub = targetsession.NewHub(targetsession.HubOptions{})
		if err := targetsession.SetupWithManager(mgr, targetsession.Options{RunnerImage: "runner", Hub: l.hub, SkipNameValidation: ptr.To(true)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- mgr.Start(ctx) }()
		l.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("manager: %v", err)
			}
		})
	}
	l.config()
	t.Cleanup(func() {
		l.stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, v := range l.violations {
			t.Error(v)
		}
	})
	return l
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
		if err := l.client.Get(ctx, types.NamespacedName{Namespace: l.namespace, Name: applied.Labels[v1alpha1.LabelSession]}, &ts); err != nil {
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
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.namespace},
		Spec: v1alpha1.TargetSessionSpec{
			Qemu:    &v1alpha1.QemuTarget{Preset: v1alpha1.PresetPC, Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/genode.iso"}}},
			Restart: v1alpha1.RestartSpec{BackoffBaseMilliseconds: 100},
		},
	}
	for _, c := range change {
		c(ts)
	}
	if err := l.client.Create(context.Background(), ts); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) get(name string) *v1alpha1.TargetSession {
	l.Helper()
	var ts v1alpha1.TargetSession
	if err := l.client.Get(context.Background(), types.NamespacedName{Namespace: l.namespace, Name: name}, &ts); err != nil {
		l.Fatal(err)
	}
	return &ts
}

// edit changes a TargetSession's spec.
func (l *lab) edit(name string, change func(*v1alpha1.TargetSession)) {
	l.Helper()
	for {
		ts := l.get(name)
		change(ts)
		err := l.client.Update(context.Background(), ts)
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			l.Fatal(err)
		}
	}
}

// await waits until a TargetSession is as wanted, and returns it.
func (l *lab) await(name, what string, is func(*v1alpha1.TargetSession) bool) *v1alpha1.TargetSession {
	l.Helper()
	var last *v1alpha1.TargetSession
	l.until(what, func() bool { last = l.get(name); return is(last) }, func() string {
		raw, _ := json.MarshalIndent(last.Status, "", " ")
		return string(raw)
	})
	return last
}

func (l *lab) until(what string, is func() bool, dump func() string) {
	l.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			l.Fatalf("not within %s: %s\n%s", patience, what, dump())
		}
	}
}

// pods lists a session's pods.
func (l *lab) pods(session string) []corev1.Pod {
	l.Helper()
	var list corev1.PodList
	if err := l.client.List(context.Background(), &list, client.InNamespace(l.namespace), client.MatchingLabels{v1alpha1.LabelSession: session}); err != nil {
		l.Fatal(err)
	}
	return list.Items
}

// pod waits for a pod.
func (l *lab) pod(name string) *corev1.Pod {
	l.Helper()
	var pod corev1.Pod
	l.until("pod "+name, func() bool {
		return l.client.Get(context.Background(), types.NamespacedName{Namespace: l.namespace, Name: name}, &pod) == nil
	}, func() string { return "" })
	return &pod
}

// bind puts a pod on a node, so that its deletion takes until the kubelet says that it is gone.
func (l *lab) bind(pod *corev1.Pod) {
	l.Helper()
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}, Target: corev1.ObjectReference{Kind: "Node", Name: "n1"}}
	if err := l.client.SubResource("binding").Create(context.Background(), pod, binding); err != nil {
		l.Fatal(err)
	}
}

// gone does what a kubelet does when the last container of a deleted pod has ended.
func (l *lab) gone(pod *corev1.Pod) {
	l.Helper()
	if err := l.client.Delete(context.Background(), pod, client.GracePeriodSeconds(0)); err != nil {
		l.Fatal(err)
	}
}

// run starts an agent for a pod, and tells the API server that the pod runs there.
func (l *lab) run(pod *corev1.Pod) *agent {
	l.Helper()
	ts := l.get(pod.Labels[v1alpha1.LabelSession])
	a := startAgent(l.T, l.secret(ts.Name))
	before := pod.DeepCopy()
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: a.ip, PodIPs: []corev1.PodIP{{IP: a.ip}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: v1alpha1.TargetContainer, Image: "runner", Ready: true, Started: ptr.To(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}},
	}
	if err := l.client.Status().Patch(context.Background(), pod, client.MergeFrom(before)); err != nil {
		l.Fatal(err)
	}
	return a
}

func (l *lab) secret(session string) *corev1.Secret {
	l.Helper()
	var secret corev1.Secret
	if err := l.client.Get(context.Background(), types.NamespacedName{Namespace: l.namespace, Name: target.CredentialsSecret(session)}, &secret); err != nil {
		l.Fatal(err)
	}
	return &secret
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

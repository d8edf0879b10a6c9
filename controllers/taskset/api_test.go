package taskset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/fetch"
	"github.com/genode-operator/genode-operator/internal/refguest"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// readyAgents says of every target that it is ready.
type readyAgents struct{}

func (readyAgents) State(types.NamespacedName) (agentapi.State, bool) {
	return agentapi.State{Ready: true, Incarnation: 1}, true
}
func (readyAgents) Client(types.NamespacedName) (*agentapi.Client, bool) { return nil, false }

// lab is a namespace on a real API server with the TaskSet controller and a real engine, and with a
// reference taskloader for each target.
type lab struct {
	*testenv.Lab
	t     *testing.T
	store *results.SQLite
}

func newLab(t *testing.T, runner *refguest.InstantRunner, targets int) *lab {
	t.Helper()
	l := &lab{Lab: testenv.NewLab(t), t: t}
	var err error
	if l.store, err = results.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "results.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.store.Close() })
	l.Manage(ctrl.Options{}, l.setup)
	for i := range targets {
		l.target(i, runner)
	}
	return l
}

// setup adds the controller and the engine to a manager.
func (l *lab) setup(mgr ctrl.Manager) error {
	changed := make(chan string, 64)
	downloads := &fetch.Background{}
	engine := campaign.New(campaign.Options{
		Store: l.store, Fleet: Fleet{Agents: readyAgents{}, Cache: mgr.GetClient()},
		Class: taskloader.New(taskloader.Options{Registry: session.NewRegistry(nil)}), Log: logr.Discard(),
		Changed: func(id string) {
			select {
			case changed <- id:
			case <-l.t.Context().Done():
			}
		},
	})
	return errors.Join(mgr.Add(engine), mgr.Add(downloads), SetupWithManager(mgr, Options{Engine: engine, Changed: changed, Downloads: downloads}))
}

// target starts a taskloader on loopback and makes a ready TargetSession that points to it.
func (l *lab) target(i int, runner *refguest.InstantRunner) {
	l.t.Helper()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", 2+i))
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- refguest.New(refguest.Options{Runner: runner}).Serve(ctx, listener) }()
	l.t.Cleanup(func() { cancel(); <-done })
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	number, _ := strconv.Atoi(port)
	ts := &v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("t%d", i), Namespace: l.Namespace, Labels: map[string]string{"pool": "test"}},
		Spec: v1alpha1.TargetSessionSpec{
			Qemu:       &v1alpha1.QemuTarget{Preset: v1alpha1.PresetPC, Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/x.iso"}}},
			Taskloader: v1alpha1.TaskloaderSpec{Port: int32(number)},
		},
	}
	l.Make(ts)
	ts.Status.Address = host
	ts.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Ready", LastTransitionTime: metav1.Now()}}
	if err := l.Status().Update(l.t.Context(), ts); err != nil {
		l.t.Fatal(err)
	}
}

// campaign creates a TaskSet from JSON, with a ConfigMap that holds the binary hey.
func (l *lab) campaign(name, spec string) *v1alpha1.TaskSet {
	l.t.Helper()
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.Namespace}}
	if err := json.Unmarshal([]byte(spec), &ts.Spec); err != nil {
		l.t.Fatal(err)
	}
	l.Make(ts)
	return ts
}

func (l *lab) binaries() {
	l.Make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "binaries", Namespace: l.Namespace}, BinaryData: map[string][]byte{"hey": []byte("\x7fELF hey")}})
}

func (l *lab) await(ts *v1alpha1.TaskSet, what string, ok func(*v1alpha1.TaskSet) bool) {
	l.t.Helper()
	testenv.Await(l.Lab, ts.Name, ts, what, ok)
}

func is(kind string, status metav1.ConditionStatus, reason string) func(*v1alpha1.TaskSet) bool {
	return func(ts *v1alpha1.TaskSet) bool {
		c := meta.FindStatusCondition(ts.Status.Conditions, kind)
		return c != nil && c.Status == status && (reason == "" || c.Reason == reason)
	}
}

const sweepSpec = `{
	"tasks": [{"name": "hello", "pkg": "hey", "periodMilliseconds": 2}],
	"sweeps": [{"task": "hello", "attribute": "priority", "range": {"from": 1, "to": 20}}],
	"completion": {"jobsPerTask": 2},
	"binaries": [{"name": "hey", "configMap": "binaries"}],
	"targets": {"selector": {"matchLabels": {"pool": "test"}}}}`

func TestACampaignRunsToItsEnd(t *testing.T) {
	l := newLab(t, &refguest.InstantRunner{}, 2)
	l.binaries()
	ts := l.campaign("sweep", sweepSpec)
	l.await(ts, "completion", is("Complete", "True", "Finished"))
	if got := ts.Status.Variants; got.Succeeded != 20 || got.Failed != 0 || got.Total != "20" || ts.Status.Progress != "20/20" {
		t.Errorf("variants %+v, progress %s", got, ts.Status.Progress)
	}
	if s := ts.Status.Tasks; len(s) != 1 || s[0].Jobs != 40 || s[0].MinResponseMilliseconds == nil {
		t.Errorf("tasks %+v", s)
	}
	if len(ts.Status.RecentJobs) != 40 || ts.Status.StartTime == nil || ts.Status.CompletionTime == nil {
		t.Errorf("%d recent jobs, started %v, completed %v", len(ts.Status.RecentJobs), ts.Status.StartTime, ts.Status.CompletionTime)
	}
	seen := map[uint64]int{}
	if err := l.store.Each(t.Context(), string(ts.UID), func(r results.Record) error { seen[r.Variant]++; return nil }); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(20) {
		if seen[n] != 1 {
			t.Errorf("variant %d has %d records", n, seen[n])
		}
	}
}

func TestAMissingConfigMapIsNamedAndWaitedFor(t *testing.T) {
	l := newLab(t, &refguest.InstantRunner{}, 1)
	ts := l.campaign("sweep", sweepSpec)
	l.await(ts, "the missing binary", is("BinariesReady", "False", "NotFound"))
	if m := meta.FindStatusCondition(ts.Status.Conditions, "BinariesReady").Message; !strings.Contains(m, `spec.binaries[0].configMap "binaries"`) {
		t.Errorf("message %q does not name the field", m)
	}
	l.binaries()
	l.await(ts, "completion", is("Complete", "True", ""))
}

func TestABinaryThatNobodyHasIsNamed(t *testing.T) {
	l := newLab(t, &refguest.InstantRunner{}, 1)
	ts := l.campaign("sweep", `{"tasks": [{"name": "x", "pkg": "nothere"}], "targets": {"selector": {"matchLabels": {"pool": "test"}}}}`)
	l.await(ts, "the missing binary", func(ts *v1alpha1.TaskSet) bool {
		c := meta.FindStatusCondition(ts.Status.Conditions, "BinariesReady")
		return c != nil && c.Status == "False" && strings.Contains(c.Message, `pkg "nothere" of task x`)
	})
	if ts.Status.Variants.Failed != 0 {
		t.Errorf("the variant counts as failed: %+v", ts.Status.Variants)
	}
}

func TestSuspendStopsTheHandOut(t *testing.T) {
	var jobs atomic.Int32
	l := newLab(t, &refguest.InstantRunner{Outcome: func(refguest.Spec) refguest.Outcome { jobs.Add(1); return refguest.Outcome{} }}, 1)
	l.binaries()
	ts := l.campaign("sweep", strings.Replace(sweepSpec, `"completion"`, `"suspend": true, "completion"`, 1))
	l.await(ts, "suspension", is("Progressing", "False", "Suspended"))
	if n := jobs.Load(); n != 0 {
		t.Errorf("%d jobs ran while suspended", n)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":false}}`))
	if err := l.Patch(t.Context(), ts, patch); err != nil {
		t.Fatal(err)
	}
	l.await(ts, "completion", is("Complete", "True", ""))
}

func (l *lab) patch(ts *v1alpha1.TaskSet, spec string) {
	l.t.Helper()
	if err := l.Patch(l.t.Context(), ts, client.RawPatch(types.MergePatchType, []byte(`{"spec":`+spec+`}`))); err != nil {
		l.t.Fatal(err)
	}
}

func TestStopEndsARunningVariant(t *testing.T) {
	var endless atomic.Bool
	endless.Store(true)
	l := newLab(t, &refguest.InstantRunner{Duration: func(refguest.Spec) time.Duration {
		if endless.Load() {
			return -1
		}
		return 0
	}}, 1)
	l.binaries()
	ts := l.campaign("sweep", sweepSpec)
	l.await(ts, "a running variant", func(ts *v1alpha1.TaskSet) bool { return ts.Status.Variants != nil && ts.Status.Variants.Running == 1 })
	l.patch(ts, `{"suspend": true, "suspendPolicy": "Stop"}`)
	l.await(ts, "the stop", func(ts *v1alpha1.TaskSet) bool {
		return is("Progressing", "False", "Suspended")(ts) && ts.Status.Variants.Running == 0
	})
	endless.Store(false)
	l.patch(ts, `{"suspend": false}`)
	l.await(ts, "completion", is("Complete", "True", ""))
	if v := ts.Status.Variants; v.Retried != 0 || v.Succeeded != 20 {
		t.Errorf("variants %+v", v)
	}
}

func TestFailedVariantsOfACompleteCampaignAreRunAgain(t *testing.T) {
	l := newLab(t, &refguest.InstantRunner{}, 1)
	l.binaries()
	spec := strings.NewReplacer(`"periodMilliseconds": 2`, `"caps": 10`, `"completion"`, `"retries": {"limit": 0}, "completion"`).Replace(sweepSpec)
	ts := l.campaign("sweep", spec) // the target's generation knows no capability quotas
	l.await(ts, "the end", is("Failed", "True", "VariantsFailed"))
	if v := ts.Status.Variants; v.Failed != 20 {
		t.Fatalf("variants %+v", v)
	}
	l.patch(ts, `{"retryFailed": 1}`)
	l.await(ts, "a second end", func(ts *v1alpha1.TaskSet) bool {
		return ts.Status.RetriedFailed == 1 && is("Failed", "True", "")(ts) && is("Complete", "True", "")(ts)
	})
	if v := ts.Status.Variants; v.Failed != 20 || v.Retried != 20 {
		t.Errorf("variants %+v", v)
	}
}

func TestAFinishedTaskSetIsDeletedAfterItsTime(t *testing.T) {
	l := newLab(t, &refguest.InstantRunner{}, 1)
	l.binaries()
	ts := l.campaign("sweep", strings.Replace(sweepSpec, `"completion"`, `"ttlSecondsAfterFinished": 0, "completion"`, 1))
	l.Until("deletion", func() bool { return apierrors.IsNotFound(l.Get(t.Context(), client.ObjectKeyFromObject(ts), ts)) }, nil)
}

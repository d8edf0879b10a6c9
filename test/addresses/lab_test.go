// Package addresses holds no code: its tests run pools of addresses and campaigns on them with all
// controllers on a real API server. The targets are fakes that listen at loopback addresses.
package addresses

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/addresstarget"
	"github.com/genode-operator/genode-operator/controllers/targetpool"
	"github.com/genode-operator/genode-operator/controllers/taskset"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/fetch"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// recheck is the pause between two looks at a target that accepts connections; that of the manager is
// longer than a test.
const recheck = 200 * time.Millisecond

// lab is a namespace with everything that the manager runs for targets at addresses.
type lab struct {
	*testenv.Lab
	street string // the first three parts of this lab's loopback addresses
	port   int32  // of all targets
	fog    *fog
	store  *results.SQLite

	stop    func()       // ends the manager
	printed bytes.Buffer // by dry runs; to be read when they are over
}

// streets hands out loopback networks, one for each lab of this test binary.
var streets struct {
	sync.Mutex
	next int
}

func newLab(t *testing.T) *lab {
	t.Helper()
	streets.Lock()
	streets.next++
	l := &lab{Lab: testenv.NewLab(t), street: fmt.Sprintf("127.%d.%d", 100+os.Getpid()%100, streets.next)}
	streets.Unlock()
	var err error
	if l.store, err = results.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "results.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.store.Close() })
	l.manage()
	return l
}

// manage starts a manager; another one may follow when it has been stopped.
func (l *lab) manage() {
	l.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stop := l.Manage(ctrl.Options{}, func(mgr ctrl.Manager) error { return l.setup(ctx, mgr) })
	l.stop = func() { cancel(); stop() }
	l.Cleanup(cancel)
}

// setup wires the parts as the manager does.
func (l *lab) setup(ctx context.Context, mgr ctrl.Manager) error {
	sessions := session.NewRegistry(nil)
	l.fog = &fog{Class: taskloader.New(taskloader.Options{Registry: sessions, Log: logr.Discard()})}
	// Loopback answers every echo request, so that Ping connects here, too.
	classes := session.Classes{"Genode": l.fog, "Ping": l.fog, "Stdio": stdio.New(&l.printed), "SimSo": simso.New(simso.Options{Registry: sessions})}
	watcher := addresstarget.NewWatcher(addresstarget.WatcherOptions{Class: classes, Sessions: sessions, Recheck: recheck})
	classes["Ping"] = watcher.Guard(classes["Ping"])
	remote := addresstarget.Fleet{Watcher: watcher, Class: classes, Cache: mgr.GetClient()}
	changed := make(chan string, 64)
	downloads := &fetch.Background{}
	engine := campaign.New(campaign.Options{
		Store: l.store, Class: classes, Log: logr.Discard(),
		Fleet: taskset.Fleets{Cache: mgr.GetClient(), ByClass: map[v1alpha1.SessionClass]campaign.Fleet{v1alpha1.ClassPing: remote, v1alpha1.ClassGenode: remote, v1alpha1.ClassStdio: remote, v1alpha1.ClassSimSo: remote}},
		Changed: func(id string) {
			select {
			case changed <- id:
			case <-ctx.Done():
			}
		},
	})
	return errors.Join(mgr.Add(engine), mgr.Add(downloads),
		addresstarget.SetupWithManager(mgr, addresstarget.Options{Watcher: watcher}),
		targetpool.SetupWithManager(mgr, targetpool.Options{Class: classes}),
		taskset.SetupWithManager(mgr, taskset.Options{Engine: engine, Changed: changed, Downloads: downloads}))
}

// fog is a class whose targets can be made invisible, as loopback addresses cannot.
type fog struct {
	session.Class
	mu     sync.Mutex
	hidden map[string]bool // addresses
}

// Available implements session.Class.
func (f *fog) Available(ctx context.Context, t session.Target) error {
	f.mu.Lock()
	hidden := f.hidden[netip.MustParseAddrPort(t.Address).Addr().String()]
	f.mu.Unlock()
	if !hidden {
		return f.Class.Available(ctx, t)
	}
	<-ctx.Done()
	return session.ErrTimeout
}

func (f *fog) hide(address string, hidden bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hidden == nil {
		f.hidden = map[string]bool{}
	}
	f.hidden[address] = hidden
}

// at is a loopback address of the lab.
func (l *lab) at(n int) string { return fmt.Sprintf("%s.%d", l.street, n) }

// board starts a fake target at an address; all of them have the same port.
func (l *lab) board(n int, o faketarget.Options) *faketarget.Target {
	l.Helper()
	o.Address = net.JoinHostPort(l.at(n), strconv.Itoa(int(l.port)))
	target, err := faketarget.Start(o)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(target.Close)
	_, port, err := net.SplitHostPort(target.Address())
	if err != nil {
		l.Fatal(err)
	}
	number, _ := strconv.Atoi(port)
	l.port = int32(number)
	return target
}

// pool makes a pool of addresses for boards at the lab's port.
func (l *lab) pool(name string, class v1alpha1.SessionClass, addresses ...string) {
	l.Helper()
	l.Make(&v1alpha1.TargetPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.Namespace},
		Spec: v1alpha1.TargetPoolSpec{Addresses: addresses, Template: v1alpha1.TargetSessionTemplate{
			Metadata: v1alpha1.TemplateMetadata{Labels: map[string]string{"lab": "boards"}},
			Spec:     v1alpha1.TargetSessionSpec{Class: class, Taskloader: v1alpha1.TaskloaderSpec{Port: l.port}},
		}},
	})
}

func (l *lab) awaitPool(name, ready string) *v1alpha1.TargetPool {
	l.Helper()
	return testenv.Await(l.Lab, name, &v1alpha1.TargetPool{}, ready, func(p *v1alpha1.TargetPool) bool {
		return readiness(p.Status.Conditions) == ready && p.Status.ObservedGeneration == p.Generation
	})
}

// awaitTargets waits until a pool has exactly these targets, each with its readiness.
func (l *lab) awaitTargets(pool string, want map[string]string) {
	l.Helper()
	var got map[string]string
	l.Until(fmt.Sprint(want), func() bool {
		var list v1alpha1.TargetSessionList
		if err := l.List(context.Background(), &list, client.InNamespace(l.Namespace), client.MatchingLabels{v1alpha1.LabelPool: pool}); err != nil {
			l.Fatal(err)
		}
		got = map[string]string{}
		for _, ts := range list.Items {
			got[ts.Spec.Address] = readiness(ts.Status.Conditions)
		}
		return fmt.Sprint(got) == fmt.Sprint(want) // maps are printed in order
	}, func() string { return fmt.Sprint(got) })
}

func readiness(all []metav1.Condition) string {
	if c := meta.FindStatusCondition(all, v1alpha1.ConditionReady); c != nil {
		return string(c.Status) + "/" + c.Reason
	}
	return "absent"
}

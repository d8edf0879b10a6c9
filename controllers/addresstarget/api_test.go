package addresstarget_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/addresstarget"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Main(m))
}

// lab is one namespace with the controller running in it.
type lab struct {
	*testenv.Lab
	class    session.Class
	sessions *session.Registry
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Lab: testenv.NewLab(t), sessions: session.NewRegistry(nil)}
	l.class = taskloader.New(taskloader.Options{Registry: l.sessions, Log: logr.Discard()})
	l.Manage(ctrl.Options{}, func(mgr ctrl.Manager) error {
		classes := session.Classes{"Genode": l.class, "Ping": l.class} // loopback answers every echo request
		w := addresstarget.NewWatcher(addresstarget.WatcherOptions{Class: classes, Sessions: l.sessions, Recheck: 200 * time.Millisecond})
		return addresstarget.SetupWithManager(mgr, addresstarget.Options{Watcher: w})
	})
	return l
}

// board starts a fake target.
func (l *lab) board(o faketarget.Options) *faketarget.Target {
	l.Helper()
	target, err := faketarget.Start(o)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(target.Close)
	return target
}

// session makes a TargetSession for a board.
func (l *lab) session(name string, class v1alpha1.SessionClass, address string) {
	l.Helper()
	ts := &v1alpha1.TargetSession{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.Namespace}, Spec: v1alpha1.TargetSessionSpec{Class: class}}
	if address != "" {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			l.Fatal(err)
		}
		number, _ := strconv.Atoi(port)
		ts.Spec.Address, ts.Spec.Taskloader.Port = host, int32(number)
	}
	l.Make(ts)
}

func (l *lab) await(name, ready string) *v1alpha1.TargetSession {
	l.Helper()
	return testenv.Await(l.Lab, name, &v1alpha1.TargetSession{}, ready, func(ts *v1alpha1.TargetSession) bool {
		c := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && string(c.Status)+"/"+c.Reason == ready
	})
}

func TestABoardIsReadyWhileItAnswers(t *testing.T) {
	for _, class := range []v1alpha1.SessionClass{v1alpha1.ClassPing, v1alpha1.ClassGenode} {
		t.Run(string(class), func(t *testing.T) {
			l := newLab(t)
			board := l.board(faketarget.Options{})
			board.Refuse()
			l.session("board", class, board.Address())
			l.await("board", "False/Unreachable")
			if err := board.Listen(); err != nil {
				t.Fatal(err)
			}
			ts := l.await("board", "True/Ready")
			if ts.Status.Address != ts.Spec.Address || ts.Status.Verdict != "Reachable" || ts.Status.Epoch != 0 || len(ts.Status.Conditions) != 2 {
				t.Errorf("status = %+v", ts.Status)
			}
			board.Refuse()
			silent := time.Now()
			l.await("board", "False/Unreachable")
			t.Logf("loss reported after %s", time.Since(silent).Round(time.Millisecond))
			if err := board.Listen(); err != nil {
				t.Fatal(err)
			}
			l.await("board", "True/Ready")
		})
	}
}

func TestABoardWithASessionIsLeftAlone(t *testing.T) {
	l := newLab(t)
	board := l.board(faketarget.Options{})
	l.session("board", v1alpha1.ClassGenode, board.Address())
	l.await("board", "True/Ready")
	s, err := l.class.Connect(t.Context(), session.Target{Name: l.Namespace + "/board", Address: board.Address(), Generation: "1802"})
	if err != nil {
		t.Fatal(err)
	}
	board.Refuse() // only the session still reaches it
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	<-ctx.Done() // five times the pause between two looks
	l.await("board", "True/Ready")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	l.await("board", "False/Unreachable")
}

func TestADryRunIsReadyAtOnce(t *testing.T) {
	l := newLab(t)
	l.session("dry", v1alpha1.ClassStdio, "")
	l.await("dry", "True/Ready")
}

func TestOneAddressIsOneTarget(t *testing.T) {
	l := newLab(t)
	board := l.board(faketarget.Options{})
	l.session("first", v1alpha1.ClassGenode, board.Address())
	l.await("first", "True/Ready")
	l.session("second", v1alpha1.ClassPing, board.Address())
	l.await("second", "False/AddressTaken")
	l.await("first", "True/Ready")
	if err := l.Delete(t.Context(), testenv.Fetch(l.Lab, "first", &v1alpha1.TargetSession{})); err != nil {
		t.Fatal(err)
	}
	l.await("second", "True/Ready")
}

package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

const (
	// patience is how long a condition may take; a busy machine needs some of it.
	patience = time.Minute
	// look is the pause between two looks at a condition.
	look = 10 * time.Millisecond
)

// Lab is a namespace of its own on the API server of the test package, and a client for it.
type Lab struct {
	testing.TB
	client.Client
	Config    *rest.Config
	Namespace string
}

// NewLab makes a Lab that lasts as long as the test.
func NewLab(tb testing.TB) *Lab {
	tb.Helper()
	l := &Lab{TB: tb, Config: Start(tb)}
	l.Namespace = Namespace(tb, l.Config)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		tb.Fatalf("testenv.NewLab: %v", err)
	}
	var err error
	if l.Client, err = client.New(l.Config, client.Options{Scheme: scheme}); err != nil {
		tb.Fatalf("testenv.NewLab: %v", err)
	}
	return l
}

// Manage starts a manager for the Lab's namespace with what setup adds to it, and returns a function that
// ends it; the end of the test does so too. Options that are set here win over those of the caller.
func (l *Lab) Manage(o ctrl.Options, setup func(ctrl.Manager) error) (stop func()) {
	l.Helper()
	o.Scheme, o.Logger, o.Metrics = l.Scheme(), logr.Discard(), server.Options{BindAddress: "0"}
	o.Controller.SkipNameValidation = ptr.To(true) // several managers run in one process
	o.Cache.DefaultNamespaces = map[string]cache.Config{l.Namespace: {}}
	mgr, err := ctrl.NewManager(l.Config, o)
	if err != nil {
		l.Fatalf("testenv.Manage: %v", err)
	}
	if err := setup(mgr); err != nil {
		l.Fatalf("testenv.Manage: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			l.Errorf("manager: %v", err)
		}
	})
	l.Cleanup(stop)
	return stop
}

// Make creates an object. It tries again while the API server still prepares the storage of a new kind.
func (l *Lab) Make(o client.Object) {
	l.Helper()
	var err error
	l.Until("create "+o.GetName(), func() bool {
		err = l.Create(context.Background(), o)
		return !apierrors.IsTooManyRequests(err) && !meta.IsNoMatchError(err)
	}, nil)
	if err != nil {
		l.Fatalf("create %s: %v", o.GetName(), err)
	}
}

// Until waits for a condition, and fails the test with what dump says (nil: nothing) when it takes too long.
func (l *Lab) Until(what string, is func() bool, dump func() string) {
	l.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(look) {
		if time.Now().Before(end) {
			continue
		}
		if dump == nil {
			dump = func() string { return "" }
		}
		l.Fatalf("not within %s: %s\n%s", patience, what, dump())
	}
}

// Fetch reads the object of that name into o.
func Fetch[T client.Object](l *Lab, name string, o T) T {
	l.Helper()
	if err := read(l, name, o); err != nil {
		l.Fatal(err)
	}
	return o
}

// read empties o first: what is no longer in the answer would stay in it.
func read[T client.Object](l *Lab, name string, o T) error {
	reflect.ValueOf(o).Elem().SetZero()
	return l.Get(context.Background(), client.ObjectKey{Namespace: l.Namespace, Name: name}, o)
}

// Await waits until the object of that name exists and is as wanted, and returns it.
func Await[T client.Object](l *Lab, name string, o T, what string, is func(T) bool) T {
	l.Helper()
	l.Until(name+": "+what, func() bool {
		err := read(l, name, o)
		if client.IgnoreNotFound(err) != nil {
			l.Fatal(err)
		}
		return err == nil && is(o)
	}, func() string {
		raw, _ := json.MarshalIndent(o, "", " ")
		return string(raw)
	})
	return o
}

// Edit changes an object, again until nobody else wrote at the same time.
func Edit[T client.Object](l *Lab, name string, o T, change func(T)) {
	l.Helper()
	l.Until("edit "+name, func() bool {
		change(Fetch(l, name, o))
		err := l.Update(context.Background(), o)
		if err != nil && !apierrors.IsConflict(err) {
			l.Fatal(err)
		}
		return err == nil
	}, nil)
}

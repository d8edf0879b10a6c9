package addresstarget

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/apply"
	"github.com/genode-operator/genode-operator/internal/events"
	"github.com/genode-operator/genode-operator/internal/outcome"
)

// +kubebuilder:rbac:groups=genode-operator.io,resources=targetsessions,verbs=get;list;watch
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetsessions/status,verbs=get;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

const (
	controllerName = "addresstarget"
	// passTimeout catches a pass that blocks; a normal one takes milliseconds.
	passTimeout = 10 * time.Second

	defaultConcurrency = 4
)

// Options of the controller.
type Options struct {
	// Watcher looks at the targets; SetupWithManager adds it to the manager. Required.
	Watcher *Watcher
	// Clock defaults to real time.
	Clock clock.Clock
	// Concurrency is the number of sessions that are looked at at a time. Defaults to 4.
	Concurrency int
}

// Reconciler reconciles the TargetSessions that have no pod.
type Reconciler struct {
	client  client.Client
	watcher *Watcher
	events  *events.Recorder
	clock   clock.Clock
}

// SetupWithManager adds the controller and the watcher to a manager.
func SetupWithManager(mgr ctrl.Manager, o Options) error {
	if o.Watcher == nil {
		return fmt.Errorf("set up the controller of targets at addresses: Options.Watcher is missing; make one with NewWatcher")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	r := &Reconciler{client: mgr.GetClient(), watcher: o.Watcher, clock: o.Clock, events: events.NewRecorder(mgr.GetEventRecorder(controllerName))}
	if err := mgr.Add(o.Watcher); err != nil {
		return fmt.Errorf("add the watcher of targets at addresses to the manager: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.TargetSession{}, peerIndex, indexPeer); err != nil {
		return fmt.Errorf("index TargetSessions by their address: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named(controllerName).
		For(&v1alpha1.TargetSession{}, builder.WithPredicates(ours)).
		Watches(&v1alpha1.TargetSession{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(ours)).
		WatchesRawSource(source.Channel(o.Watcher.Events(), &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: cmp.Or(o.Concurrency, defaultConcurrency), ReconciliationTimeout: passTimeout}).
		Complete(r)
}

// ours passes the classes without a pod. The class of a TargetSession never changes.
var ours = predicate.NewPredicateFuncs(func(o client.Object) bool {
	ts, ok := o.(*v1alpha1.TargetSession)
	return ok && cmp.Or(ts.Spec.Class, v1alpha1.ClassQemu) != v1alpha1.ClassQemu
})

// Reconcile gathers, decides, acts and reports.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, err := r.observe(ctx, req.NamespacedName)
	if err != nil || s == nil {
		return ctrl.Result{}, err
	}
	p := decide(s)
	r.act(s, p)
	report(s, p)
	if err := apply.Status(ctx, r.client, s.before, s.session); err != nil {
		return outcome.Unwritten(err)
	}
	r.events.Publish(transitions(s)...)
	return ctrl.Result{}, nil
}

// act has the watcher look at the target, or not.
func (r *Reconciler) act(s *scope, p plan) {
	key := client.ObjectKeyFromObject(s.session)
	if p.watch {
		s.sight = r.watcher.Watch(key, s.peer)
	} else {
		r.watcher.Forget(key)
	}
}

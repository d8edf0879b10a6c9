package taskset

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/apply"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/events"
	"github.com/genode-operator/genode-operator/internal/outcome"
)

// +kubebuilder:rbac:groups=genode-operator.io,resources=tasksets,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=genode-operator.io,resources=tasksets/status,verbs=get;patch
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetsessions,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Engine runs campaigns; see campaign.Engine.
type Engine interface {
	Apply(campaign.Plan)
	Forget(id string)
	Snapshot(id string) (campaign.Snapshot, bool)
}

// Options of the controller.
type Options struct {
	// Engine that runs the campaigns.
	Engine Engine
	// Changed delivers the UIDs of campaigns whose snapshot has changed.
	Changed <-chan string
	// Downloads fetches binaries that are named by URL.
	Downloads Downloads
	// Clock defaults to real time.
	Clock clock.Clock
}

// Reconciler reconciles TaskSets.
type Reconciler struct {
	client    client.Client
	reader    client.Reader // not cached: ConfigMaps are read when needed, not watched
	engine    Engine
	downloads Downloads
	events    *events.Recorder
	clock     clock.Clock
	shelf     *shelf
	rejected  *rejections

	mu    sync.Mutex
	known map[types.NamespacedName]types.UID // campaigns that the engine may have
}

// SetupWithManager adds the controller to a manager.
func SetupWithManager(mgr ctrl.Manager, o Options) error {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	r := &Reconciler{
		client: mgr.GetClient(), reader: mgr.GetAPIReader(), engine: o.Engine, downloads: o.Downloads,
		events: events.NewRecorder(mgr.GetEventRecorder("taskset")), clock: o.Clock, shelf: newShelf(), rejected: newRejections(),
		known: map[types.NamespacedName]types.UID{},
	}
	changes := make(chan event.TypedGenericEvent[string])
	if err := mgr.Add(forwarder{from: o.Changed, to: changes}); err != nil {
		return fmt.Errorf("set up the TaskSet controller: %w", err)
	}
	byUID := handler.TypedFuncs[string, ctrl.Request]{GenericFunc: r.enqueueByUID}
	return ctrl.NewControllerManagedBy(mgr).
		Named("taskset").
		For(&v1alpha1.TaskSet{}).
		Watches(&v1alpha1.TargetSession{}, handler.EnqueueRequestsFromMapFunc(r.selecting), builder.WithPredicates(targetChanged)).
		WatchesRawSource(source.TypedChannel(changes, byUID)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, ReconciliationTimeout: 10 * time.Second}).
		Complete(r)
}

// Reconcile brings engine and status in step with one TaskSet.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, err := r.observe(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	if s == nil {
		r.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	now := r.clock.Now()
	p := decide(now, s)
	r.act(req.NamespacedName, s, p)
	told := report(now, s, p)
	if err := apply.Status(ctx, r.client, s.before, s.taskset); err != nil {
		return ctrl.Result{}, fmt.Errorf("write status of TaskSet %s: %w", req.NamespacedName, err)
	}
	r.events.Publish(told...)
	if p.expired {
		logr.FromContextOrDiscard(ctx).Info("Deleting finished TaskSet", "ttlSecondsAfterFinished", *s.taskset.Spec.TTLSecondsAfterFinished)
		return ctrl.Result{}, client.IgnoreNotFound(r.client.Delete(ctx, s.taskset, client.Preconditions{UID: &s.taskset.UID}))
	}
	return outcome.Result(outcome.At(p.wake), now)
}

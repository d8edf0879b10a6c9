package targetpool

import (
	"context"
	"fmt"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/apply"
	"github.com/genode-operator/genode-operator/internal/events"
	"github.com/genode-operator/genode-operator/internal/outcome"
	"github.com/genode-operator/genode-operator/internal/session"
)

// +kubebuilder:rbac:groups=genode-operator.io,resources=targetpools,verbs=get;list;watch
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetpools/status,verbs=get;patch
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetpools/finalizers,verbs=update
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetsessions,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

const (
	controllerName = "targetpool"
	// passTimeout catches a pass that blocks; the longest one makes a batch of sessions.
	passTimeout = 30 * time.Second
	// takenPoll is how often a name is looked at that belongs to somebody else.
	takenPoll = 30 * time.Second
)

// Options of the controller.
type Options struct {
	// Class tells whether there is a target at an address. Required.
	Class session.Class
	// Clock defaults to real time.
	Clock clock.Clock
	// SkipNameValidation is for tests that run several managers in one process.
	SkipNameValidation *bool
}

// Reconciler reconciles TargetPools.
type Reconciler struct {
	client    client.Client
	reader    client.Reader // not cached
	discovery *discovery
	events    *events.Recorder
	clock     clock.Clock
}

// SetupWithManager adds the controller to a manager.
func SetupWithManager(mgr ctrl.Manager, o Options) error {
	if o.Class == nil {
		return fmt.Errorf("set up the TargetPool controller: Options.Class is missing; hand in the session classes")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	r := &Reconciler{
		client: mgr.GetClient(), reader: mgr.GetAPIReader(), clock: o.Clock,
		events: events.NewRecorder(mgr.GetEventRecorder(controllerName)), discovery: newDiscovery(o.Class, mgr.GetClient()),
	}
	if err := mgr.Add(r.discovery); err != nil {
		return fmt.Errorf("add the search for targets at addresses to the manager: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named(controllerName).
		For(&v1alpha1.TargetPool{}).
		Owns(&v1alpha1.TargetSession{}).
		WatchesRawSource(source.Channel(r.discovery.wakes, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{ReconciliationTimeout: passTimeout, SkipNameValidation: o.SkipNameValidation}).
		Complete(r)
}

// Reconcile gathers, decides, acts and reports.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, err := r.observe(ctx, req.NamespacedName)
	if err != nil || s == nil {
		return ctrl.Result{}, err
	}
	p := decide(s)
	end := r.act(ctx, s, p)
	report(s, end)
	if err := apply.Status(ctx, r.client, s.before, s.pool); err != nil {
		return outcome.Unwritten(err)
	}
	r.events.Publish(transitions(s, p)...)
	return outcome.Result(end, s.now)
}

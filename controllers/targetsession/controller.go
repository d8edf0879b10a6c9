package targetsession

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
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
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetsessions/finalizers,verbs=update
// +kubebuilder:rbac:groups=genode-operator.io,resources=targetpools,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=configmaps;persistentvolumeclaims,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

const (
	controllerName = "targetsession"
	// passTimeout catches a pass that blocks; a normal one takes milliseconds.
	passTimeout = 10 * time.Second

	defaultConcurrency = 4
)

// Options of the controller.
type Options struct {
	// RunnerImage is the container image with agent and QEMU for targets that name none.
	RunnerImage string
	// Hub watches the agents; SetupWithManager adds it to the manager. Required.
	Hub *Hub
	// Clock defaults to real time.
	Clock clock.Clock
	// Concurrency is the number of sessions that are looked at at a time. Defaults to 4.
	Concurrency int
	// SkipNameValidation is for tests that run several managers in one process.
	SkipNameValidation *bool
}

// Reconciler reconciles TargetSessions.
type Reconciler struct {
	client      client.Client
	reader      client.Reader // not cached
	hub         *Hub
	events      *events.Recorder
	clock       clock.Clock
	runnerImage string
}

// SetupWithManager adds the controller and the hub to a manager.
func SetupWithManager(mgr ctrl.Manager, o Options) error {
	if o.Hub == nil {
		return fmt.Errorf("set up the TargetSession controller: Options.Hub is missing; make one with NewHub")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	r := &Reconciler{
		client: mgr.GetClient(), reader: mgr.GetAPIReader(), hub: o.Hub, clock: o.Clock, runnerImage: o.RunnerImage,
		events: events.NewRecorder(mgr.GetEventRecorder(controllerName)),
	}
	if err := mgr.Add(o.Hub); err != nil {
		return fmt.Errorf("add the hub of agents to the manager: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named(controllerName).
		For(&v1alpha1.TargetSession{}, builder.WithPredicates(ours)).
		Owns(&corev1.Pod{}).
		Owns(&corev1.Secret{}).
		WatchesRawSource(source.Channel(o.Hub.Events(), &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: o.Concurrency, ReconciliationTimeout: passTimeout, SkipNameValidation: o.SkipNameValidation,
		}).
		Complete(r)
}

// ours passes class Qemu. The class of a TargetSession never changes; package addresstarget has the others.
var ours = predicate.NewPredicateFuncs(func(o client.Object) bool {
	ts, ok := o.(*v1alpha1.TargetSession)
	return ok && cmp.Or(ts.Spec.Class, v1alpha1.ClassQemu) == v1alpha1.ClassQemu
})

// CacheByObject limits the manager's cache to the pods and Secrets of TargetSessions, in place of all
// those in the cluster. Hand it to the manager as cache.Options.ByObject.
func CacheByObject() (map[client.Object]cache.ByObject, error) {
	ours, err := labels.NewRequirement(v1alpha1.LabelSession, selection.Exists, nil)
	if err != nil {
		return nil, fmt.Errorf("select by label %s: %w", v1alpha1.LabelSession, err)
	}
	only := cache.ByObject{Label: labels.NewSelector().Add(*ours)}
	return map[client.Object]cache.ByObject{&corev1.Pod{}: only, &corev1.Secret{}: only}, nil
}

// Reconcile gathers, decides, acts and reports.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, err := r.observe(ctx, req.NamespacedName)
	if err != nil || s == nil {
		return ctrl.Result{}, err
	}
	p := decide(s)
	end := r.act(ctx, s, p)
	report(s, p, end)
	if err := apply.Status(ctx, r.client, s.before, s.session); err != nil {
		return outcome.Unwritten(err)
	}
	r.log(ctx, s, p)
	measure(&s.before.Status, &s.session.Status)
	r.events.Publish(transitions(s, p)...)
	return outcome.Result(end, s.now)
}

// log tells of changes: epochs, and what holds a new pod back.
func (r *Reconciler) log(ctx context.Context, s *scope, p plan) {
	log := ctrl.LoggerFrom(ctx)
	switch {
	case p.epoch != 0:
		log.Info("Starting new epoch", "epoch", p.epoch, "restart", p.restart, "why", p.why)
	case p.hold.reason != "" && became(s.before, s.session, v1alpha1.ConditionRestartAllowed, metav1.ConditionFalse, p.hold.reason):
		log.Info("Holding back new pod", "reason", p.hold.reason, "message", p.hold.message)
	}
}

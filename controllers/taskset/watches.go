package taskset

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// forwarder hands the engine's news to the controller's queue, on the leader only.
type forwarder struct {
	from <-chan string
	to   chan<- event.TypedGenericEvent[string]
}

// Start forwards until ctx ends.
func (f forwarder) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case uid := <-f.from:
			select {
			case f.to <- event.TypedGenericEvent[string]{Object: uid}:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (r *Reconciler) enqueueByUID(_ context.Context, e event.TypedGenericEvent[string], q workqueue.TypedRateLimitingInterface[ctrl.Request]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, uid := range r.known {
		if string(uid) == e.Object {
			q.Add(ctrl.Request{NamespacedName: name})
			return
		}
	}
}

// selecting lists the TaskSets whose selector matches a TargetSession.
func (r *Reconciler) selecting(ctx context.Context, target client.Object) []ctrl.Request {
	var list v1alpha1.TaskSetList
	if err := r.client.List(ctx, &list, client.InNamespace(target.GetNamespace())); err != nil {
		return nil // the cache is gone: so is the controller
	}
	var out []ctrl.Request
	for i := range list.Items {
		s, err := metav1.LabelSelectorAsSelector(list.Items[i].Spec.Targets.Selector)
		if err == nil && s.Matches(labels.Set(target.GetLabels())) {
			out = append(out, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}

// targetChanged passes what a campaign wants to know of a TargetSession.
var targetChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok1 := e.ObjectOld.(*v1alpha1.TargetSession)
		after, ok2 := e.ObjectNew.(*v1alpha1.TargetSession)
		return !ok1 || !ok2 || before.Status.Address != after.Status.Address || isReady(before) != isReady(after) ||
			before.Generation != after.Generation || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
			!labels.Equals(before.Labels, after.Labels)
	},
}

func isReady(t *v1alpha1.TargetSession) bool {
	return meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionReady)
}

func (r *Reconciler) remember(name types.NamespacedName, uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, there := r.known[name]; there && old != uid {
		r.engine.Forget(string(old))
		r.rejected.drop(old)
	}
	r.known[name] = uid
}

// forget drops whatever was known under the name.
func (r *Reconciler) forget(name types.NamespacedName) {
	r.mu.Lock()
	uid, there := r.known[name]
	delete(r.known, name)
	r.mu.Unlock()
	if there {
		r.engine.Forget(string(uid))
		r.rejected.drop(uid)
	}
	r.shelf.drop(name)
}

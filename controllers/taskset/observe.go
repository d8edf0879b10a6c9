package taskset

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
)

// scope is the state of the world for one pass. observe fills it; nobody else reads the API.
type scope struct {
	taskset *v1alpha1.TaskSet // the object; report is the only writer of its status
	before  *v1alpha1.TaskSet // deep copy taken right after the read, for the status patch

	plan    campaign.Plan // without targets and binaries; zero when the spec makes none
	planErr error         // why
	// rejected is why analysis keeps the campaign from being run; empty when it does not
	rejected string

	targets []v1alpha1.TargetSession // matching the selector, not being deleted

	binaries binaries // what is known of spec.binaries

	snapshot campaign.Snapshot // newest of the engine
	running  bool              // the engine has the campaign
}

// observe reads everything that a pass needs; nil when the TaskSet is gone.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (*scope, error) {
	var ts v1alpha1.TaskSet
	if err := r.client.Get(ctx, name, &ts); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if !ts.DeletionTimestamp.IsZero() {
		return nil, nil
	}
	s := &scope{taskset: &ts, before: ts.DeepCopy()}
	if finished(&ts) {
		return s, nil
	}
	s.plan, s.planErr = campaign.FromSpec(string(ts.UID), ts.Namespace+"/"+ts.Name, &ts.Spec)
	s.plan.Retried = ts.Status.RetriedFailed
	if s.planErr == nil {
		s.rejected = r.rejected.of(ctx, ts.UID, &s.plan)
	}
	var err error
	if s.targets, err = r.targets(ctx, &ts); err != nil {
		return nil, err
	}
	if s.binaries, err = r.binaries(ctx, &ts); err != nil {
		return nil, err
	}
	s.snapshot, s.running = r.engine.Snapshot(string(ts.UID))
	return s, nil
}

func (r *Reconciler) targets(ctx context.Context, ts *v1alpha1.TaskSet) ([]v1alpha1.TargetSession, error) {
	selector, err := metav1.LabelSelectorAsSelector(ts.Spec.Targets.Selector)
	if err != nil {
		return nil, nil // decide finds the same error and says so
	}
	var list v1alpha1.TargetSessionList
	if err := r.client.List(ctx, &list, client.InNamespace(ts.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, fmt.Errorf("list targets of TaskSet %s: %w", ts.Name, err)
	}
	var out []v1alpha1.TargetSession
	for _, t := range list.Items {
		if t.DeletionTimestamp.IsZero() {
			out = append(out, t)
		}
	}
	return out, nil
}

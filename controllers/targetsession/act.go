package targetsession

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/internal/apply"
	"github.com/genode-operator/genode-operator/internal/outcome"
)

// act does what the plan says, as far as it is not a matter of the status. Doing it twice changes nothing.
func (r *Reconciler) act(ctx context.Context, s *scope, p plan) outcome.End {
	if p.forget {
		r.hub.Forget(client.ObjectKeyFromObject(s.session))
		return outcome.Settled{}
	}
	if p.credentials {
		if err := r.makeCredentials(ctx, s); err != nil {
			return outcome.Retry{Err: err}
		}
	}
	if err := r.removePods(ctx, p); err != nil {
		return outcome.Retry{Err: err}
	}
	if p.apply != nil {
		if err := apply.Object(ctx, r.client, p.apply); err != nil {
			return outcome.Retry{Err: err}
		}
		s.pod = p.apply
	}
	if p.epoch != 0 {
		return outcome.WakeAt{T: s.now} // the epoch is stored now; the next pass goes on
	}
	return outcome.At(p.wake)
}

// removePods deletes pods of earlier epochs, and only exactly those that were seen.
func (r *Reconciler) removePods(ctx context.Context, p plan) error {
	var failed error
	for _, pod := range p.remove {
		err := r.client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			failed = errors.Join(failed, fmt.Errorf("delete pod %s: %w", pod.Name, err))
		}
	}
	return failed
}

package targetpool

import (
	"context"
	"errors"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/apply"
	"github.com/genode-operator/genode-operator/internal/outcome"
)

// act does what the plan says. Doing it twice changes nothing.
func (r *Reconciler) act(ctx context.Context, s *scope, p plan) outcome.End {
	var failed error
	for _, ts := range p.remove {
		err := r.client.Delete(ctx, ts, client.Preconditions{UID: &ts.UID})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			failed = errors.Join(failed, fmt.Errorf("delete TargetSession %s: %w", ts.Name, err))
		}
	}
	for _, m := range p.apply {
		ts := build(s, m)
		if err := apply.Object(ctx, r.client, ts); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		s.sessions[m.name] = ts
	}
	switch {
	case failed != nil:
		return outcome.Retry{Err: failed}
	case p.more:
		return outcome.WakeAt{T: s.now}
	case len(s.taken) > 0:
		return outcome.WakeAt{T: s.now.Add(takenPoll)}
	}
	return outcome.Settled{}
}

// build makes the session of a member from the pool's template.
func build(s *scope, m member) *v1alpha1.TargetSession {
	template := s.pool.Spec.Template.DeepCopy()
	labels, annotations := map[string]string{}, map[string]string{}
	maps.Copy(labels, template.Metadata.Labels)
	maps.Copy(annotations, template.Metadata.Annotations)
	labels[v1alpha1.LabelPool] = s.pool.Name
	annotations[v1alpha1.AnnotationTemplateHash] = s.hash
	template.Spec.Address = m.address
	return &v1alpha1.TargetSession{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "TargetSession"},
		ObjectMeta: metav1.ObjectMeta{
			Name: m.name, Namespace: s.pool.Namespace, Labels: labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s.pool, v1alpha1.GroupVersion.WithKind("TargetPool"))},
		},
		Spec: template.Spec,
	}
}

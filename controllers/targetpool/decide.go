package targetpool

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// batch is the number of sessions that one pass makes, changes or deletes, so that it stays short.
const batch = 50

// decide says what this pass changes. It is pure.
func decide(s *scope) plan {
	if s.pool.DeletionTimestamp != nil {
		return plan{} // the garbage collector takes what it owns
	}
	p := plan{remove: surplus(s), apply: missing(s)}
	p.apply = append(p.apply, due(s)...)
	p.more = len(p.apply) > batch || len(p.remove) > batch
	p.apply, p.remove = p.apply[:min(batch, len(p.apply))], p.remove[:min(batch, len(p.remove))]
	return p
}

// surplus are the sessions that are too many, highest ordinal first.
func surplus(s *scope) []*v1alpha1.TargetSession {
	var found []*v1alpha1.TargetSession
	for _, ordinal := range slices.Backward(slices.Sorted(maps.Keys(s.sessions))) {
		if ordinal >= s.replicas() {
			found = append(found, s.sessions[ordinal])
		}
	}
	found = append(found, s.strays...)
	return slices.DeleteFunc(found, func(ts *v1alpha1.TargetSession) bool { return ts.DeletionTimestamp != nil })
}

// missing are the ordinals that have no session, and whose name is free.
func missing(s *scope) []int {
	var found []int
	for ordinal := range s.replicas() {
		if s.sessions[ordinal] == nil && s.taken[ordinal] == nil {
			found = append(found, ordinal)
		}
	}
	return found
}

// due are the sessions to which a changed template is applied now: all those that are not ready, because
// there is nothing to lose, and a ready one when every session is ready.
func due(s *scope) []int {
	var unready, outdated []int
	waiting := false // for a session that is up to date but not ready, or not there
	for ordinal := range s.replicas() {
		ts := s.sessions[ordinal]
		switch {
		case ts == nil || ts.DeletionTimestamp != nil:
			waiting = true
		case upToDate(s, ts):
			waiting = waiting || !isReady(ts)
		case isReady(ts):
			outdated = append(outdated, ordinal)
		default:
			unready = append(unready, ordinal)
		}
	}
	if len(unready) > 0 {
		return unready
	}
	if waiting || len(outdated) == 0 {
		return nil
	}
	return outdated[:1]
}

func upToDate(s *scope, ts *v1alpha1.TargetSession) bool {
	return ts.Annotations[v1alpha1.AnnotationTemplateHash] == s.hash
}

// isReady says whether a session is ready with the spec that it has now.
func isReady(ts *v1alpha1.TargetSession) bool {
	c := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == ts.Generation
}

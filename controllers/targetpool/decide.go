package targetpool

import (
	"cmp"
	"slices"
	"strings"

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
	if s.scan != nil && s.scan.err != nil {
		return plan{} // what the pool should have is not known: nothing is made or deleted
	}
	p := plan{remove: surplus(s), apply: missing(s)}
	p.apply = append(p.apply, due(s)...)
	p.more = len(p.apply) > batch || len(p.remove) > batch
	p.apply, p.remove = p.apply[:min(batch, len(p.apply))], p.remove[:min(batch, len(p.remove))]
	return p
}

// surplus are the sessions that are too many: the highest ordinals first, then those with any other name.
func surplus(s *scope) []*v1alpha1.TargetSession {
	wanted := map[string]bool{}
	for _, m := range s.wanted {
		wanted[m.name] = true
	}
	var found []*v1alpha1.TargetSession
	for name, ts := range s.sessions {
		if !wanted[name] && ts.DeletionTimestamp == nil {
			found = append(found, ts)
		}
	}
	slices.SortFunc(found, func(a, b *v1alpha1.TargetSession) int {
		return cmp.Or(cmp.Compare(ordinalOf(s.pool.Name, b.Name), ordinalOf(s.pool.Name, a.Name)), strings.Compare(a.Name, b.Name))
	})
	return found
}

// missing are the members that have no session, and whose name is free.
func missing(s *scope) []member {
	var found []member
	for _, m := range s.wanted {
		if s.sessions[m.name] == nil && s.taken[m.name] == nil {
			found = append(found, m)
		}
	}
	return found
}

// due are the sessions to which a changed template is applied now: all those that are not ready, because
// there is nothing to lose, and a ready one when every session is ready. In a pool of addresses a new
// template restarts nothing, and some targets are silent as a rule: it is applied to all.
func due(s *scope) []member {
	var unready, outdated []member
	waiting := false // for a session that is up to date but not ready, or not there
	for _, m := range s.wanted {
		ts := s.sessions[m.name]
		switch {
		case ts == nil || ts.DeletionTimestamp != nil:
			waiting = true
		case upToDate(s, ts):
			waiting = waiting || !isReady(ts)
		case isReady(ts):
			outdated = append(outdated, m)
		default:
			unready = append(unready, m)
		}
	}
	switch {
	case s.scan != nil:
		return append(unready, outdated...)
	case len(unready) > 0:
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

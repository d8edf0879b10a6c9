package targetpool

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/conditions"
	"github.com/genode-operator/genode-operator/internal/outcome"
)

// report fills the status. It is pure.
func report(s *scope, end outcome.End) {
	st := &s.pool.Status
	st.ObservedGeneration = s.pool.Generation
	st.Selector = v1alpha1.LabelPool + "=" + s.pool.Name
	st.Replicas, st.ReadyReplicas, st.UpdatedReplicas = 0, 0, 0
	for _, ts := range s.sessions {
		st.Replicas++
		if isReady(ts) && ts.DeletionTimestamp == nil {
			st.ReadyReplicas++
		}
		if upToDate(s, ts) {
			st.UpdatedReplicas++
		}
	}
	st.Addresses = ""
	if s.scan != nil && s.scan.ranges != nil {
		st.Addresses = s.scan.ranges.Count().String()
	}
	w := conditions.Writer{List: &st.Conditions, Generation: s.pool.Generation, Now: s.now}
	status, reason, message := summary(s, end)
	w.Set(v1alpha1.ConditionReady, status, reason, "%s", message)
}

func summary(s *scope, end outcome.End) (metav1.ConditionStatus, string, string) {
	st, want := s.pool.Status, len(s.wanted)
	no := metav1.ConditionFalse
	if retry, failed := end.(outcome.Retry); failed {
		return no, v1alpha1.ReasonScaling, retry.Err.Error()
	}
	if len(s.taken) > 0 {
		return no, v1alpha1.ReasonNameTaken, fmt.Sprintf("%d of the names that the pool needs are taken: TargetSession %s belongs to somebody else; delete it, or give the pool another name",
			len(s.taken), slices.Min(slices.Collect(maps.Keys(s.taken))))
	}
	if s.scan != nil {
		if reason, message := s.scan.problem(len(s.sessions)); reason != "" {
			return no, reason, message
		}
	}
	switch {
	case int(st.Replicas) != want:
		return no, v1alpha1.ReasonScaling, fmt.Sprintf("%d targets exist, %d are wanted", st.Replicas, want)
	case int(st.UpdatedReplicas) < want:
		return no, v1alpha1.ReasonUpdating, fmt.Sprintf("%d of %d targets have the newest template; %d are ready", st.UpdatedReplicas, want, st.ReadyReplicas)
	case int(st.ReadyReplicas) < want:
		return no, v1alpha1.ReasonWaitingForTargets, fmt.Sprintf("%d of %d targets are ready", st.ReadyReplicas, want)
	}
	return metav1.ConditionTrue, v1alpha1.ReasonReady, fmt.Sprintf("all %d targets are ready", want)
}

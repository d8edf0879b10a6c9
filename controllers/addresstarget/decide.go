package addresstarget

import (
	"cmp"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// plan is what one pass wants.
type plan struct {
	watch bool                    // have the target looked at; false ends that
	owner *v1alpha1.TargetSession // another session that has the address; nil: none
}

// decide is pure.
func decide(s *scope) plan {
	if s.session.DeletionTimestamp != nil || s.peer.Target.Address == "" {
		return plan{}
	}
	if owner := ownerOf(s.sames); owner != nil && owner.UID != s.session.UID {
		return plan{owner: owner}
	}
	return plan{watch: true}
}

// ownerOf is the session that may use a target: the oldest one, so that a new one never takes a target
// away from a campaign.
func ownerOf(sames []v1alpha1.TargetSession) *v1alpha1.TargetSession {
	var first *v1alpha1.TargetSession
	for i := range sames {
		if ts := &sames[i]; ts.DeletionTimestamp == nil && (first == nil || older(ts, first)) {
			first = ts
		}
	}
	return first
}

// older compares two sessions by age and, within the same second, by name.
func older(a, b *v1alpha1.TargetSession) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name)) < 0
}

// verdict is what GuestAlive says.
type verdict struct {
	status          metav1.ConditionStatus
	reason, message string
}

// judge is pure, too. Its messages hold no number that changes all the time.
func judge(s *scope, p plan) verdict {
	peer := s.peer.Target.Address
	bad := unfit(s.session)
	switch {
	case bad != nil:
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonInvalid, bad.Error()}
	case s.session.Spec.Class == v1alpha1.ClassSimSo:
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonReachable, "the manager simulates this target"}
	case peer == "":
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonReachable, "a dry run reaches nobody: what would be sent is printed to the manager's log"}
	case p.owner != nil:
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonAddressTaken, fmt.Sprintf(
			"%s belongs to TargetSession %s/%s, which is older; delete one of the two, or exclude the address from one of their pools", peer, p.owner.Namespace, p.owner.Name)}
	case !s.sight.Seen:
		return verdict{metav1.ConditionUnknown, v1alpha1.ReasonPending, peer + " is being contacted"}
	case s.sight.Answers:
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonReachable, peer + " answers"}
	}
	return verdict{metav1.ConditionFalse, v1alpha1.ReasonUnreachable, fmt.Sprintf("%s: %s; it is tried again for as long as this TargetSession exists", peer, s.sight.Error)}
}

package addresstarget

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/conditions"
	"github.com/genode-operator/genode-operator/internal/events"
)

// ready declares what Ready is made of.
var ready = conditions.Summary{Target: v1alpha1.ConditionReady, From: []string{v1alpha1.ConditionGuestAlive}}

// report fills the status. It is pure, and writes nothing that changes all the time.
func report(s *scope, p plan) {
	if s.session.DeletionTimestamp != nil {
		return
	}
	st := &s.session.Status
	known := st.ObservedGeneration == s.session.Generation
	st.ObservedGeneration = s.session.Generation
	st.Address = s.session.Spec.Address
	w := conditions.Writer{List: &st.Conditions, Generation: s.session.Generation, Now: s.now}
	v := judge(s, p)
	if v.reason == v1alpha1.ReasonPending && known && answerKnown(s.before) {
		return // the manager has just begun to watch: what is stored still holds
	}
	st.Verdict = v.reason
	w.Set(v1alpha1.ConditionGuestAlive, v.status, v.reason, "%s", v.message)
	ready.Apply(w, "sessions may be opened")
	switch {
	case !w.Is(v1alpha1.ConditionReady, metav1.ConditionTrue):
		st.HealthySince = nil
	case st.HealthySince == nil:
		at := metav1.NewTime(s.now)
		st.HealthySince = &at
	}
}

// answerKnown says whether a verdict about the target is stored.
func answerKnown(ts *v1alpha1.TargetSession) bool {
	r := reason(ts)
	return r == v1alpha1.ReasonReachable || r == v1alpha1.ReasonUnreachable
}

// Reasons of events.
const (
	eventTargetLost = "TargetLost"
	eventTargetBack = "TargetBack"
)

// transitions are the events that follow from what has become true since the last pass. It is pure.
func transitions(s *scope) []events.Event {
	before, after := reason(s.before), reason(s.session)
	if before == after {
		return nil
	}
	ts, at := s.session, s.sight.Since.UnixMicro()
	switch {
	case after == v1alpha1.ReasonAddressTaken:
		c := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionGuestAlive)
		return []events.Event{events.Warning(ts, after, "Wait", "%s", c.Message)}
	case after == v1alpha1.ReasonUnreachable && before == v1alpha1.ReasonReachable:
		return []events.Event{events.Warning(ts, eventTargetLost, "Wait", "%s has not answered for %d ms: %s",
			s.peer.Target.Address, s.sight.Silent.Milliseconds(), s.sight.Error).Once(ts.UID, at)}
	case after == v1alpha1.ReasonReachable && before == v1alpha1.ReasonUnreachable:
		return []events.Event{events.Normal(ts, eventTargetBack, "Use", "%s answers again, %d ms after it was lost",
			s.peer.Target.Address, s.sight.Outage.Milliseconds()).Once(ts.UID, at)}
	}
	return nil
}

// reason is that of GuestAlive; empty before the first report.
func reason(ts *v1alpha1.TargetSession) string {
	if c := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionGuestAlive); c != nil {
		return c.Reason
	}
	return ""
}

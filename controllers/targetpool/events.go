package targetpool

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/events"
)

// transitions are the events that follow from what has become true since the last pass. It is pure.
func transitions(s *scope, p plan) []events.Event {
	var all []events.Event
	reason := func(pool *v1alpha1.TargetPool) (string, string) {
		if c := meta.FindStatusCondition(pool.Status.Conditions, v1alpha1.ConditionReady); c != nil && c.Status == metav1.ConditionFalse {
			return c.Reason, c.Message
		}
		return "", ""
	}
	old, _ := reason(s.before)
	if now, message := reason(s.pool); now == v1alpha1.ReasonNameTaken && old != now {
		all = append(all, events.Warning(s.pool, now, "Wait", "%s", message))
	}
	if len(p.remove) > 0 {
		all = append(all, events.Normal(s.pool, "ScaledDown", "Delete", "deleted %d targets; %d are wanted", len(p.remove), len(s.wanted)))
	}
	return all
}

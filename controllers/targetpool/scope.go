package targetpool

import (
	"time"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// scope is the state of the world for one pass. observe fills it; nobody else does I/O before act.
type scope struct {
	now    time.Time
	pool   *v1alpha1.TargetPool // the object; report is the only writer of its status
	before *v1alpha1.TargetPool // deep copy taken right after the read, for the status patch

	hash     string                          // of the template
	sessions map[int]*v1alpha1.TargetSession // ours, by ordinal
	strays   []*v1alpha1.TargetSession       // ours, with a name that no ordinal gives
	taken    map[int]*v1alpha1.TargetSession // of other owners, with a name that we want
}

// plan is what one pass wants to change. The zero plan changes nothing.
type plan struct {
	apply  []int                     // ordinals to make, or to bring up to date
	remove []*v1alpha1.TargetSession // highest ordinal first
	more   bool                      // the rest follows in the next pass
}

func (s *scope) replicas() int {
	if s.pool.Spec.Replicas == nil {
		return 1
	}
	return int(*s.pool.Spec.Replicas)
}

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

	scan     *scan                              // of a pool of addresses; nil: it is one of replicas
	hash     string                             // of the template
	wanted   []member                           // the targets that the pool should have, in order
	sessions map[string]*v1alpha1.TargetSession // ours, by name
	taken    map[string]*v1alpha1.TargetSession // of other owners, with a name that we want
}

// member is a target that a pool should have.
type member struct {
	name    string // of its TargetSession
	address string // empty in a pool of replicas
}

// plan is what one pass wants to change. The zero plan changes nothing.
type plan struct {
	apply  []member                  // to make, or to bring up to date
	remove []*v1alpha1.TargetSession // the last ones first
	more   bool                      // the rest follows in the next pass
}

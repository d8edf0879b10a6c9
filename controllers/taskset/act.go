package taskset

import "k8s.io/apimachinery/pkg/types"

// act hands the plan to the engine. Doing it twice changes nothing.
func (r *Reconciler) act(name types.NamespacedName, s *scope, p plan) {
	r.remember(name, s.taskset.UID)
	switch {
	case p.run != nil:
		r.engine.Apply(*p.run)
		if !s.running {
			s.snapshot, s.running = r.engine.Snapshot(p.run.ID)
		}
	case p.forget:
		r.engine.Forget(string(s.taskset.UID))
	}
}

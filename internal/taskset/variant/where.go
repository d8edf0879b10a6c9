package variant

import (
	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/where"
)

// constrain reads spec.where. The expressions are tried on the first variant, because what they ask for and
// is not there can be found in no other way.
func (s *Space) constrain(spec *v1alpha1.TaskSetSpec) error {
	if len(spec.Where) == 0 {
		return nil
	}
	names := make([]string, 0, len(s.base))
	for _, t := range s.base {
		names = append(names, t.Name)
	}
	var err error
	if s.where, err = where.Compile("spec.where", spec.Where, append(names, s.generated.names()...)); err != nil {
		return err
	}
	_, err = s.Admits(0)
	return err
}

// Constrained reports whether spec.where may leave out variants.
func (s *Space) Constrained() bool { return s.where != nil }

// Admits reports whether variant n is run. It fails when there is no such variant, and when an expression of
// spec.where cannot be evaluated for it; the variant is neither in nor out then, but wrong.
func (s *Space) Admits(n uint64) (bool, error) {
	if s.where == nil {
		return true, nil
	}
	tasks, err := s.At(n)
	if err != nil {
		return false, err
	}
	return s.where.Admits(n, tasks)
}

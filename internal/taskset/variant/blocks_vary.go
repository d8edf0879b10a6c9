package variant

import (
	"fmt"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// varying is a sweep or, if random, a draw of a block; its task is not set.
type varying struct {
	draw
	random bool
}

func compileSweeps(path string, sweeps []v1alpha1.AttributeSweep) ([]*varying, error) {
	var all []*varying
	for k, s := range sweeps {
		v := &varying{draw: draw{axis: axis{path: fmt.Sprintf("%s[%d]", path, k), attribute: s.Attribute}}}
		if err := distinct(v, all); err != nil {
			return nil, err
		}
		if err := v.setSweep(s.Values, s.Range); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func compileDraws(path string, draws []v1alpha1.AttributeDraw) ([]*varying, error) {
	var all []*varying
	for k, d := range draws {
		v := &varying{draw: draw{axis: axis{path: fmt.Sprintf("%s[%d]", path, k), attribute: d.Attribute}}, random: true}
		if err := distinct(v, all); err != nil {
			return nil, err
		}
		if err := v.setDraw(d.Uniform, d.LogUniform, d.Choice); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// distinct refuses what is no attribute, and what the same list of a block varies already.
func distinct(v *varying, before []*varying) error {
	path := v.path + ".attribute"
	if err := checkAttribute(path, v.attribute, nil); err != nil {
		return err
	}
	for _, other := range before {
		if overlaps(v.attribute, other.attribute) {
			return fmt.Errorf("%s: %q overlaps %q of %s; vary each thing once", path, v.attribute, other.attribute, other.path)
		}
	}
	return nil
}

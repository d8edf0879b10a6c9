package variant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// digit is one digit of a point. Its axes advance together.
type digit struct {
	axes []int
	size uint64
}

// newDigits makes the digits of a point, the slowest first.
func newDigits(by v1alpha1.Order, axes []axis) ([]digit, error) {
	order := make([]int, len(axes))
	for i := range order {
		order[i] = i
	}
	switch by {
	case "", v1alpha1.OrderGiven:
	case v1alpha1.OrderTaskgen:
		slices.SortStableFunc(order, func(a, b int) int { return compareAsTaskgen(&axes[a], &axes[b]) })
	default:
		return nil, fmt.Errorf("spec.order: %q is not known; use Given or Taskgen", by)
	}
	var digits []digit
	zips := map[string]int{} // to digits
	for _, i := range order {
		name := axes[i].zip
		at, begun := zips[name]
		if name == "" || !begun {
			zips[name] = len(digits)
			digits = append(digits, digit{axes: []int{i}, size: axes[i].size()})
			continue
		}
		d := &digits[at]
		if other := d.axes[0]; axes[i].size() != d.size {
			return nil, fmt.Errorf("%s.zip: %q has %d values here and %d in %s; sweeps that advance together need equally many", axes[i].path, name, axes[i].size(), d.size, axes[other].path)
		}
		d.axes = append(d.axes, i)
	}
	for _, d := range digits {
		if name := axes[d.axes[0]].zip; name != "" && len(d.axes) == 1 {
			return nil, fmt.Errorf("%s.zip: no other sweep has the zip %q; give it to another one, or leave it out", axes[d.axes[0]].path, name)
		}
	}
	return digits, nil
}

// compareAsTaskgen sorts tasks by position and the attributes of one task by the names they had there.
func compareAsTaskgen(a, b *axis) int {
	return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(taskgenName(a.attribute), taskgenName(b.attribute)))
}

// taskgenName is the key of an attribute in a block of taskgen: criticaltime for
// criticalTimeMilliseconds, config:arg1 for config.arg1. The colon matters: it sorts after digits.
func taskgenName(attribute string) string {
	if strings.HasPrefix(attribute, configPrefix) {
		return strings.ReplaceAll(attribute, ".", ":")
	}
	return strings.ToLower(strings.TrimSuffix(attribute, "Milliseconds"))
}

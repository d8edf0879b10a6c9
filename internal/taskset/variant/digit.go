package variant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// digit is one digit of a variant's number. Its axes advance together.
type digit struct {
	axes []int
	size uint64
}

// newDigits makes the digits of a variant's number, the slowest first.
func newDigits(order v1alpha1.Order, axes []axis) ([]digit, error) {
	digits := make([]digit, len(axes))
	for i, a := range axes {
		digits[i] = digit{axes: []int{i}, size: a.size()}
	}
	switch order {
	case "", v1alpha1.OrderGiven:
	case v1alpha1.OrderTaskgen:
		slices.SortStableFunc(digits, func(a, b digit) int { return compareAsTaskgen(&axes[a.axes[0]], &axes[b.axes[0]]) })
	default:
		return nil, fmt.Errorf("spec.order: %q is not known; use Given or Taskgen", order)
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

package variant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

var (
	elementName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	pkgName     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$`)
)

// newAlternative checks one listed value against the type of the attribute.
func newAlternative(path, attribute string, raw []byte) (alternative, error) {
	raw = bytes.TrimSpace(raw)
	switch number, numeric := numbers[attribute]; {
	case numeric:
		return numberAlternative(path, attribute, number, raw)
	case attribute == attributeQuota:
		return quotaAlternative(path, raw)
	case attribute == attributePkg:
		return pkgAlternative(path, raw)
	}
	return configAlternative(path, attribute, raw)
}

func numberAlternative(path, attribute string, n number, raw []byte) (alternative, error) {
	var value *int64
	if err := json.Unmarshal(raw, &value); err != nil || value == nil {
		return alternative{}, fmt.Errorf("%s: %s is not a whole number; %s takes %d to %d", path, shorten(raw), attribute, n.min, n.max)
	}
	if err := n.check(path, *value); err != nil {
		return alternative{}, err
	}
	return alternative{text: string(raw), set: func(t *taskset.Task) { n.set(t, uint32(*value)) }}, nil
}

func quotaAlternative(path string, raw []byte) (alternative, error) {
	var q *resource.Quantity // takes numbers and texts alike
	if err := json.Unmarshal(raw, &q); err != nil || q == nil {
		return alternative{}, fmt.Errorf("%s: %s is not a quantity of memory; use for example \"5Mi\"", path, shorten(raw))
	}
	size, err := quotaBytes(path, *q)
	if err != nil {
		return alternative{}, err
	}
	return alternative{text: q.String(), set: func(t *taskset.Task) { t.Quota = size }}, nil
}

func pkgAlternative(path string, raw []byte) (alternative, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err != nil || !pkgName.MatchString(name) {
		return alternative{}, fmt.Errorf("%s: %s is not the name of a binary; use 1 to 15 characters out of letters, digits, '_', '.' and '-'", path, shorten(raw))
	}
	return alternative{text: name, set: func(t *taskset.Task) { t.Pkg = name }}, nil
}

func configAlternative(path, attribute string, raw []byte) (alternative, error) {
	steps := strings.Split(strings.TrimPrefix(attribute, configPrefix), ".")
	node, err := taskset.ValueFromJSON(steps[len(steps)-1], raw)
	if err != nil {
		return alternative{}, fmt.Errorf("%s: %w", path, err)
	}
	text := string(raw)
	if raw[0] == '"' {
		text = node.Text
	}
	return alternative{text: text, set: func(t *taskset.Task) { t.Config = setPath(t.Config, steps, node) }}, nil
}

// shorten keeps a value that is quoted in an error readable.
func shorten(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	if len(raw) > 40 {
		return string(raw[:40]) + "..."
	}
	return string(raw)
}

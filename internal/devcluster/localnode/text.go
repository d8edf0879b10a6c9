package localnode

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// formatMap writes labels or annotations as the downward API does: a line key="value" each.
func formatMap(m map[string]string) string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, fmt.Sprintf("%s=%q", key, m[key]))
	}
	return strings.Join(lines, "\n")
}

// cut removes both a prefix and a suffix, if they are there.
func cut(s, prefix, suffix string) (string, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, suffix)
}

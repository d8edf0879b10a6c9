package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

// TestTheLibraryIsDescribed: docs/library.md has a row for each block and task-set, and for nothing else.
func TestTheLibraryIsDescribed(t *testing.T) {
	text := read(t, "docs/library.md")
	known := map[string]bool{}
	for _, e := range slices.Concat(library.Blocks(), library.TaskSets()) {
		known[e.Name] = true
		want := "| `" + e.Name + "` | " + e.Description + " |\n"
		if slices.ContainsFunc(library.Blocks(), func(b library.Entry) bool { return b.Name == e.Name }) {
			want = "| `" + e.Name + "` | " + e.Argument + " | " + e.Description + " |\n"
		}
		if !strings.Contains(text, want) {
			t.Errorf("docs/library.md has no row %s", want)
		}
	}
	_, lists, _ := strings.Cut(text, "\n## Blocks\n")
	for line := range strings.SplitSeq(lists, "\n") {
		if rest, row := strings.CutPrefix(line, "| `"); row {
			if name, _, _ := strings.Cut(rest, "`"); !known[name] {
				t.Errorf("docs/library.md has a row for %s, which is not there", name)
			}
		}
	}
}

package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

var code = regexp.MustCompile("`([^`]+)`")

// TestEverySchedulerOfTheSimulatorHasItsRow: names, scopes, summaries and options of the page are those of the
// registry. A row may name several schedulers of one scope without options; then its summary is its own.
func TestEverySchedulerOfTheSimulatorHasItsRow(t *testing.T) {
	before, text, _ := strings.Cut(read(t, simulatorPage), "\n## Schedulers\n")
	text, after, _ := strings.Cut(text, "\n## ")
	if *update {
		text = schedulerRows(text)
		write(t, simulatorPage, before+"\n## Schedulers\n"+text+"\n## "+after)
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		names, cells := named(line)
		for _, name := range names {
			seen[name] = true
			p, err := sched.Find(name)
			want := fmt.Sprintf("| `%s` | %s | %s | %s | ", p.Name, p.Scope, p.Summary, options(p))
			switch {
			case err != nil || p.Name != name:
				t.Errorf("%s: there is no scheduler %s", simulatorPage, name)
			case len(names) == 1 && !strings.HasPrefix(line, want):
				t.Errorf("%s: the row of %s should begin with: %s", simulatorPage, name, want)
			case len(names) > 1 && (cells[1] != string(p.Scope) || options(p) != ""):
				t.Errorf("%s: %s has another scope than its row, or options", simulatorPage, name)
			}
		}
	}
	for _, p := range sched.All() {
		if !seen[p.Name] {
			t.Errorf("%s: no row for the scheduler %s; go test ./test/docs -run Simulator -update adds it", simulatorPage, p.Name)
		}
	}
}

// named are the schedulers of a row and its cells; none if it is no row.
func named(line string) (names, cells []string) {
	if !strings.HasPrefix(line, "| `") {
		return nil, nil
	}
	cells = strings.Split(strings.TrimSuffix(line, " |"), " | ")
	for _, m := range code.FindAllStringSubmatch(cells[0], -1) {
		names = append(names, m[1])
	}
	return names, cells
}

func options(p sched.Policy) string {
	var all []string
	for _, o := range p.Options() {
		all = append(all, fmt.Sprintf("`%s` = %s: %s", o.Name, o.Default, o.Summary))
	}
	return strings.Join(all, "; ")
}

// schedulerRows brings the rows of single schedulers up to date and adds those that are missing. Sources are
// kept; new rows have none.
func schedulerRows(text string) string {
	seen := map[string]bool{}
	lines, last := strings.Split(text, "\n"), 0
	row := func(p sched.Policy, source string) string {
		return fmt.Sprintf("| `%s` | %s | %s | %s | %s |", p.Name, p.Scope, p.Summary, options(p), source)
	}
	for i, line := range lines {
		names, cells := named(line)
		for _, name := range names {
			seen[name], last = true, i
			if p, err := sched.Find(name); err == nil && len(names) == 1 {
				lines[i] = row(p, cells[len(cells)-1])
			}
		}
	}
	for _, p := range slices.Backward(sched.All()) {
		if !seen[p.Name] {
			lines = slices.Insert(lines, last+1, row(p, ""))
		}
	}
	return strings.Join(lines, "\n")
}

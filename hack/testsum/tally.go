package main

import (
	"slices"
	"strings"
	"time"
)

// Event is one line of "go test -json"; see "go doc test2json".
type Event struct {
	Time        time.Time
	Action      string
	Package     string
	ImportPath  string // instead of Package on build-output and build-fail
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

// Skip is a test that did not run, and why.
type Skip struct {
	Package string `json:"package"`
	Test    string `json:"test"`
	Reason  string `json:"reason"`
}

// Tally counts tests, subtests included, and keeps the output of those that have not passed.
type Tally struct {
	Passed   int
	Failures []string // "package Test" in the order of their end
	Skips    []Skip
	Packages int // that have ended and had tests
	Forgiven int // fuzz targets that go test calls failed, and that are not; they count as passed

	output map[key]*strings.Builder
	open   map[key]bool
	failed map[string]bool // packages whose failure is explained by a test's
}

// key names a test, or with an empty test the package itself; build output is kept under "build".
type key struct{ pkg, test string }

const buildOutput = "\x00build"

// NewTally returns a Tally that has seen nothing.
func NewTally() *Tally {
	return &Tally{output: map[key]*strings.Builder{}, open: map[key]bool{}, failed: map[string]bool{}}
}

// Add takes the next event and returns what is to be printed because of it, often nothing.
func (t *Tally) Add(e Event) string {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		t.keep(key{e.ImportPath, buildOutput}, e.Output)
	case "output":
		return t.addOutput(k, e.Output)
	case "run":
		t.open[k] = true
	case "pass":
		t.end(k)
		if e.Test == "" {
			t.Packages++
		} else {
			t.Passed++
		}
	case "skip":
		if e.Test != "" {
			t.Skips = append(t.Skips, Skip{e.Package, e.Test, reason(t.text(k))})
		}
		t.end(k)
	case "fail":
		return t.addFailure(e, k)
	}
	return ""
}

// Running returns the tests under way, outermost only, as "package Test", sorted.
func (t *Tally) Running() []string {
	var names []string
	for k := range t.open {
		if !strings.Contains(k.test, "/") {
			names = append(names, k.pkg+" "+k.test)
		}
	}
	slices.Sort(names)
	return names
}

// addOutput keeps a test's output; the closing line of a package is printed at once.
func (t *Tally) addOutput(k key, text string) string {
	if k.test == "" && strings.HasPrefix(text, "ok  \t") {
		return text
	}
	t.keep(k, text)
	return ""
}

// addFailure counts a failed test, or a package that failed outside of its tests.
func (t *Tally) addFailure(e Event, k key) string {
	if e.Test != "" {
		text := t.text(k)
		t.failed[e.Package] = true
		t.end(k)
		if onlyTimeWasOver(e.Test, text) {
			t.Passed++
			t.Forgiven++
			return e.Package + " " + e.Test + ": the time was over, and nothing was found\n"
		}
		t.Failures = append(t.Failures, e.Package+" "+e.Test)
		return text
	}
	t.Packages++
	var out strings.Builder
	for _, left := range t.unfinished(e.Package) {
		t.Failures = append(t.Failures, left.pkg+" "+left.test+" (did not end)")
		t.failed[e.Package] = true
		out.WriteString(t.text(left))
		t.end(left)
	}
	if e.FailedBuild != "" {
		build := key{e.FailedBuild, buildOutput}
		out.WriteString(t.text(build))
		delete(t.output, build)
	}
	if !t.failed[e.Package] {
		t.Failures = append(t.Failures, e.Package+" (outside of its tests)")
	}
	out.WriteString(t.text(k))
	t.end(k)
	return out.String()
}

// unfinished returns the tests of a package that have begun and not ended.
func (t *Tally) unfinished(pkg string) []key {
	var left []key
	for k := range t.open {
		if k.pkg == pkg {
			left = append(left, k)
		}
	}
	slices.SortFunc(left, func(a, b key) int { return strings.Compare(a.test, b.test) })
	return left
}

func (t *Tally) keep(k key, text string) {
	b := t.output[k]
	if b == nil {
		b = &strings.Builder{}
		t.output[k] = b
	}
	b.WriteString(text)
}

func (t *Tally) text(k key) string {
	if b := t.output[k]; b != nil {
		return b.String()
	}
	return ""
}

func (t *Tally) end(k key) {
	delete(t.output, k)
	delete(t.open, k)
}

// reason extracts what a skipped test said: its output without the lines of the test framework.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		said = append(said, line)
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

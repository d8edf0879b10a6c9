package docs

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// update writes what can be generated of docs/simulator.md, and its picture, anew.
var update = flag.Bool("update", false, "write the generated parts of the simulator's page anew")

const simulatorPage = "docs/simulator.md"

var (
	feature  = regexp.MustCompile(`(?m)^\| ([FQ][0-9]+) \| (.*) \| ([^|]*)\|$`)
	testName = regexp.MustCompile("`([a-z]+)\\.(Test[A-Za-z0-9_]+)`")
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	testRow  = regexp.MustCompile(`^Test([FQ][0-9]+)(?:And([FQ][0-9]+))?`)
)

const open = "open" // no test yet

// TestEveryRowOfTheSimulatorHasItsTest: the page has the rows F1 to F58, each with tests that exist, or left
// out with a reason. Tests that are named in the rows of defects exist, too.
func TestEveryRowOfTheSimulatorHasItsTest(t *testing.T) {
	exist, ofRow := tests(t)
	text := read(t, simulatorPage)
	if *update {
		text = feature.ReplaceAllStringFunc(text, func(line string) string {
			m := feature.FindStringSubmatch(line)
			if strings.HasPrefix(m[3], "left out:") {
				return line
			}
			return fmt.Sprintf("| %s | %s | %s |", m[1], m[2], cell(m[3], exist, ofRow[m[1]]))
		})
		write(t, simulatorPage, text)
	}
	rows := map[string]int{}
	for _, m := range feature.FindAllStringSubmatch(text, -1) {
		rows[m[1]]++
		named := testName.FindAllString(m[3], -1)
		for _, name := range named {
			if !exist[name] {
				t.Errorf("%s: %s names %s, which does not exist", simulatorPage, m[1], name)
			}
		}
		switch {
		case strings.HasPrefix(m[3], "left out: ") || len(named) > 0:
		case strings.TrimSpace(m[3]) != open:
			t.Errorf("%s: %s has neither a test nor a reason why it is left out: %s", simulatorPage, m[1], m[3])
		case len(ofRow[m[1]]) > 0:
			t.Errorf("%s: %s is open, but there is %s; go test ./test/docs -run Simulator -update enters it", simulatorPage, m[1], ofRow[m[1]])
		}
	}
	for row, last := range map[string]int{"F": 58, "Q": 17} {
		for n := 1; n <= last; n++ {
			if name := fmt.Sprint(row, n); rows[name] != 1 {
				t.Errorf("%s: %s has %d rows, want 1", simulatorPage, name, rows[name])
			}
			delete(rows, fmt.Sprint(row, n))
		}
	}
	if len(rows) > 0 {
		t.Errorf("%s: rows that nobody knows: %v", simulatorPage, rows)
	}
}

// cell names the tests of a row: those that it named and that still exist, and those named after the row.
func cell(before string, exist map[string]bool, named []string) string {
	all := slices.DeleteFunc(testName.FindAllString(before, -1), func(name string) bool { return !exist[name] })
	for _, name := range named {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return open
	}
	return strings.Join(all, ", ")
}

// tests are those of the repository, as `folder.TestName`, and those whose names begin with a row of the page.
// test/parity has rows of its own.
func tests(t *testing.T) (exist map[string]bool, ofRow map[string][]string) {
	t.Helper()
	exist, ofRow = map[string]bool{}, map[string][]string{}
	for _, top := range []string{"api", "cmd", "controllers", "internal", "test"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range testFunc.FindAllStringSubmatch(string(source), -1) {
				name := "`" + filepath.Base(filepath.Dir(path)) + "." + m[1] + "`"
				exist[name] = true
				if strings.Contains(path, "test/parity/") {
					continue
				}
				for _, row := range testRow.FindAllStringSubmatch(m[1], -1) {
					for _, r := range row[1:] {
						ofRow[r] = append(ofRow[r], name)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return exist, ofRow
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestThePictureOfTheSimulatorIsWhatItDraws runs the example of the page: its table and docs/simulator.svg are
// as new as the code.
func TestThePictureOfTheSimulatorIsWhatItDraws(t *testing.T) {
	const file, most = "docs/simulator.svg", 60 << 10
	_, text, _ := strings.Cut(read(t, simulatorPage), "```text\nname: ")
	text, _, _ = strings.Cut(text, "```")
	f, err := simfile.Parse([]byte("name: " + text))
	if err != nil {
		t.Fatal(err)
	}
	scheduler, err := sched.New(f.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	recorder := render.NewRecorder(&f.System, render.Window{}, 0)
	totals, err := sim.Run(context.Background(), &f.System, scheduler, recorder)
	if err != nil {
		t.Fatal(err)
	}
	run := recorder.Run(f.Scheduler, totals)
	var table, out bytes.Buffer
	if err := render.Table(&table, run); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(table.String()), "\n") {
		if want := strings.TrimRight("    "+line, " "); !strings.Contains(read(t, simulatorPage), want+"\n") {
			t.Errorf("%s does not have the line %s", simulatorPage, want)
		}
	}
	if err := render.SVG(&out, run, render.Options{Title: f.Name}); err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, file, out.String())
	}
	if out.Len() > most {
		t.Errorf("%s has %d bytes, want at most %d", file, out.Len(), most)
	}
	if read(t, file) != out.String() {
		t.Errorf("%s is out of date; go test ./test/docs -run Simulator -update draws it anew", file)
	}
}

package parity

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// missing are the rows that nothing can be tested of.
var missing []string

// TestTheTableIsComplete checks that every row of the list in doc.go has a test, which names it: in its own name, or
// in its comment.
func TestTheTableIsComplete(t *testing.T) {
	elsewhere, text := table(t)
	here := tests(t, ".")
	for _, row := range rows() {
		if !regexp.MustCompile(`\b` + row + `\b`).MatchString(text) {
			t.Errorf("doc.go does not say what %s is", row)
		}
		prefix := "Test" + row[:1] + fmt.Sprintf("%02s", row[1:])
		named := slices.ContainsFunc(slices.Collect(maps.Keys(here)), func(name string) bool { return strings.HasPrefix(name, prefix) })
		if untested := slices.Contains(missing, row); untested == (named || len(elsewhere[row]) > 0) {
			t.Errorf("row %s: no test begins with %s, and doc.go names no other one (or it is not missing any more)", row, prefix)
		}
		for _, other := range elsewhere[row] {
			folder, name := "", other
			if i := strings.LastIndexByte(other, '.'); i >= 0 {
				folder, name = other[:i], other[i+1:]
			}
			in := here
			if folder != "" {
				in = tests(t, filepath.Join("..", "..", folder))
			}
			if says, there := in[name]; !there {
				t.Errorf("row %s: there is no test %s", row, other)
			} else if !regexp.MustCompile(`\b` + row + `\b`).MatchString(says) {
				t.Errorf("row %s: the comment of %s does not name it", row, other)
			}
		}
		delete(elsewhere, row)
	}
	for row := range elsewhere {
		t.Errorf("doc.go has a row %s that the list has not", row)
	}
}

// rows are the names of all rows.
func rows() (all []string) {
	for _, group := range []struct {
		letter string
		n      int
	}{{"F", 41}, {"D", 13}, {"G", 11}, {"T", 4}, {"B", 3}, {"P", 10}, {"S", 18}, {"W", 10}} {
		for i := range group.n {
			all = append(all, fmt.Sprint(group.letter, i+1))
		}
	}
	return all
}

// table reads doc.go: the rows that are covered by tests of another name, and everything else as text.
func table(t *testing.T) (elsewhere map[string][]string, text string) {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere = map[string][]string{}
	row := regexp.MustCompile(`^//\t([A-Z]\d+): (.+)$`)
	for line := range strings.Lines(string(source)) {
		if match := row.FindStringSubmatch(strings.TrimRight(line, "\n")); match != nil {
			elsewhere[match[1]] = strings.Split(match[2], ", ")
			continue
		}
		text += line
	}
	return elsewhere, text
}

// tests are the test functions in a folder with their comments, by name.
func tests(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				all[f.Name.Name] = f.Doc.Text()
			}
		}
	}
	return all
}

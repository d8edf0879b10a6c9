package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// module writes a small module and makes it the working folder.
func module(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module m\n\ngo 1.26.0\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

func TestRunTellsRealTestsApart(t *testing.T) {
	module(t, map[string]string{
		"good/a_test.go": `package good

import "testing"

func TestGood(t *testing.T) { t.Run("sub", func(t *testing.T) {}) }
func TestSkipped(t *testing.T) { t.Skip("for a reason") }
`,
		"bad/a_test.go":    "package bad\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Error(\"wrong\") }\n",
		"broken/a_test.go": "package broken\n\nvar x int = \"\"\n",
	})
	part := runTests(t.Context(), "all", []string{"./..."})
	if part.OK || part.Passed != 2 {
		t.Errorf("got ok %v with %d passed, want failure with 2 passed", part.OK, part.Passed)
	}
	failures := map[string]bool{}
	for _, f := range part.Failures {
		failures[f] = true
	}
	if diff := cmp.Diff(map[string]bool{"m/bad TestBad": true, "m/broken (outside of its tests)": true}, failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Skip{{"m/good", "TestSkipped", "a_test.go:6: for a reason"}}, part.Skips); diff != "" {
		t.Errorf("skips (-want +got):\n%s", diff)
	}
}

func TestRunWithoutAnyPackageIsAFailure(t *testing.T) {
	module(t, map[string]string{})
	if part := runTests(t.Context(), "none", []string{"./missing"}); part.OK {
		t.Error("a run without tests counts as a success")
	}
}

func TestFindTargetsLooksWhereGoTestLooks(t *testing.T) {
	fuzz := "package x\n\nimport \"testing\"\n\nfunc FuzzIt(f *testing.F) {}\nfunc Fuzzy() {}\nfunc TestIt(t *testing.T) {}\n"
	module(t, map[string]string{
		"a/b/x_test.go":         fuzz,
		"a/x.go":                "package a\n\nfunc FuzzNot(int) {}\n",
		"a/testdata/x_test.go":  fuzz,
		".cache/x_test.go":      fuzz,
		"nested/go.mod":         "module nested\n",
		"nested/deep/x_test.go": fuzz,
	})
	got, err := findTargets(".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Target{{"./a/b", "FuzzIt"}}, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestFuzzRunsAndReportsAFinding(t *testing.T) {
	module(t, map[string]string{
		"x_test.go": "package x\n\nimport \"testing\"\n\nfunc FuzzBad(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, i int) { t.Error(\"found\") }) }\n",
	})
	part, err := fuzz(t.Context(), ".", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if part.OK || len(part.Failures) == 0 {
		t.Errorf("the finding is not reported: %+v", part)
	}
}

func TestFuzzWithoutTargetsIsAnError(t *testing.T) {
	module(t, map[string]string{})
	if _, err := fuzz(t.Context(), ".", time.Second); err == nil {
		t.Error("no fuzz target counts as a success")
	}
}

func TestCheckReportsTheExitCode(t *testing.T) {
	cases := map[string]struct {
		command []string
		wantOK  bool
	}{
		"a command that succeeds":    {[]string{"true"}, true},
		"a command that fails":       {[]string{"false"}, false},
		"a command that is missing":  {[]string{"./no-such-command"}, false},
		"no command is no success":   {nil, false},
		"an exit code is not hidden": {[]string{"sh", "-c", "exit 3"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if part := check(t.Context(), "x", tc.command); part.OK != tc.wantOK || (len(part.Failures) == 0) != tc.wantOK {
				t.Errorf("got %+v, want ok %v", part, tc.wantOK)
			}
		})
	}
}

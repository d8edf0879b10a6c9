package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTally(t *testing.T) {
	cases := map[string]struct {
		events       string
		wantPassed   int
		wantFailures []string
		wantSkips    []Skip
		wantPrinted  string
	}{
		"a passed package prints its closing line and nothing else": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			wantPassed:  1,
			wantPrinted: "ok  \tp\t0.1s\n",
		},
		"a failed test prints all that it said and its package does not count again": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: wrong\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			wantFailures: []string{"p TestA"},
			wantPrinted:  "    a_test.go:3: wrong\nFAIL\tp\t0.1s\n",
		},
		"a fuzz target whose time was over has found nothing": {
			events: `{"Action":"run","Package":"p","Test":"FuzzA"}
{"Action":"output","Package":"p","Test":"FuzzA","Output":"=== RUN   FuzzA\n"}
{"Action":"output","Package":"p","Test":"FuzzA","Output":"fuzz: elapsed: 5s, execs: 52571 (12691/sec), new interesting: 0 (total: 42)\n"}
{"Action":"output","Package":"p","Test":"FuzzA","Output":"--- FAIL: FuzzA (5.17s)\n"}
{"Action":"output","Package":"p","Test":"FuzzA","Output":"    context deadline exceeded\n"}
{"Action":"fail","Package":"p","Test":"FuzzA"}
{"Action":"fail","Package":"p"}`,
			wantPassed:  1,
			wantPrinted: "p FuzzA: the time was over, and nothing was found\n",
		},
		"a fuzz target with a finding has failed, whatever else it says": {
			events: `{"Action":"run","Package":"p","Test":"FuzzA"}
{"Action":"output","Package":"p","Test":"FuzzA","Output":"    context deadline exceeded\n"}
{"Action":"output","Package":"p","Test":"FuzzA","Output":"    Failing input written to testdata/fuzz/FuzzA/1\n"}
{"Action":"fail","Package":"p","Test":"FuzzA"}
{"Action":"fail","Package":"p"}`,
			wantFailures: []string{"p FuzzA"},
			wantPrinted:  "    context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzA/1\n",
		},
		"a skipped test keeps its reason": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: no QEMU\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`,
			wantSkips: []Skip{{"p", "TestA", "a_test.go:3: no QEMU"}},
		},
		"a skipped test that says nothing is told as such": {
			events:    `{"Action":"skip","Package":"p","Test":"TestA"}`,
			wantSkips: []Skip{{"p", "TestA", "no reason given"}},
		},
		"a package without tests is no news": {
			events: `{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
{"Action":"skip","Package":"p"}`,
		},
		"a package that fails outside of its tests is one failure": {
			events: `{"Action":"output","Package":"p","Output":"panic: in TestMain\n"}
{"Action":"fail","Package":"p"}`,
			wantFailures: []string{"p (outside of its tests)"},
			wantPrinted:  "panic: in TestMain\n",
		},
		"a package that does not compile prints the compiler's words": {
			events: `{"Action":"build-output","ImportPath":"p [p.test]","Output":"p/a.go:1: undefined: x\n"}
{"Action":"build-fail","ImportPath":"p [p.test]"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			wantFailures: []string{"p (outside of its tests)"},
			wantPrinted:  "p/a.go:1: undefined: x\nFAIL\tp [build failed]\n",
		},
		"a test that was running when its package died is a failure": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"signal: killed\n"}
{"Action":"fail","Package":"p"}`,
			wantFailures: []string{"p TestA (did not end)"},
			wantPrinted:  "signal: killed\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tally := NewTally()
			var printed strings.Builder
			if err := readEvents(strings.NewReader(tc.events), func(e Event) { printed.WriteString(tally.Add(e)) }); err != nil {
				t.Fatal(err)
			}
			if tally.Passed != tc.wantPassed {
				t.Errorf("passed: got %d, want %d", tally.Passed, tc.wantPassed)
			}
			if diff := cmp.Diff(tc.wantFailures, tally.Failures); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantSkips, tally.Skips); diff != "" {
				t.Errorf("skips (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantPrinted, printed.String()); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
			if left := tally.Running(); len(left) > 0 {
				t.Errorf("still running: %v", left)
			}
		})
	}
}

func TestTotalAddsPartsAndEndsWithTheCounts(t *testing.T) {
	record := filepath.Join(t.TempDir(), "sub", "record")
	parts := []Part{
		{Name: "unit", OK: true, Passed: 3, Skips: []Skip{{"p", "TestA", "no QEMU"}}},
		{Name: "lint", Check: true, Failures: []string{"lint: exit status 1"}},
	}
	for _, p := range parts {
		if err := appendPart(record, p); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := total(&out, record); err == nil {
		t.Error("total succeeded although a check has failed")
	}
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if got, want := lines[len(lines)-1], "3 passed, 1 failed"; got != want {
		t.Errorf("last line: got %q, want %q", got, want)
	}
	if !strings.Contains(out.String(), "p TestA: no QEMU") {
		t.Errorf("the skipped test is not named:\n%s", out.String())
	}
}

func TestTotalOfAnEmptyRecordIsNoSuccess(t *testing.T) {
	record := filepath.Join(t.TempDir(), "record")
	if err := total(&bytes.Buffer{}, record); err == nil {
		t.Error("total succeeded although nothing ran")
	}
}

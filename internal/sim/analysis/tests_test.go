package analysis_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// TestTardinessAgreesWithOtherTools has all recorded sets on several processors.
func TestTardinessAgreesWithOtherTools(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(text)) {
		var g struct {
			golden
			X *int64 `json:"gedf_tardiness_x"`
		}
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		if g.CPUs == 1 {
			continue
		}
		seen++
		x, ok := analysis.Tardiness(g.set(), g.CPUs)
		if ok != (g.X != nil) || ok && x != *g.X {
			t.Errorf("set %d on %d: %d, %v", g.ID, g.CPUs, x, ok)
		}
	}
	if seen < 20 {
		t.Errorf("%d sets", seen)
	}
}

func TestTestsAreFoundAndSayWhenTheyApply(t *testing.T) {
	implicit := analysis.Set{{C: 3, T: 7, D: 7}, {C: 3, T: 12, D: 12}, {C: 5, T: 20, D: 20}}
	constrained := analysis.Set{{C: 3, T: 7, D: 6}}
	for _, tc := range []struct {
		name       string
		set        analysis.Set
		processors int
		want       analysis.Verdict
	}{
		{"ll", implicit, 1, analysis.Verdict{Applies: true}},
		{"QPA", implicit, 1, analysis.Verdict{Applies: true, Schedulable: true}},
		{"QPA", implicit, 2, analysis.Verdict{}},
		{"optimal", implicit, 2, analysis.Verdict{Applies: true, Schedulable: true}},
		{"optimal", constrained, 2, analysis.Verdict{}},
		{"GFB", constrained, 2, analysis.Verdict{Applies: true, Schedulable: true}},
		{"BAK", analysis.Set{{C: 3, T: 7, D: 9}}, 2, analysis.Verdict{}},
	} {
		test, err := analysis.FindTest(tc.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := test.Run(tc.set, tc.processors); got.Applies != tc.want.Applies || got.Schedulable != tc.want.Schedulable {
			t.Errorf("%s on %d: %+v", tc.name, tc.processors, got)
		}
	}
	if _, err := analysis.FindTest("XYZ"); err == nil || !strings.Contains(err.Error(), "use one of LL, HB, RTA") {
		t.Error(err)
	}
}

package campaign

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// TestTheAPIKnowsEveryTest compares the names that spec.analysis.tests takes with those of the tests.
func TestTheAPIKnowsEveryTest(t *testing.T) {
	text, err := os.ReadFile("../../api/v1alpha1/taskset_analysis_types.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)Enum=([^\n]*)\ntype AnalysisTest string`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the type AnalysisTest has no enum")
	}
	var want []string
	for _, test := range analysis.Tests() {
		want = append(want, test.Name)
	}
	if diff := cmp.Diff(want, strings.Split(string(found[1]), ";")); diff != "" {
		t.Errorf("names in the API (-tests +API):\n%s", diff)
	}
}

package examples

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// TestThePageShowsTheFiles word for word, without their comments. The second of the twins is not shown.
func TestThePageShowsTheFiles(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/campaigns-by-example.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "config/samples/campaigns/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		if !strings.Contains(string(page), "`"+filepath.Base(file)+"`") {
			t.Errorf("the page does not name %s", file)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(text), "---\n") {
			var lines []string
			for _, line := range strings.SplitAfter(document, "\n") {
				if !strings.HasPrefix(line, "#") {
					lines = append(lines, line)
				}
			}
			bare := strings.Join(lines, "")
			switch {
			case strings.Contains(bare, "name: overload-utilization\n"):
			case !strings.Contains(string(page), "```yaml\n"+bare+"```\n"):
				t.Errorf("the page does not show this part of %s:\n%s", file, bare)
			default:
				shown++
			}
		}
	}
	if blocks := strings.Count(string(page), "```yaml\n"); blocks != shown {
		t.Errorf("the page shows %d manifests, %d are in the files", blocks, shown)
	}
}

func TestTheTwinsDifferInTheirGoal(t *testing.T) {
	all := samples(t)
	one, other := all["overload-fairness"].DeepCopy(), all["overload-utilization"]
	one.AdmissionControl.Goal = v1alpha1.GoalUtilization
	if !reflect.DeepEqual(one, other) {
		t.Error("they differ in something else, too")
	}
}

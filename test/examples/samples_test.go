// Package examples holds no code: its tests run every campaign of config/samples/campaigns on the engine, in
// front of fake targets, and ask the results what docs/campaigns-by-example.md asks.
package examples

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
)

const root = "../.."

// samples are the TaskSets of config/samples/campaigns by name.
func samples(t *testing.T) map[string]*v1alpha1.TaskSetSpec {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config/samples/campaigns/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := map[string]*v1alpha1.TaskSetSpec{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text))); ; {
			part := make([]byte, len(text))
			n, err := reader.Read(part)
			if errors.Is(err, io.EOF) {
				break
			}
			var set v1alpha1.TaskSet
			if err := strict.Unmarshal(part[:n], &set); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if set.Kind != "TaskSet" {
				continue
			}
			if err := strict.UnmarshalStrict(part[:n], &set); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all[set.Name] = &set.Spec
		}
	}
	return all
}

// TestEveryCampaignHasItsVariants: as many as the page says.
func TestEveryCampaignHasItsVariants(t *testing.T) {
	want := map[string]struct {
		variants uint64
		tasks    int // of variant 0
	}{
		"priorities": {127, 1}, "linpack-feasibility": {1200, 1}, "mixed-feasibility": {1000, 5}, "toolchain-timing": {160, 1},
		"edf-against-priorities": {80, 2}, "overload-fairness": {300, 4}, "overload-utilization": {300, 4}, "rate-monotonic": {1800, 3},
		"many-variants": {1_000_000_000, 3}, "many-tasks": {1, 10_000}, "random-100": {1000, 69}, "on-boards": {508, 2},
	}
	all := samples(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		plan, err := campaign.FromSpec(name, "default/"+name, all[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tasks, err := plan.Space.At(0)
		if err != nil || plan.Total != want[name].variants || len(tasks) != want[name].tasks {
			t.Errorf("%s: %d variants, %d tasks, %v; want %+v", name, plan.Total, len(tasks), err, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
}

package examples

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// The two campaigns of config/samples/differential have the same variants: else there is nothing to compare.
func TestTheDifferentialCampaignsDifferInTheirTargetsOnly(t *testing.T) {
	read := func(name string) (ts v1alpha1.TaskSet) {
		text, err := os.ReadFile(filepath.Join("../../config/samples/differential", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, &ts); err != nil {
			t.Fatal(err)
		}
		return ts
	}
	measured, simulated := read("measured.yaml"), read("simulated.yaml")
	if diff := cmp.Diff(measured.Spec.Targets, simulated.Spec.Targets); diff == "" {
		t.Error("both have the same targets")
	}
	measured.Spec.Targets, simulated.Spec.Targets = v1alpha1.TargetsSpec{}, v1alpha1.TargetsSpec{}
	if diff := cmp.Diff(measured.Spec, simulated.Spec); diff != "" {
		t.Errorf("measured and simulated (-measured +simulated):\n%s", diff)
	}
}

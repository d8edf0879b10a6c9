package variant_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// specOf reads a spec.
func specOf(t rapid.TB, text string) *v1alpha1.TaskSetSpec {
	t.Helper()
	var spec v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return &spec
}

const (
	short = `
tasks: [{name: hello, pkg: hey, config: {a: 1, b: {c: 2, d: 3}}}]
blocks: [{alternatives: [{use: pi.Value, argument: 3}, {set: {pkg: hey, quota: 2Mi}, sweeps: [{attribute: priority, range: {from: 1, to: 3}}]}]}]
generator:
  tasks: 4
  templates: [{set: {pkg: hey, quota: 3Mi}}]
  utilization: {totals: ["0.5", "1"], periods: {distribution: Harmonic, betweenMilliseconds: {from: 10, to: 80}}}
sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 3}}]
draws: [{task: hello, attribute: config.a, uniform: {from: 1, to: 3}}]
where: ["variant > 2"]
sample: {count: 7}
seed: 42
completion: {jobsPerTask: 2}
`
	long = `
completion: {jobsPerTask: 2}
targets: {selector: {matchLabels: {a: b}}}
suspend: true
parallelism: 3
repeat: 1
order: Given
seed: 42
sample: {count: 7}
where: ["variant > 2"]
draws: [{task: hello, uniform: {to: 3, from: 1}, attribute: config.a}]
sweeps: [{range: {step: 1, from: 1, to: 3}, task: hello, attribute: priority}]
generator:
  tasksBetween: {from: 4, to: 4}
  utilization:
    totals: ["500m", "1.0"]
    method: RandFixedSum
    maxPerTask: 1000m
    deadlines: None
    loadPerMillisecond: 1
    periods: {distribution: Harmonic, betweenMilliseconds: {from: 10, to: 80}}
  templates: [{set: {pkg: hey, quota: "3145728"}}]
blocks: [{alternatives: [{use: pi.Value, argument: 3, repeat: 1}, {set: {pkg: hey, quota: 2048Ki}, sweeps: [{attribute: priority, range: {from: 1, to: 3, step: 1}}]}]}]
tasks: [{config: {b: {d: 3, c: 2}, a: 1}, quota: 1024Ki, name: hello, pkg: hey, numberOfJobs: 2, priority: 0}]
`
)

func TestHashIsThatOfTheVariants(t *testing.T) {
	want := variant.Hash(specOf(t, short))
	if len(want) != 64 {
		t.Fatalf("%q is no SHA-256", want)
	}
	if got := variant.Hash(specOf(t, long)); got != want {
		t.Errorf("with all defaults, in another order: %s, without: %s", got, want)
	}
	spec := specOf(t, short)
	if before := spec.DeepCopy(); variant.Hash(spec) != want || !reflect.DeepEqual(before, spec) {
		t.Error("the spec was changed")
	}
}

// TestHashOfTheSimplestSpec pins the form: what is stored with results must not change from release to release.
func TestHashOfTheSimplestSpec(t *testing.T) {
	const want = "ab00a78357ff5bbe3885c77b692c8f955dca79d825dfd6aee333063899750145"
	if got := variant.Hash(specOf(t, `tasks: [{name: hello, pkg: hey}]`)); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestEveryChangeOfTheVariantsChangesTheHash(t *testing.T) {
	changes := map[string]func(*v1alpha1.TaskSetSpec){
		"a task":                       func(s *v1alpha1.TaskSetSpec) { s.Tasks[0].Priority = 1 },
		"a config":                     func(s *v1alpha1.TaskSetSpec) { s.Tasks[0].Config.Raw = []byte(`{"a":1.0,"b":{"c":2,"d":3}}`) },
		"a block":                      func(s *v1alpha1.TaskSetSpec) { s.Blocks[0].Alternatives[1].Repeat = ptr(int32(2)) },
		"a block's argument":           func(s *v1alpha1.TaskSetSpec) { s.Blocks[0].Alternatives[0].Argument = ptr(int64(4)) },
		"the number of tasks":          func(s *v1alpha1.TaskSetSpec) { s.Generator.Tasks = ptr(int32(5)) },
		"a total":                      func(s *v1alpha1.TaskSetSpec) { s.Generator.Utilization.Totals = s.Generator.Utilization.Totals[:1] },
		"implicit deadlines":           func(s *v1alpha1.TaskSetSpec) { s.Generator.Utilization.Deadlines = v1alpha1.DeadlinesImplicit },
		"a sweep":                      func(s *v1alpha1.TaskSetSpec) { s.Sweeps[0].Range.Step = 2 },
		"the order":                    func(s *v1alpha1.TaskSetSpec) { s.Order = v1alpha1.OrderTaskgen },
		"a draw":                       func(s *v1alpha1.TaskSetSpec) { s.Draws[0].Uniform.To = ptr(int64(4)) },
		"where":                        func(s *v1alpha1.TaskSetSpec) { s.Where[0] = "variant > 1" },
		"the sample":                   func(s *v1alpha1.TaskSetSpec) { s.Sample.Count = 8 },
		"repeat":                       func(s *v1alpha1.TaskSetSpec) { s.Repeat = 2 },
		"the seed":                     func(s *v1alpha1.TaskSetSpec) { s.Seed = ptr(int64(0)) },
		"no seed":                      func(s *v1alpha1.TaskSetSpec) { s.Seed = nil },
		"the default of numberOfJobs":  func(s *v1alpha1.TaskSetSpec) { s.Completion.JobsPerTask = 3 },
		"completion by time, likewise": func(s *v1alpha1.TaskSetSpec) { s.Completion.DurationMilliseconds = ptr(int32(3)) },
	}
	seen := map[string]string{variant.Hash(specOf(t, short)): "nothing"}
	for name, change := range changes {
		spec := specOf(t, short)
		change(spec)
		hash := variant.Hash(spec)
		if other, twice := seen[hash]; twice {
			t.Errorf("%s and %s make the same hash", name, other)
		}
		seen[hash] = name
	}
}

func TestWhatIsNoPartOfTheVariantsIsNoPartOfTheHash(t *testing.T) {
	spec := specOf(t, `tasks: [{name: hello, pkg: hey, numberOfJobs: 5}]`)
	before := variant.Hash(spec)
	spec.Completion.JobsPerTask = 3 // the only task says itself how many jobs it has
	spec.Retries.Limit = ptr(int32(9))
	spec.SuspendPolicy = v1alpha1.SuspendStop
	if after := variant.Hash(spec); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

// TestEveryFieldOfASpecIsInTheHashOrNot makes who adds a field think about it.
func TestEveryFieldOfASpecIsInTheHashOrNot(t *testing.T) {
	decides := map[string]bool{
		"Tasks": true, "Blocks": true, "Generator": true, "Sweeps": true, "Order": true, "Draws": true, "Where": true,
		"Sample": true, "Repeat": true, "Seed": true, "Completion": true,
		"Targets": false, "Parallelism": false, "Sharing": false, "ConnectionPolicy": false, "TargetReset": false,
		"AdmissionControl": false, "Retries": false, "TimeoutSeconds": false, "Suspend": false, "SuspendPolicy": false,
		"RetryFailed": false, "TTLSecondsAfterFinished": false, "Binaries": false, "Analysis": false,
	}
	fields := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[v1alpha1.TaskSetSpec]()) {
		fields[f.Name] = true
		if _, known := decides[f.Name]; !known {
			t.Errorf("does spec.%s decide the variants? If so, add it to Hash; in any case, to this list", f.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(decides)) {
		if !fields[name] {
			t.Errorf("spec.%s is gone", name)
		}
	}
}

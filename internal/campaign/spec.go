package campaign

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// FromSpec makes the plan of a campaign from the spec of a TaskSet, without targets and binaries. A spec
// that has no seed gets one made from the id. Errors name the field, the value and what to do.
func FromSpec(id, name string, spec *v1alpha1.TaskSetSpec) (Plan, error) {
	built, err := variant.Build(spec, variant.DefaultSeed(variant.SeedOf(id)))
	if err != nil {
		return Plan{}, err
	}
	count := built.Count()
	if !count.IsInt64() || count.Int64() == math.MaxInt64 {
		return Plan{}, fmt.Errorf("spec.sweeps make %s variants; a campaign can have at most %d: leave out values, or set spec.sample.count", count, int64(math.MaxInt64-1))
	}
	jobs := max(spec.Completion.JobsPerTask, 1)
	text, err := json.Marshal(spec)
	if err != nil {
		return Plan{}, fmt.Errorf("write the spec as JSON: %w", err)
	}
	seed, random := built.Seed()
	return Plan{
		ID: id, Name: name, Space: space{built}, Total: count.Uint64(), Spec: text,
		SpecHash: variant.Hash(spec), Seed: seed, Random: random,
		JobsPerTask: jobs, Retries: retries(spec), TimeLimit: timeLimit(spec, jobs), Parallelism: parallelism(spec),
		Suspended: spec.Suspend != nil && *spec.Suspend, Binaries: map[string]session.Binary{},
	}, nil
}

func retries(spec *v1alpha1.TaskSetSpec) int32 {
	if spec.Retries.Limit == nil {
		return 3
	}
	return *spec.Retries.Limit
}

func parallelism(spec *v1alpha1.TaskSetSpec) int {
	if spec.Parallelism == nil {
		return 0
	}
	return int(*spec.Parallelism)
}

func timeLimit(spec *v1alpha1.TaskSetSpec, jobs int32) func([]taskset.Task) time.Duration {
	if s := spec.TimeoutSeconds; s != nil {
		limit := time.Duration(*s) * time.Second
		return func([]taskset.Task) time.Duration { return limit }
	}
	return func(tasks []taskset.Task) time.Duration { return variant.TimeLimit(tasks, jobs) }
}

// space lends a variant.Space to the engine.
type space struct{ *variant.Space }

// Values implements Space.
func (s space) Values(n uint64) string {
	values := map[string]string{}
	for _, a := range s.Space.Values(n) {
		values[a.Task+"."+a.Attribute] = a.Value
	}
	out, err := json.Marshal(values)
	if err != nil { // strings only: cannot happen
		return "{}"
	}
	return string(out)
}

package campaign

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/schedulability"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// FromSpec makes the plan of a campaign from the spec of a TaskSet, without targets and binaries. A spec
// that has no seed gets one made from the id; one that never saw an API server gets the API's defaults.
// Errors name the field, the value and what to do.
func FromSpec(id, name string, spec *v1alpha1.TaskSetSpec) (Plan, error) {
	built, err := variant.Build(spec, variant.DefaultSeed(variant.SeedOf(id)))
	if err != nil {
		return Plan{}, err
	}
	count := built.Count()
	if !count.IsInt64() || count.Int64() == math.MaxInt64 {
		return Plan{}, fmt.Errorf("spec.sweeps make %s variants; a campaign can have at most %d: leave out values, or set spec.sample.count", count, int64(math.MaxInt64-1))
	}
	if err := checkTimes(spec); err != nil {
		return Plan{}, err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return Plan{}, fmt.Errorf("write the spec as JSON: %w", err)
	}
	seed, random := built.Seed()
	p := Plan{
		ID: id, Name: name, Space: space{built}, Total: count.Uint64(),
		Spec: text, SpecHash: variant.Hash(spec), Seed: seed, Random: random,
		JobsPerTask: max(spec.Completion.JobsPerTask, 1), TimeLimit: timeLimit(spec), Binaries: map[string]session.Binary{},
	}
	policies(&p, spec)
	p.Analysis, err = analysisOf(spec.Analysis)
	return p, err
}

// policies sets what may change while a campaign runs.
func policies(p *Plan, spec *v1alpha1.TaskSetSpec) {
	p.Retries = ptr.Deref(spec.Retries.Limit, 3)
	p.Retry = ptr.Deref(spec.RetryFailed, 0)
	p.Duration = milliseconds(spec.Completion.DurationMilliseconds)
	p.Priority, p.Weight = ptr.Deref(spec.Sharing.Priority, 0), max(spec.Sharing.Weight, 1)
	p.PerVariant = spec.ConnectionPolicy == v1alpha1.ConnectionPerVariant
	if spec.TargetReset != v1alpha1.ResetNone {
		p.Reset = Reset(spec.TargetReset)
	}
	if a := spec.AdmissionControl; a != nil {
		p.Admission = &taskset.Admission{
			Goal: string(a.Goal), QueryInterval: milliseconds(ptr.To(ptr.Deref(a.QueryIntervalMilliseconds, 1000))),
		}
	}
	p.Parallelism = int(ptr.Deref(spec.Parallelism, 0))
	p.Suspended = ptr.Deref(spec.Suspend, false)
	p.Stopped = p.Suspended && spec.SuspendPolicy == v1alpha1.SuspendStop
}

// analysisOf is the analysis that a spec wants; nil: none.
func analysisOf(spec *v1alpha1.AnalysisSpec) (*Analysis, error) {
	if spec == nil {
		return nil, nil
	}
	var tests []string
	for _, t := range spec.Tests {
		tests = append(tests, string(t))
	}
	check, err := schedulability.New(tests, int(spec.CPUs), string(spec.Policy))
	a := &Analysis{Check: check}
	if spec.OnFail != v1alpha1.AnalysisRecord {
		a.OnFail = OnFail(spec.OnFail)
	}
	return a, err
}

func milliseconds(n *int32) time.Duration { return time.Duration(ptr.Deref(n, 0)) * time.Millisecond }

// checkTimes refuses a time limit that no variant could keep.
func checkTimes(spec *v1alpha1.TaskSetSpec) error {
	duration := milliseconds(spec.Completion.DurationMilliseconds)
	if s := spec.TimeoutSeconds; s != nil && time.Duration(*s)*time.Second <= duration {
		return fmt.Errorf("spec.timeoutSeconds: %d s end every variant before spec.completion.durationMilliseconds: %d are over; leave the timeout out or raise it",
			*s, duration.Milliseconds())
	}
	return nil
}

// timeLimit is the limit of an attempt: the one of the spec, or one that is derived.
func timeLimit(spec *v1alpha1.TaskSetSpec) func([]taskset.Task) time.Duration {
	if s := spec.TimeoutSeconds; s != nil {
		limit := time.Duration(*s) * time.Second
		return func([]taskset.Task) time.Duration { return limit }
	}
	if duration := milliseconds(spec.Completion.DurationMilliseconds); duration > 0 {
		return func([]taskset.Task) time.Duration { return variant.BaseAllowance + duration }
	}
	jobs := max(spec.Completion.JobsPerTask, 1)
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

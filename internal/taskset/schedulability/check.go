package schedulability

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Policies that a target schedules by.
const (
	// Auto is EDF if a task of the variant has a deadline, else FP: what a taskloader does.
	Auto = "Auto"
	FP   = "FP" // fixed priorities, 0 the highest
	EDF  = "EDF"
)

// once is the period of tasks that are released once: longer than any response time that is looked for.
const once = int64(1) << 40

// Check is the tests that variants have to pass. It does not change and may be used by any number of goroutines.
type Check struct {
	tests  []analysis.Test // none: those that suit the policy
	cpus   int
	policy string
}

// New makes a Check of tests by name; without any, those are run that suit the policy and the number of processors.
// Zero values are one processor and Auto.
func New(tests []string, cpus int, policy string) (*Check, error) {
	c := &Check{cpus: cmp.Or(cpus, 1), policy: cmp.Or(policy, Auto)}
	if !slices.Contains([]string{Auto, FP, EDF}, c.policy) {
		return nil, fmt.Errorf("spec.analysis.policy: %q: use %s, %s or %s", policy, Auto, FP, EDF)
	}
	if c.cpus < 1 {
		return nil, fmt.Errorf("spec.analysis.cpus: %d: use at least 1", cpus)
	}
	for _, name := range tests {
		test, err := analysis.FindTest(name)
		if err != nil {
			return nil, fmt.Errorf("spec.analysis.tests: %w", err)
		}
		c.tests = append(c.tests, test)
	}
	return c, nil
}

// Answers of tests.
const (
	Yes  = "yes"
	No   = "no" // it may also be that a test that is not exact does not know
	None = "-"  // it says nothing about such variants
)

// Verdict is what tests say of a variant, and stands in its record as JSON.
type Verdict struct {
	Policy string `json:"policy"` // FP or EDF
	CPUs   int    `json:"cpus"`
	// Schedulable: at least one of the tests says yes. Certain: it is one about the policy.
	Schedulable bool              `json:"schedulable"`
	Certain     bool              `json:"certain"`
	Tests       map[string]string `json:"tests,omitempty"`
	// Bounds of response times by task, ms; those that hold under the policy.
	Bounds map[string]int64 `json:"boundsMilliseconds,omitempty"`
	// Problem is why no test can say anything.
	Problem string `json:"problem,omitempty"`
	// Disagreement is what was measured and cannot be; empty if all agrees.
	Disagreement string `json:"disagreement,omitempty"`
}

// Verdict runs the tests.
func (c *Check) Verdict(tasks []taskset.Task) Verdict {
	v := Verdict{Policy: c.policy, CPUs: c.cpus}
	if v.Policy == Auto {
		v.Policy = policyOf(tasks)
	}
	s, err := newSubject(tasks, v.Policy, c.cpus)
	if err != nil {
		v.Problem = err.Error()
		return v
	}
	v.Tests, v.Bounds = map[string]string{}, map[string]int64{}
	for _, test := range c.suited(v.Policy) {
		said := s.run(test)
		v.Tests[test.Name] = answer(said)
		v.Schedulable = v.Schedulable || said.Schedulable
		if s.concerns(test) {
			v.Certain = v.Certain || said.Schedulable
			if said.Schedulable || test.Exact {
				v.bound(s.names, said.Bounds)
			}
		}
	}
	return v
}

// bound keeps the smaller one of two bounds of a task; -1 is none.
func (v *Verdict) bound(names []string, bounds []int64) {
	for i, bound := range bounds {
		if known, there := v.Bounds[names[i]]; bound >= 0 && (!there || bound < known) {
			v.Bounds[names[i]] = bound
		}
	}
}

// suited are the tests that were asked for, or by default those with the best results for the policy.
func (c *Check) suited(policy string) []analysis.Test {
	if len(c.tests) > 0 {
		return c.tests
	}
	names := []string{"G-FP-RTA", "G-FP-Guan"}
	switch {
	case policy == FP && c.cpus == 1:
		names = []string{"RTA"}
	case policy == EDF && c.cpus == 1:
		names = []string{"QPA", "G-EDF-RTA"} // the latter for its bounds
	case policy == EDF:
		names = []string{"GFB", "BCLI", "G-EDF-RTA"}
	}
	var tests []analysis.Test
	for _, test := range analysis.Tests() {
		if slices.Contains(names, test.Name) {
			tests = append(tests, test)
		}
	}
	return tests
}

func answer(v analysis.Verdict) string {
	switch {
	case v.Schedulable:
		return Yes
	case v.Applies:
		return No
	}
	return None
}

func policyOf(tasks []taskset.Task) string {
	for i := range tasks {
		if tasks[i].Deadline > 0 {
			return EDF
		}
	}
	return FP
}

// Reason says why a variant is not accepted.
func (v *Verdict) Reason() string {
	if v.Problem != "" {
		return v.Problem
	}
	var said []string
	for _, name := range slices.Sorted(maps.Keys(v.Tests)) {
		said = append(said, name+": "+v.Tests[name])
	}
	cpus := ""
	if v.CPUs > 1 {
		cpus = fmt.Sprintf(" on %d processors", v.CPUs)
	}
	return fmt.Sprintf("no test says that all deadlines are met under %s%s (%s)", v.Policy, cpus, strings.Join(said, ", "))
}

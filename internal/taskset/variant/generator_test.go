package variant_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// generating is a generator of everything that there is, without sweeps.
const generating = `
generator:
  tasksBetween: {from: 2, to: 4}
  templates:
  - {set: {pkg: hey, quota: 2Mi, config: {keep: 7}}, draws: [{attribute: priority, uniform: {from: 1, to: 127}}]}
  - {set: {pkg: pi}, draws: [{attribute: priority, uniform: {from: 1, to: 127}}]}
  utilization:
    method: UUniFast
    totals: ["0.75"]
    periods: {distribution: LogUniform, betweenMilliseconds: {from: 10, to: 1000}}
    deadlines: Implicit
    loadAttribute: config.arg1
    loadPerMillisecond: 1000
sample: {count: 100}
seed: 42
completion: {jobsPerTask: 3}
`

func space(t testing.TB, text string) *variant.Space {
	t.Helper()
	s, err := variant.Build(specOf(t, text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return s
}

func TestGeneratedTasksAreComplete(t *testing.T) {
	got := at(t, space(t, "tasks: [{name: base, pkg: idle}]\n"+generating), 0)
	keep := taskset.ConfigNode{Name: "keep", Text: "7"}
	arg := func(text string) taskset.ConfigNode { return taskset.ConfigNode{Name: "arg1", Text: text} }
	want := []taskset.Task{
		{ID: 0, Name: "base", Pkg: "idle", Quota: 1 << 20, NumberOfJobs: 3},
		{ID: 1, Name: "generated-0", Pkg: "hey", Quota: 2 << 20, NumberOfJobs: 3, Priority: 97,
			Period: 99, ExecutionTime: 38, Deadline: 99, Config: taskset.Config{keep, arg("38000")}},
		{ID: 2, Name: "generated-1", Pkg: "pi", Quota: 1 << 20, NumberOfJobs: 3, Priority: 55,
			Period: 14, ExecutionTime: 3, Deadline: 14, Config: taskset.Config{arg("3000")}},
		{ID: 3, Name: "generated-2", Pkg: "hey", Quota: 2 << 20, NumberOfJobs: 3, Priority: 108,
			Period: 743, ExecutionTime: 123, Deadline: 743, Config: taskset.Config{keep, arg("123000")}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variant 0 (-want +got):\n%s", diff)
	}
}

// TestGeneratedTasksAreWhatAnybodyElseComputes compares with a program in Python that follows the
// documentation.
func TestGeneratedTasksAreWhatAnybodyElseComputes(t *testing.T) {
	want := [][]string{
		{"hey 99 38 97 38000", "pi 14 3 55 3000", "hey 743 123 108 123000"},
		{"hey 96 20 13 20000", "hey 24 1 16 1000", "hey 734 301 10 301000", "pi 63 8 12 8000"},
		{"hey 99 63 106 63000", "hey 11 1 67 1000"},
	}
	s := space(t, generating)
	for n := range want {
		var got []string
		for _, k := range at(t, s, uint64(n)) {
			got = append(got, fmt.Sprint(k.Pkg, " ", k.Period, " ", k.ExecutionTime, " ", k.Priority, " ", k.Config[len(k.Config)-1].Text))
		}
		if diff := cmp.Diff(want[n], got); diff != "" {
			t.Errorf("variant %d (-want +got):\n%s", n, diff)
		}
	}
}

// TestUtilizationIsTheSlowestSweep and the number of tasks is reported beside it.
func TestUtilizationIsTheSlowestSweep(t *testing.T) {
	for _, order := range []string{"Given", "Taskgen"} {
		s := space(t, `
tasks: [{name: generator, pkg: hey}]
sweeps: [{task: generator, attribute: priority, values: [1, 2]}]
generator:
  tasksBetween: {from: 3, to: 5}
  templates: [{set: {pkg: pi}}]
  utilization: {totals: ["0.5", "1", "1.25"], periods: {distribution: Discrete, valuesMilliseconds: [1000]}}
order: `+order)
		want := []string{"0.5 1", "0.5 2", "1 1", "1 2", "1.25 1", "1.25 2"}
		var got []string
		for n := range s.Count().Uint64() {
			values := s.Values(n)
			got = append(got, values[0].Value+" "+values[1].Value)
			if i, err := s.IndexOf(values); err != nil || i != n {
				t.Errorf("IndexOf(%v) = %d, %v; want %d", values, i, err, n)
			}
			tasks := at(t, s, n)
			last := values[2]
			if last.Task != "generator" || last.Attribute != "tasks" || last.Value != fmt.Sprint(len(tasks)-1) {
				t.Errorf("%v of %d tasks", last, len(tasks))
			}
			if sum := utilization(tasks); math.Abs(sum-[]float64{0.5, 1, 1.25}[n/2]) > 0.0005*float64(len(tasks)) {
				t.Errorf("variant %d: %g", n, sum)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order %s (-want +got):\n%s", order, diff)
		}
	}
}

func utilization(tasks []taskset.Task) float64 {
	sum := 0.0
	for _, k := range tasks {
		if k.Period > 0 {
			sum += float64(k.ExecutionTime) / float64(k.Period)
		}
	}
	return sum
}

// TestGeneratedSetsKeepTheirWord for any generator that Build takes.
func TestGeneratedSetsKeepTheirWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := rapid.IntRange(1, 30).Draw(t, "tasks")
		most := float64(rapid.IntRange(2, 10).Draw(t, "tenths")) / 10
		total := rapid.Float64Range(0.01, 1).Draw(t, "share") * float64(tasks) * most
		text := fmt.Sprintf(`
seed: %d
sample: {count: 3}
repeat: 2
generator:
  tasks: %d
  templates: [{set: {pkg: hey}}, {set: {pkg: pi}}]
  utilization:
    totals: ["%.6f"]
    maxPerTask: "%.1f"
    periods: {distribution: %s, betweenMilliseconds: {from: 100000, to: 2000000}}
`, rapid.Int64Range(0, 1<<53-1).Draw(t, "seed"), tasks, total, most, rapid.SampledFrom([]string{"Uniform", "LogUniform", "Harmonic"}).Draw(t, "periods"))
		s, err := variant.Build(specOf(t, text))
		if err != nil {
			if strings.Contains(err.Error(), "totals[0]: ") && total > 0.999*float64(tasks)*most {
				t.Skip("rounded up beyond the bound")
			}
			t.Fatalf("%v in\n%s", err, text)
		}
		first, again := at(t, s, 1), at(t, s, 4)
		if !cmp.Equal(first, again) {
			t.Fatalf("the second repetition differs:\n%s", cmp.Diff(first, again))
		}
		if len(first) != tasks || math.Abs(utilization(first)-total) > 1e-5*float64(tasks)+1e-6 {
			t.Fatalf("%d tasks of %g, want %d of %g", len(first), utilization(first), tasks, total)
		}
		for i, k := range first {
			if k.ID != i || k.Period < 100_000 || k.Period > 2_000_000 || float64(k.ExecutionTime) > most*float64(k.Period)+1 {
				t.Fatalf("task %+v", k)
			}
		}
	})
}

func TestOtherSeedsAndNumbersMakeOtherSets(t *testing.T) {
	one, other := space(t, generating), space(t, strings.Replace(generating, "seed: 42", "seed: 43", 1))
	if cmp.Equal(at(t, one, 0), at(t, one, 1)) || cmp.Equal(at(t, one, 0), at(t, other, 0)) {
		t.Error("they are the same")
	}
	if seed, random := one.Seed(); seed != 42 || !random {
		t.Errorf("seed %d, random %v", seed, random)
	}
}

// TestGeneratorWithoutUtilization draws only what its templates say.
func TestGeneratorWithoutUtilization(t *testing.T) {
	s := space(t, `
seed: 1
sample: {count: 1000}
generator:
  tasksBetween: {from: 1, to: 100}
  templates:
  - {set: {pkg: hey, criticalTimeMilliseconds: 5}, draws: [{attribute: periodMilliseconds, uniform: {from: 1, to: 20}}, {attribute: pkg, choice: [hey, pi]}]}
`)
	sizes, pkgs := map[int]bool{}, map[string]bool{}
	for n := range uint64(1000) {
		tasks := at(t, s, n)
		sizes[len(tasks)] = true
		for _, k := range tasks {
			pkgs[k.Pkg] = true
			if k.Period < 1 || k.Period > 20 || k.CriticalTime != 5 || k.Deadline != 0 || k.ExecutionTime != 0 {
				t.Fatalf("variant %d: %+v", n, k)
			}
		}
	}
	if len(sizes) != 100 || !cmp.Equal(pkgs, map[string]bool{"hey": true, "pi": true}) {
		t.Errorf("%d sizes, pkgs %v", len(sizes), pkgs)
	}
}

func TestWrongGeneratorsAreRefused(t *testing.T) {
	const periods = `periods: {distribution: Uniform, betweenMilliseconds: {from: 10, to: 20}}`
	generator := func(tasks int, utilization string) string {
		return fmt.Sprintf("generator: {tasks: %d, templates: [{set: {pkg: hey}}], utilization: {%s}}", tasks, utilization)
	}
	cases := map[string]struct{ spec, want string }{
		"no number":            {`generator: {templates: [{set: {pkg: hey}}]}`, "spec.generator: give either tasks or tasksBetween"},
		"two numbers":          {`generator: {tasks: 1, tasksBetween: {from: 1, to: 2}, templates: [{set: {pkg: hey}}]}`, "give either tasks or tasksBetween"},
		"half an interval":     {`generator: {tasksBetween: {from: 1}, templates: [{set: {pkg: hey}}]}`, "spec.generator.tasksBetween: give both from and to"},
		"no task":              {`generator: {tasks: 0, templates: [{set: {pkg: hey}}]}`, "spec.generator.tasks: 0 to 0 is out of range"},
		"backwards":            {`generator: {tasksBetween: {from: 3, to: 2}, templates: [{set: {pkg: hey}}]}`, "spec.generator.tasksBetween: 3 to 2 is out of range"},
		"too many":             {`generator: {tasks: 1001, templates: [{set: {pkg: hey}}]}`, "1001 is out of range; use 1 <= from <= to <= 1000"},
		"too many in all":      {"blocks: [{alternatives: [{set: {pkg: hey}, repeat: 9999}]}]\ngenerator: {tasks: 2, templates: [{set: {pkg: hey}}]}", "2 beside 9999 other tasks are more than the 10000"},
		"no template":          {`generator: {tasks: 1}`, "spec.generator.templates: there are none"},
		"no pkg":               {`generator: {tasks: 1, templates: [{set: {priority: 1}}]}`, "spec.generator.templates[0].set.pkg is missing"},
		"a wrong pkg":          {`generator: {tasks: 1, templates: [{set: {pkg: hey}}, {set: {pkg: "ä"}}]}`, "spec.generator.templates[1].set.pkg"},
		"a wrong attribute":    {`generator: {tasks: 1, templates: [{set: {pkg: hey, priority: 70000}}]}`, "spec.generator.templates[0].set.priority: 70000 is out of range"},
		"a wrong draw":         {`generator: {tasks: 1, templates: [{set: {pkg: hey}, draws: [{attribute: prio, uniform: {from: 1, to: 2}}]}]}`, `spec.generator.templates[0].draws[0].attribute: "prio" is no attribute`},
		"a draw through value": {`generator: {tasks: 1, templates: [{set: {pkg: hey, config: {a: 1}}, draws: [{attribute: config.a.b, uniform: {from: 1, to: 2}}]}]}`, `leads through "a"`},
		"a draw twice":         {`generator: {tasks: 1, templates: [{set: {pkg: hey}, draws: [{attribute: caps, uniform: {from: 1, to: 2}}, {attribute: caps, uniform: {from: 1, to: 2}}]}]}`, "vary each thing once"},
		"a name twice":         {"tasks: [{name: generated-3, pkg: hey}]\ngenerator: {tasks: 4, templates: [{set: {pkg: hey}}]}", `"generated-3" is the name of another task (number 0) and of a generated one`},
		"no total":             {generator(3, periods), "spec.generator.utilization.totals: there are none"},
		"a total of 0":         {generator(3, `totals: ["0"], `+periods), "spec.generator.utilization.totals[0]: 0 is out of range; 3 tasks of at most 1 each take more than 0 and at most 3"},
		"a total below 0":      {generator(3, `totals: ["1", "-1"], `+periods), "totals[1]: -1 is out of range"},
		"a total too large":    {generator(3, `totals: ["3.5"], `+periods), "totals[0]: 3.5 is out of range"},
		"with a bound":         {generator(3, `totals: ["0.5", "1", "1.6"], maxPerTask: "0.5", `+periods), "totals[2]: 1.6 is out of range; 3 tasks of at most 0.5 each take more than 0 and at most 1.5"},
		"one processor":        {generator(3, `method: UUniFast, totals: ["1.5"], `+periods), "totals[0]: 1.5: UUniFast is for one processor"},
		"a bound for UUniFast": {generator(3, `method: UUniFast, maxPerTask: "0.5", totals: ["1"], `+periods), "maxPerTask: 500m: UUniFast has no bound"},
		"discarded too often":  {generator(20, `method: UUniFastDiscard, totals: ["15"], `+periods), "totals[0]: 15: with 20 tasks of at most 1 each, UUniFastDiscard would keep one of"},
		"a bound of 2":         {generator(3, `maxPerTask: "2", totals: ["1"], `+periods), "maxPerTask: 2 is out of range; use more than 0 and at most 1"},
		"an unknown method":    {generator(3, `method: Magic, totals: ["1"], `+periods), `method: "Magic" is not known`},
		"unknown deadlines":    {generator(3, `deadlines: Explicit, totals: ["1"], `+periods), `deadlines: "Explicit" is not known; use None or Implicit`},
		"no period":            {generator(3, `totals: ["1"], periods: {distribution: Uniform}`), "periods.betweenMilliseconds: give both from and to"},
		"a period of 0":        {generator(3, `totals: ["1"], periods: {distribution: LogUniform, betweenMilliseconds: {from: 0, to: 5}}`), "periods.betweenMilliseconds.from: 0 is out of range; use 1 to 2147000"},
		"a period too long":    {generator(3, `totals: ["1"], periods: {distribution: LogUniform, betweenMilliseconds: {from: 1, to: 2147001}}`), "periods.betweenMilliseconds.to: 2147001 is out of range"},
		"periods backwards":    {generator(3, `totals: ["1"], periods: {distribution: Harmonic, betweenMilliseconds: {from: 9, to: 5}}`), "periods.betweenMilliseconds: 9 to 5 is no interval"},
		"unknown periods":      {generator(3, `totals: ["1"], periods: {distribution: Gauss, betweenMilliseconds: {from: 1, to: 5}}`), `periods.distribution: "Gauss" is not known`},
		"no listed period":     {generator(3, `totals: ["1"], periods: {distribution: Discrete}`), "periods.valuesMilliseconds: there are none"},
		"a wrong one":          {generator(3, `totals: ["1"], periods: {distribution: Discrete, valuesMilliseconds: [5, 0]}`), "periods.valuesMilliseconds[1]: 0 is out of range"},
		"a period set":         {`generator: {tasks: 1, templates: [{set: {pkg: hey, periodMilliseconds: 5}}], utilization: {totals: ["1"], ` + periods + `}}`, "spec.generator.templates[0].set.periodMilliseconds: spec.generator.utilization decides it; leave it out"},
		"a deadline drawn":     {`generator: {tasks: 1, templates: [{set: {pkg: hey}, draws: [{attribute: deadlineMilliseconds, uniform: {from: 1, to: 2}}]}], utilization: {deadlines: Implicit, totals: ["1"], ` + periods + `}}`, "spec.generator.utilization decides deadlineMilliseconds"},
		"a load drawn":         {`generator: {tasks: 1, templates: [{set: {pkg: hey}, draws: [{attribute: config.a, uniform: {from: 1, to: 2}}]}], utilization: {loadAttribute: config.a.b, totals: ["1"], ` + periods + `}}`, "spec.generator.utilization decides config.a"},
		"a load on a name":     {generator(1, `loadAttribute: pkg, totals: ["1"], `+periods), "loadAttribute: pkg is a name; use a number such as config.arg1"},
		"a load on the period": {generator(1, `loadAttribute: periodMilliseconds, totals: ["1"], `+periods), "loadAttribute: periodMilliseconds is set already"},
		"a load on nothing":    {generator(1, `loadAttribute: prio, totals: ["1"], `+periods), `loadAttribute: "prio" is no attribute`},
		"a load through value": {`generator: {tasks: 1, templates: [{set: {pkg: hey, config: {a: 1}}}], utilization: {loadAttribute: config.a.b, totals: ["1"], ` + periods + `}}`, `spec.generator.templates[0].set: loadAttribute: "config.a.b" leads through "a"`},
		"a load out of range":  {generator(1, `loadAttribute: priority, loadPerMillisecond: 10000, totals: ["1"], `+periods), "loadAttribute.to: 200000 is out of range; use 0 to 65535"},
		"a load of 0":          {generator(1, `loadPerMillisecond: 0, totals: ["1"], `+periods), "loadPerMillisecond: 0 is out of range"},
		"EDF beyond 1000": {"blocks: [{alternatives: [{set: {pkg: hey}, repeat: 500}]}]\n" +
			`generator: {tasksBetween: {from: 1, to: 1000}, templates: [{set: {pkg: hey}}], utilization: {deadlines: Implicit, totals: ["1"], ` + periods + `}}`, "deadlineMilliseconds"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := variant.Build(specOf(t, tc.spec)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v\nwant one that says %q", err, tc.want)
			}
		})
	}
}

// TestDiscardingSucceedsWhereItIsAllowed even at its limit.
func TestDiscardingSucceedsWhereItIsAllowed(t *testing.T) {
	s := space(t, `
seed: 3
sample: {count: 300}
generator:
  tasks: 8
  templates: [{set: {pkg: hey}}]
  utilization: {method: UUniFastDiscard, totals: ["4.8"], periods: {distribution: Uniform, betweenMilliseconds: {from: 1000, to: 2000}}}
`)
	for n := range uint64(300) {
		at(t, s, n)
	}
}

// FuzzGenerator: whatever the numbers, Build says what is wrong, or every variant can be made.
func FuzzGenerator(f *testing.F) {
	f.Add(int64(1), int64(3), "0.5", "1", "UUniFast", "Uniform", int64(10), int64(20), "config.a", int64(1))
	f.Add(int64(2), int64(1000), "2.5", "0.3", "UUniFastDiscard", "LogUniform", int64(1), int64(2147000), "", int64(7))
	f.Add(int64(5), int64(5), "1e3", "1n", "RandFixedSum", "Harmonic", int64(3), int64(3), "quota", int64(1000000000))
	f.Fuzz(func(t *testing.T, from, to int64, total, most, method, distribution string, shortest, longest int64, load string, perMS int64) {
		spec := specOf(t, generating)
		g := spec.Generator
		g.TasksBetween.From, g.TasksBetween.To = &from, &to
		u := g.Utilization
		sum, errSum := resource.ParseQuantity(total)
		bound, errBound := resource.ParseQuantity(most)
		if errSum != nil || errBound != nil {
			t.Skip()
		}
		u.Totals, u.MaxPerTask = []resource.Quantity{sum}, &bound
		u.Method, u.Periods.Distribution = v1alpha1.UtilizationMethod(method), v1alpha1.PeriodDistribution(distribution)
		u.Periods.BetweenMilliseconds.From, u.Periods.BetweenMilliseconds.To = &shortest, &longest
		u.LoadAttribute, u.LoadPerMillisecond = load, &perMS
		s, err := variant.Build(spec)
		if err != nil {
			if !strings.Contains(err.Error(), "generat") {
				t.Errorf("the error does not name the generator: %v", err)
			}
			return
		}
		for n := range uint64(3) {
			tasks := at(t, s, n)
			if int64(len(tasks)) < from || int64(len(tasks)) > to {
				t.Errorf("%d tasks", len(tasks))
			}
		}
	})
}

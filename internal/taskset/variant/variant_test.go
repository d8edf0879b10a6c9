package variant_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

func ptr[T any](v T) *T { return &v }

func js(values ...string) []apiextensionsv1.JSON {
	var out []apiextensionsv1.JSON
	for _, v := range values {
		out = append(out, apiextensionsv1.JSON{Raw: []byte(v)})
	}
	return out
}

func between(from, to, step int64) *v1alpha1.IntegerRange {
	return &v1alpha1.IntegerRange{From: ptr(from), To: ptr(to), Step: step}
}

// campaign has the tasks hello (plain) and load (with a config).
func campaign(sweeps ...v1alpha1.Sweep) *v1alpha1.TaskSetSpec {
	return &v1alpha1.TaskSetSpec{
		Tasks: []v1alpha1.Task{
			{Name: "hello", Pkg: "hey", Priority: 10, PeriodMilliseconds: 20},
			{Name: "load", Pkg: "pi", Quota: ptr(resource.MustParse("5Mi")), NumberOfJobs: ptr(int32(7)),
				Config: &apiextensionsv1.JSON{Raw: []byte(`{"arg1":100000,"deep":{"a":1,"b":2},"list":[1,2]}`)}},
		},
		Sweeps:     sweeps,
		Completion: v1alpha1.Completion{JobsPerTask: 3},
	}
}

func build(t *testing.T, sweeps ...v1alpha1.Sweep) *variant.Space {
	t.Helper()
	s, err := variant.Build(campaign(sweeps...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t rapid.TB, s *variant.Space, n uint64) []taskset.Task {
	t.Helper()
	tasks, err := s.At(n)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

func TestWithoutSweepsThereIsOneVariantWithTheDefaults(t *testing.T) {
	s := build(t)
	if got := s.Count().String(); got != "1" {
		t.Errorf("count %s, want 1", got)
	}
	want := []taskset.Task{
		{ID: 0, Name: "hello", Pkg: "hey", Quota: 1 << 20, Priority: 10, Period: 20, NumberOfJobs: 3},
		{ID: 1, Name: "load", Pkg: "pi", Quota: 5 << 20, NumberOfJobs: 7, Config: taskset.Config{
			{Name: "arg1", Text: "100000"},
			{Name: "deep", Children: taskset.Config{{Name: "a", Text: "1"}, {Name: "b", Text: "2"}}},
			{Name: "list", Text: "1"}, {Name: "list", Text: "2"},
		}},
	}
	if diff := cmp.Diff(want, at(t, s, 0)); diff != "" {
		t.Errorf("variant 0 (-want +got):\n%s", diff)
	}
	if _, err := s.At(1); err == nil || !strings.Contains(err.Error(), "variant 1: there are only 1") {
		t.Errorf("variant 1: %v", err)
	}
	if got := s.Values(1); got != nil {
		t.Errorf("values of variant 1: %v", got)
	}
}

func TestTheFirstSweepIsTheSlowest(t *testing.T) {
	s := build(t,
		v1alpha1.Sweep{Task: "hello", Attribute: "priority", Range: between(1, 127, 0)},
		v1alpha1.Sweep{Task: "load", Attribute: "config.arg1", Values: js("100000", "200000", "400000", "800000")},
	)
	if got := s.Count().String(); got != "508" {
		t.Errorf("count %s, want 508", got)
	}
	var got []string
	for _, n := range []uint64{0, 1, 3, 4, 507} {
		tasks := at(t, s, n)
		got = append(got, fmt.Sprint(tasks[0].Priority, " ", tasks[1].Config[0].Text, " ", s.Values(n)))
	}
	want := []string{
		"1 100000 [{hello priority 1} {load config.arg1 100000}]",
		"1 200000 [{hello priority 1} {load config.arg1 200000}]",
		"1 800000 [{hello priority 1} {load config.arg1 800000}]",
		"2 100000 [{hello priority 2} {load config.arg1 100000}]",
		"127 800000 [{hello priority 127} {load config.arg1 800000}]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variants (-want +got):\n%s", diff)
	}
}

func TestEveryAttributeCanVary(t *testing.T) {
	cases := map[string]struct {
		attribute, value string
		want             func(*taskset.Task)
		wantText         string
	}{
		"pkg":            {"pkg", `"idle"`, func(t *taskset.Task) { t.Pkg = "idle" }, "idle"},
		"quota as text":  {"quota", `"2Mi"`, func(t *taskset.Task) { t.Quota = 2 << 20 }, "2Mi"},
		"quota in bytes": {"quota", `4096`, func(t *taskset.Task) { t.Quota = 4096 }, "4096"},
		"priority":       {"priority", `5`, func(t *taskset.Task) { t.Priority = 5 }, "5"},
		"period":         {"periodMilliseconds", `5`, func(t *taskset.Task) { t.Period = 5 }, "5"},
		"critical time":  {"criticalTimeMilliseconds", `5`, func(t *taskset.Task) { t.CriticalTime = 5 }, "5"},
		"execution time": {"executionTimeMilliseconds", `5`, func(t *taskset.Task) { t.ExecutionTime = 5 }, "5"},
		"deadline":       {"deadlineMilliseconds", `5`, func(t *taskset.Task) { t.Deadline = 5 }, "5"},
		"offset":         {"offsetMilliseconds", `5`, func(t *taskset.Task) { t.Offset = 5 }, "5"},
		"number of jobs": {"numberOfJobs", `5`, func(t *taskset.Task) { t.NumberOfJobs = 5 }, "5"},
		"capabilities":   {"caps", `5`, func(t *taskset.Task) { t.Caps = 5 }, "5"},
		"cores":          {"cores", `5`, func(t *taskset.Task) { t.Cores = 5 }, "5"},
		"core offset":    {"coreOffset", `5`, func(t *taskset.Task) { t.CoreOffset = 5 }, "5"},
		"a config value": {"config.arg1", `"x"`, func(t *taskset.Task) { t.Config[0].Text = "x" }, "x"},
		"a config subtree": {"config.arg1", `{"y":1}`, func(t *taskset.Task) {
			t.Config[0] = taskset.ConfigNode{Name: "arg1", Children: taskset.Config{{Name: "y", Text: "1"}}}
		}, `{"y":1}`},
		"a deep value": {"config.deep.b", `3`, func(t *taskset.Task) { t.Config[1].Children[1].Text = "3" }, "3"},
		"a new deep value": {"config.new.node", `3`, func(t *taskset.Task) {
			t.Config = append(t.Config, taskset.ConfigNode{Name: "new", Children: taskset.Config{{Name: "node", Text: "3"}}})
		}, "3"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := build(t, v1alpha1.Sweep{Task: "load", Attribute: tc.attribute, Values: js(tc.value)})
			want := at(t, build(t), 0)
			tc.want(&want[1])
			if diff := cmp.Diff(want, at(t, s, 0)); diff != "" {
				t.Errorf("variant (-want +got):\n%s", diff)
			}
			if got := s.Values(0)[0].Value; got != tc.wantText {
				t.Errorf("value %q, want %q", got, tc.wantText)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	one := func(task, attribute string, values ...string) []v1alpha1.Sweep {
		return []v1alpha1.Sweep{{Task: task, Attribute: attribute, Values: js(values...)}}
	}
	span := func(attribute string, r *v1alpha1.IntegerRange) []v1alpha1.Sweep {
		return []v1alpha1.Sweep{{Task: "load", Attribute: attribute, Range: r}}
	}
	cases := map[string]struct {
		sweeps []v1alpha1.Sweep
		change func(*v1alpha1.TaskSetSpec)
		want   string
	}{
		"a task that is not there":       {sweeps: one("x", "priority", "1"), want: `spec.sweeps[0].task: "x"`},
		"an attribute that is not there": {sweeps: one("load", "colour", "1"), want: `spec.sweeps[0].attribute: "colour"`},
		"a text as a number":             {sweeps: one("load", "priority", "1", `"2"`), want: `spec.sweeps[0].values[1]: "2" is not a whole number`},
		"a fraction as a number":         {sweeps: one("load", "priority", "1.5"), want: `spec.sweeps[0].values[0]: 1.5 is not a whole number`},
		"null as a number":               {sweeps: one("load", "priority", "null"), want: `spec.sweeps[0].values[0]: null`},
		"a negative number":              {sweeps: one("load", "caps", "-1"), want: `spec.sweeps[0].values[0]: -1 is out of range; use 0 to 1000000`},
		"no quantity":                    {sweeps: one("load", "quota", `"lots"`), want: `spec.sweeps[0].values[0]: "lots" is not a quantity`},
		"too large a quota":              {sweeps: one("load", "quota", `"4Gi"`), want: `spec.sweeps[0].values[0]: 4Gi is out of range`},
		"a number as a pkg":              {sweeps: one("load", "pkg", `5`), want: `spec.sweeps[0].values[0]: 5 is not the name`},
		"a long pkg":                     {sweeps: one("load", "pkg", `"abcdefghijklmnop"`), want: `use 1 to 15 characters`},
		"an array as a config value":     {sweeps: one("load", "config.arg1", `[1]`), want: `spec.sweeps[0].values[0]: arg1: an array`},
		"a path through a value":         {sweeps: one("load", "config.arg1.x", `1`), want: `leads through "arg1"`},
		"a path to one of many":          {sweeps: one("load", "config.list", `1`), want: `2 elements "list"`},
		"a malformed path":               {sweeps: one("load", "config.", `1`), want: `"" cannot name an XML element`},
		"neither values nor range":       {sweeps: one("load", "caps"), want: `spec.sweeps[0]: give either values or range`},
		"both values and range":          {sweeps: []v1alpha1.Sweep{{Task: "load", Attribute: "caps", Values: js("1"), Range: between(1, 2, 1)}}, want: `give either`},
		"a range without an end":         {sweeps: span("caps", &v1alpha1.IntegerRange{From: ptr(int64(1))}), want: `spec.sweeps[0].range: give both`},
		"a range downwards":              {sweeps: span("caps", between(2, 1, 1)), want: `spec.sweeps[0].range: 2 to 1`},
		"a range of everything":          {sweeps: span("config.x", between(-1<<63, 1<<63-1, 1)), want: `2^64 values`},
		"a range that begins too low":    {sweeps: span("numberOfJobs", between(0, 2, 1)), want: `spec.sweeps[0].range.from: 0 is out of range; use 1 to`},
		"a range that ends too high":     {sweeps: span("priority", between(0, 65536, 1)), want: `spec.sweeps[0].range.to: 65536`},
		"a range of names":               {sweeps: span("pkg", between(0, 1, 1)), want: `pkg is a name`},
		"the same thing twice":           {sweeps: append(one("load", "caps", "1"), one("load", "caps", "2")...), want: `spec.sweeps[1].attribute: "caps" overlaps "caps" of spec.sweeps[0]`},
		"a thing and a part of it":       {sweeps: append(one("load", "config.deep", "1"), one("load", "config.deep.a", "2")...), want: `overlaps`},
		"no tasks":                       {change: func(s *v1alpha1.TaskSetSpec) { s.Tasks = nil }, want: `spec.tasks: there are none`},
		"two tasks of one name":          {change: func(s *v1alpha1.TaskSetSpec) { s.Tasks[1].Name = "hello" }, want: `spec.tasks[1].name: "hello"`},
		"a negative period":              {change: func(s *v1alpha1.TaskSetSpec) { s.Tasks[1].PeriodMilliseconds = -1 }, want: `spec.tasks[1].periodMilliseconds: -1`},
		"a config that is a list":        {change: func(s *v1alpha1.TaskSetSpec) { s.Tasks[1].Config.Raw = []byte("[]") }, want: `spec.tasks[1].config: must be an object`},
		"a quota of nothing":             {change: func(s *v1alpha1.TaskSetSpec) { s.Tasks[1].Quota = ptr(resource.MustParse("0")) }, want: `spec.tasks[1].quota: 0`},
		"an order that is not known":     {change: func(s *v1alpha1.TaskSetSpec) { s.Order = "Random" }, want: `spec.order: "Random"`},
		"a task without a binary":        {change: func(s *v1alpha1.TaskSetSpec) { s.Tasks[1].Pkg = "" }, want: `spec.tasks[1] (load).pkg: ""`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := campaign(tc.sweeps...)
			if tc.change != nil {
				tc.change(spec)
			}
			_, err := variant.Build(spec)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

func TestASpaceLargerThan64BitsIsAddressed(t *testing.T) {
	wide := between(0, 1<<62-1, 1)
	s := build(t,
		v1alpha1.Sweep{Task: "load", Attribute: "config.x", Range: wide},
		v1alpha1.Sweep{Task: "load", Attribute: "config.y", Range: wide},
	)
	if want := new(big.Int).Lsh(big.NewInt(1), 124); s.Count().Cmp(want) != 0 {
		t.Errorf("count %s, want 2^124", s.Count())
	}
	want := []variant.Assignment{{"load", "config.x", "3"}, {"load", "config.y", "4611686018427387903"}}
	if diff := cmp.Diff(want, s.Values(1<<64-1)); diff != "" {
		t.Errorf("last variant of 64 bits (-want +got):\n%s", diff)
	}
}

func TestVariantsDoNotShareWhatVaries(t *testing.T) {
	s := build(t, v1alpha1.Sweep{Task: "load", Attribute: "config.deep.a", Range: between(1, 2, 1)})
	first := at(t, s, 0)
	before := string(taskset.Description(first))
	at(t, s, 1)
	if diff := cmp.Diff(before, string(taskset.Description(first))); diff != "" {
		t.Errorf("variant 0 changed when variant 1 was made (-before +after):\n%s", diff)
	}
}

// TestNumbersAndValuesAreOneToOne: for any sweeps, Count is the product of their sizes, the values of
// variant n are the digits of n, and no two variants are the same.
func TestNumbersAndValuesAreOneToOne(t *testing.T) {
	attributes := []string{"priority", "criticalTimeMilliseconds", "config.arg1", "config.new.leaf", "quota"}
	rapid.Check(t, func(t *rapid.T) {
		var sweeps []v1alpha1.Sweep
		var sizes []int64
		product := int64(1)
		for _, attribute := range rapid.Permutation(attributes).Draw(t, "order")[:rapid.IntRange(0, 5).Draw(t, "sweeps")] {
			from := rapid.Int64Range(1, 50).Draw(t, "from")
			step := rapid.Int64Range(1, 9).Draw(t, "step")
			size := rapid.Int64Range(1, 5).Draw(t, "size")
			slack := rapid.Int64Range(0, step-1).Draw(t, "slack")
			sweep := v1alpha1.Sweep{Task: "load", Attribute: attribute, Range: between(from, from+(size-1)*step+slack, step)}
			if rapid.Bool().Draw(t, "listed") {
				for i := range size {
					sweep.Values = append(sweep.Values, js(fmt.Sprint(from+i*step))...)
				}
				sweep.Range = nil
			}
			sweeps, sizes, product = append(sweeps, sweep), append(sizes, size), product*size
		}
		s, err := variant.Build(campaign(sweeps...))
		if err != nil {
			t.Fatal(err)
		}
		if s.Count().Int64() != product {
			t.Fatalf("count %s, want %d", s.Count(), product)
		}
		seen := map[string]uint64{}
		for n := range uint64(product) {
			tasks, err := s.At(n)
			if err != nil {
				t.Fatal(err)
			}
			text := string(taskset.Description(tasks))
			if other, twice := seen[text]; twice {
				t.Fatalf("variants %d and %d are the same", other, n)
			}
			seen[text] = n
			number := int64(0)
			for i, v := range s.Values(n) {
				digit := int64(-1)
				for d := range sizes[i] {
					if v.Value == valueAt(sweeps[i], d) {
						digit = d
					}
				}
				number = number*sizes[i] + digit
			}
			if number != int64(n) {
				t.Fatalf("values %v of variant %d read as %d", s.Values(n), n, number)
			}
		}
		if _, err := s.At(uint64(product)); err == nil {
			t.Fatal("the variant after the last one exists")
		}
	})
}

func valueAt(s v1alpha1.Sweep, d int64) string {
	if s.Range == nil {
		return string(s.Values[d].Raw)
	}
	return fmt.Sprint(*s.Range.From + d*s.Range.Step)
}

func TestTimeLimit(t *testing.T) {
	cases := map[string]struct {
		tasks []taskset.Task
		jobs  int32
		want  time.Duration
	}{
		"a single job that nothing ends": {[]taskset.Task{{}}, 1, 210 * time.Second},
		"a critical time ends it":        {[]taskset.Task{{CriticalTime: 1000}}, 1, 33 * time.Second},
		"periods add up":                 {[]taskset.Task{{Period: 100, CriticalTime: 50}}, 10, 33 * time.Second},
		"the last job may overrun":       {[]taskset.Task{{Period: 100}}, 10, 123 * time.Second},
		"the longest task counts":        {[]taskset.Task{{CriticalTime: 1000}, {CriticalTime: 5000}}, 1, 45 * time.Second},
		"offsets add up":                 {[]taskset.Task{{CriticalTime: 1000, Offset: 2000}, {CriticalTime: 1000, Offset: 4000}}, 1, 42 * time.Second},
		"a task has its own job count":   {[]taskset.Task{{Period: 1000, CriticalTime: 1, NumberOfJobs: 2}}, 100, 36 * time.Second},
		"a week is the most":             {[]taskset.Task{{Period: taskset.MaxTime}}, 1_000_000, 7 * 24 * time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := variant.TimeLimit(tc.tasks, tc.jobs); got != tc.want {
				t.Errorf("TimeLimit = %s, want %s", got, tc.want)
			}
		})
	}
}

func BenchmarkAt(b *testing.B) {
	s, err := variant.Build(campaign(
		v1alpha1.Sweep{Task: "hello", Attribute: "priority", Range: between(0, 65535, 1)},
		v1alpha1.Sweep{Task: "load", Attribute: "config.deep.a", Range: between(0, 1<<40, 1)},
	))
	if err != nil {
		b.Fatal(err)
	}
	for n := uint64(0); b.Loop(); n += 1_000_003 {
		if _, err := s.At(n); err != nil {
			b.Fatal(err)
		}
	}
}

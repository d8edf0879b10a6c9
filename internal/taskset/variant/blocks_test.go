package variant_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// spec reads the spec of a TaskSet.
func spec(t testing.TB, text string) *v1alpha1.TaskSetSpec {
	t.Helper()
	var s v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return &s
}

func buildText(t testing.TB, text string, options ...variant.Option) *variant.Space {
	t.Helper()
	s, err := variant.Build(spec(t, text), options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// brief is a task as the tables of taskgen's documentation write it, with its arguments.
func brief(t taskset.Task) string {
	text := fmt.Sprintf("(%d,%s,%d,%d", t.ID, t.Pkg, t.Priority, t.Period)
	for _, n := range t.Config {
		text += "," + n.Name + n.Text
	}
	return text + ")"
}

// variants are all variants of a space, each on a line.
func variants(t testing.TB, s *variant.Space) []string {
	t.Helper()
	var all []string
	for n := range s.Count().Uint64() {
		tasks, err := s.At(n)
		if err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, task := range tasks {
			line = append(line, brief(task))
		}
		all = append(all, strings.Join(line, " "))
	}
	return all
}

func TestBlocksMakeTasks(t *testing.T) {
	cases := map[string]struct {
		spec string
		want []string
	}{
		"sweeps inside one task, in taskgen's order": {`
order: Taskgen
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{sweeps: [{attribute: priority, values: [1, 2]}]}]
- alternatives: [{sweeps: [{attribute: periodMilliseconds, values: [10, 20]}]}]`,
			[]string{"(0,hey,1,10)", "(0,hey,2,10)", "(0,hey,1,20)", "(0,hey,2,20)"}},
		"the same as given": {`
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{sweeps: [{attribute: priority, values: [1, 2]}]}]
- alternatives: [{sweeps: [{attribute: periodMilliseconds, values: [10, 20]}]}]`,
			[]string{"(0,hey,1,10)", "(0,hey,1,20)", "(0,hey,2,10)", "(0,hey,2,20)"}},
		"lists of blocks, the last one fastest": {`
blocks:
- alternatives: [{use: hey.HelloWorld}, {use: pi.Value, argument: 3}]
- alternatives: [{use: priority.Value, argument: 7}]
- alternatives: [{use: period.Value, argument: 0}, {use: period.Value, argument: 5}]`,
			[]string{"(0,hey,7,0) (1,hey,7,5) (2,pi,7,0,arg13) (3,pi,7,5,arg13)"}},
		"sweeps in two tasks, the last task fastest": {`
order: Taskgen
blocks:
- alternatives: [{use: hey.HelloWorld}, {use: hey.HelloWorld}]
- alternatives: [{sweeps: [{attribute: priority, values: [1, 2]}]}]
- alternatives: [{use: period.Value, argument: 0}]`,
			[]string{"(0,hey,1,0) (1,hey,1,0)", "(0,hey,1,0) (1,hey,2,0)", "(0,hey,2,0) (1,hey,1,0)", "(0,hey,2,0) (1,hey,2,0)"}},
		"a config and a pkg that vary": {`
order: Taskgen
blocks:
- alternatives:
  - set: {config: {a: 0, b: {c: 9}}}
    sweeps: [{attribute: pkg, values: [hey, pi]}, {attribute: config.a, values: [1, 2]}]`,
			[]string{"(0,hey,0,0,a1,b)", "(0,pi,0,0,a1,b)", "(0,hey,0,0,a2,b)", "(0,pi,0,0,a2,b)"}},
		"a later set replaces an earlier sweep": {`
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{use: priority.Variants}]
- alternatives: [{set: {priority: 5}}]`, []string{"(0,hey,5,0)"}},
		"a later sweep replaces an earlier draw": {`
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{use: priority.Random}]
- alternatives: [{sweeps: [{attribute: priority, values: [5, 6]}]}]`, []string{"(0,hey,5,0)", "(0,hey,6,0)"}},
		"a config is replaced with all that varies in it": {`
blocks:
- alternatives: [{use: pi.Variants, argument: 100}]
- alternatives: [{set: {config: {other: 1}}}]`, []string{"(0,pi,0,0,other1)"}},
		"parts of a block apply in the order use, set, sweeps": {`
blocks:
- alternatives: [{use: pi.Random, argument: 9, set: {config: {arg1: 1, arg2: 2}}, sweeps: [{attribute: config.arg2, values: [3, 4]}]}]`,
			[]string{"(0,pi,0,0,arg11,arg23)", "(0,pi,0,0,arg11,arg24)"}},
		"repetitions": {`
blocks:
- alternatives: [{use: hey.HelloWorld, repeat: 2}, {use: idle.Idle}]
- alternatives: [{}, {set: {periodMilliseconds: 3}}]`,
			[]string{"(0,hey,0,0) (1,hey,0,3) (2,hey,0,0) (3,hey,0,3) (4,idle,0,0) (5,idle,0,3)"}},
		"a list of the library makes as many tasks": {`
blocks:
- alternatives: [{use: binaries.Random, argument: 1, set: {priority: 9}}]`,
			[]string{"(0,hey,9,0) (1,cond_mod,9,0,arg11) (2,cond_42,9,0,arg11) (3,idle,9,0) (4,pi,9,0,arg11) (5,linpack,9,0,arg11) (6,tumatmul,9,0,arg11)"}},
		"after those of spec.tasks": {`
tasks: [{name: first, pkg: idle}]
blocks: [{alternatives: [{use: hey.HelloWorld}]}]`, []string{"(0,idle,0,0) (1,hey,0,0)"}},
		"sweeps of the spec are slower, and may name a task of blocks": {`
sweeps: [{task: hey-0, attribute: periodMilliseconds, values: [7, 8]}]
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{sweeps: [{attribute: priority, values: [1, 2]}]}]`,
			[]string{"(0,hey,1,7)", "(0,hey,2,7)", "(0,hey,1,8)", "(0,hey,2,8)"}},
		"sweeps of the spec are zipped across tasks of blocks": {`
sweeps:
- {task: hey-0, attribute: priority, values: [1, 2], zip: z}
- {task: pi-1, attribute: priority, values: [3, 4], zip: z}
blocks:
- alternatives: [{use: hey.HelloWorld}, {use: pi.Value, argument: 5}]`,
			[]string{"(0,hey,1,0) (1,pi,3,0,arg15)", "(0,hey,2,0) (1,pi,4,0,arg15)"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, variants(t, buildText(t, tc.spec))); diff != "" {
				t.Errorf("variants (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLaterBlocksKeepWhatTheyDoNotMention is taskgen's rule, and its row "hey then {pkg: idle}".
func TestLaterBlocksKeepWhatTheyDoNotMention(t *testing.T) {
	s := buildText(t, `
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{set: {pkg: idle, deadlineMilliseconds: 5, offsetMilliseconds: 6, caps: 7, cores: 8, coreOffset: 9, numberOfJobs: 10}}]
completion: {jobsPerTask: 3}`)
	want := []taskset.Task{{
		Name: "idle-0", Pkg: "idle", Quota: 1 << 20, CriticalTime: 1000, ExecutionTime: 1000, Deadline: 5, Offset: 6, Caps: 7, Cores: 8,
		CoreOffset: 9, NumberOfJobs: 10,
	}}
	if diff := cmp.Diff(want, at(t, s, 0)); diff != "" {
		t.Errorf("variant 0 (-want +got):\n%s", diff)
	}
}

func TestNamesOfTasksThatBlocksMake(t *testing.T) {
	s := buildText(t, `
tasks: [{name: own, pkg: hey}]
completion: {jobsPerTask: 3}
blocks:
- alternatives:
  - set: {pkg: Cond_42.exe}
  - {set: {pkg: hey}, draws: [{attribute: pkg, choice: [hey, pi]}]}
  - sweeps: [{attribute: pkg, values: [idle]}]`)
	var got []string
	for _, task := range at(t, s, 0) {
		got = append(got, fmt.Sprint(task.Name, " ", task.NumberOfJobs))
	}
	if diff := cmp.Diff([]string{"own 3", "cond-42-exe-1 3", "task-2 3", "task-3 3"}, got); diff != "" {
		t.Errorf("names and numbers of jobs (-want +got):\n%s", diff)
	}
}

func TestACampaignOfADurationRunsJobsToItsEnd(t *testing.T) {
	s := buildText(t, `
tasks: [{name: own, pkg: hey, numberOfJobs: 4}, {name: other, pkg: hey}]
blocks: [{alternatives: [{use: hey.HelloWorld}]}]
completion: {durationMilliseconds: 500, jobsPerTask: 1}`)
	var got []uint32
	for _, task := range at(t, s, 0) {
		got = append(got, task.NumberOfJobs)
	}
	if diff := cmp.Diff([]uint32{4, 1_000_000, 1_000_000}, got); diff != "" {
		t.Errorf("numbers of jobs (-want +got):\n%s", diff)
	}
}

func TestBuildRefusesBlocks(t *testing.T) {
	cases := map[string]struct{ spec, want string }{
		"a list without alternatives":    {`blocks: [{alternatives: []}]`, `spec.blocks[0].alternatives: there are none`},
		"nothing to run":                 {`blocks: [{alternatives: [{set: {priority: 1}}]}]`, `spec.blocks: no block of task 0 says what its pkg is`},
		"a block that is not there":      {`blocks: [{alternatives: [{use: hey.HelloWord}]}]`, `spec.blocks[0].alternatives[0].use: "hey.HelloWord" is no block of the library; did you mean hey.HelloWorld`},
		"an argument that is missing":    {`blocks: [{alternatives: [{use: pi.Value}]}]`, `spec.blocks[0].alternatives[0].argument: pi.Value needs one`},
		"an argument too many":           {`blocks: [{alternatives: [{use: hey.HelloWorld, argument: 3}]}]`, `argument: 3: hey.HelloWorld has none`},
		"an argument for nothing":        {`blocks: [{alternatives: [{set: {pkg: hey}, argument: 3}]}]`, `alternatives[0].argument: 3 is for no block`},
		"an argument out of range":       {`blocks: [{alternatives: [{use: priority.Value, argument: 65536}]}]`, `alternatives[0] (priority.Value)[0].set.priority: 65536 is out of range`},
		"no variants at all":             {`blocks: [{alternatives: [{use: pi.Variants, argument: 0}]}]`, `alternatives[0] (pi.Variants)[0].sweeps[0].range: 0 to -1`},
		"a sweep of nothing":             {`blocks: [{alternatives: [{use: hey.HelloWorld, sweeps: [{attribute: priority, values: []}]}]}]`, `alternatives[0].sweeps[0]: give either values or range`},
		"a sweep of no attribute":        {`blocks: [{alternatives: [{use: hey.HelloWorld, sweeps: [{attribute: colour, values: [1]}]}]}]`, `sweeps[0].attribute: "colour" is no attribute`},
		"the config as a whole":          {`blocks: [{alternatives: [{use: hey.HelloWorld, sweeps: [{attribute: config, values: [{}]}]}]}]`, `sweeps[0].attribute: "config" is no attribute`},
		"a draw of nothing":              {`blocks: [{alternatives: [{use: hey.HelloWorld, draws: [{attribute: priority}]}]}]`, `draws[0]: give exactly one of`},
		"a draw of a logarithm of 0":     {`blocks: [{alternatives: [{use: hey.HelloWorld, draws: [{attribute: caps, logUniform: {from: 0, to: 1}}]}]}]`, `draws[0].logUniform.from: 0`},
		"two sweeps of one thing":        {`blocks: [{alternatives: [{use: hey.HelloWorld, sweeps: [{attribute: config.a, values: [1]}, {attribute: config.a.b, values: [1]}]}]}]`, `sweeps[1].attribute: "config.a.b" overlaps "config.a" of spec.blocks[0].alternatives[0].sweeps[0]`},
		"two draws of one thing":         {`blocks: [{alternatives: [{use: hey.HelloWorld, draws: [{attribute: caps, choice: [1]}, {attribute: caps, choice: [1]}]}]}]`, `draws[1].attribute: "caps" overlaps`},
		"a path through a value":         {`blocks: [{alternatives: [{use: pi.Value, argument: 1, sweeps: [{attribute: config.arg1.x, values: [1]}]}]}]`, `sweeps[0].attribute: "config.arg1.x" leads through "arg1"`},
		"a bad value":                    {`blocks: [{alternatives: [{use: hey.HelloWorld}, {use: pi.Value, argument: 1, set: {quota: 5Gi}}]}]`, `spec.blocks[0].alternatives[1].set.quota: 5Gi`},
		"a bad pkg":                      {`blocks: [{alternatives: [{set: {pkg: a b}}]}]`, `set.pkg: "a b" is not the name of a binary`},
		"a config that is a list":        {`blocks: [{alternatives: [{set: {pkg: hey, config: []}}]}]`, `set.config: must be an object`},
		"no repetition":                  {`blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 0}]}]`, `alternatives[0].repeat: 0 is out of range; use 1 to 10000`},
		"a list repeated too often":      {`blocks: [{alternatives: [{use: binaries.Random, argument: 1, repeat: 1429}]}]`, `repeat: 1429 times 7 alternatives are 10003`},
		"alternatives too many":          {`blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 9999}, {use: hey.HelloWorld, repeat: 2}]}]`, `alternatives[1]: there are more than 10000`},
		"more tasks than there may be":   {`tasks: [{name: a, pkg: hey}]` + "\n" + `blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 10000}]}]`, `there would be 10000 tasks; a task-set has room for 9999 of spec.blocks`},
		"products that overflow":         {`blocks: [` + strings.Repeat(`{alternatives: [{use: hey.HelloWorld, repeat: 10000}]}, `, 8) + `]`, `there would be 100000000 tasks`},
		"a name that is taken":           {`tasks: [{name: hey-1, pkg: hey}]` + "\n" + `blocks: [{alternatives: [{use: hey.HelloWorld}]}]`, `spec.tasks[0].name: "hey-1" is the name of a task that spec.blocks make, too`},
		"a sweep of what a block varies": {`sweeps: [{task: hey-0, attribute: priority, values: [1]}]` + "\n" + `blocks: [{alternatives: [{use: hey.HelloWorld}]}, {alternatives: [{use: priority.Random}]}]`, `spec.sweeps[0].attribute: "priority" overlaps "priority" of spec.blocks[1].alternatives[0] (priority.Random)[0].draws[0]`},
		"a draw of what a block varies":  {`draws: [{task: hey-0, attribute: priority, choice: [1]}]` + "\n" + `blocks: [{alternatives: [{use: hey.HelloWorld}]}, {alternatives: [{use: priority.Variants}]}]`, `spec.draws[0].attribute: "priority" overlaps`},
		"a sweep of a task that is none": {`sweeps: [{task: hey-1, attribute: priority, values: [1]}]` + "\n" + `blocks: [{alternatives: [{use: hey.HelloWorld}]}]`, `spec.sweeps[0].task: "hey-1" is not the name of a task`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := variant.Build(spec(t, tc.spec)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

// TestDrawsOfBlocksAreAsDocumented: they count on after spec.draws, in the order of the tasks. The numbers
// are those of the same draws in spec.draws, which TestDrawsAreWhatAnybodyElseComputes checks.
func TestDrawsOfBlocksAreAsDocumented(t *testing.T) {
	byHand := buildText(t, `
tasks: [{name: a, pkg: hey}, {name: b, pkg: hey}, {name: c, pkg: hey}]
seed: 42
draws:
- {task: a, attribute: caps, uniform: {from: 1, to: 1000}}
- {task: b, attribute: priority, uniform: {from: 1, to: 127}}
- {task: c, attribute: priority, uniform: {from: 1, to: 127}}`)
	byBlocks := buildText(t, `
tasks: [{name: a, pkg: hey}]
seed: 42
draws: [{task: a, attribute: caps, uniform: {from: 1, to: 1000}}]
blocks:
- alternatives: [{set: {pkg: hey}, repeat: 2}]
- alternatives: [{use: priority.Random}]`)
	if diff := cmp.Diff(variants(t, byHand), variants(t, byBlocks)); diff != "" {
		t.Errorf("draws of blocks (-by hand +by blocks):\n%s", diff)
	}
	if _, random := byBlocks.Seed(); !random {
		t.Error("a draw of a block is not random")
	}
}

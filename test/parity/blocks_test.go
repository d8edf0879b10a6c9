package parity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// TestF21BlocksLaterWinsListsMakeTasksValuesMakeVariants runs the table of what taskgen did, in its order.
func TestF21BlocksLaterWinsListsMakeTasksValuesMakeVariants(t *testing.T) {
	cases := map[string]struct {
		spec string
		want []string // what the target got: id, pkg, priority, period, config of each task
	}{
		"values inside one task": {`
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{sweeps: [{attribute: priority, values: [1, 2]}]}]
- alternatives: [{sweeps: [{attribute: periodMilliseconds, values: [10, 20]}]}]
`, []string{"0 hey 1 10", "0 hey 2 10", "0 hey 1 20", "0 hey 2 20"}},
		"lists of blocks": {`
blocks:
- alternatives: [{use: hey.HelloWorld}, {use: pi.Value, argument: 3}]
- alternatives: [{use: priority.Value, argument: 7}]
- alternatives: [{use: period.Value, argument: 0}, {use: period.Value, argument: 5}]
`, []string{"0 hey 7 0, 1 hey 7 5, 2 pi 7 0, 3 pi 7 5"}},
		"values in two tasks": {`
blocks:
- alternatives: [{use: hey.HelloWorld}, {use: hey.HelloWorld}]
- alternatives: [{sweeps: [{attribute: priority, values: [1, 2]}]}]
- alternatives: [{use: period.Value, argument: 0}]
`, []string{"0 hey 1 0, 1 hey 1 0", "0 hey 1 0, 1 hey 2 0", "0 hey 2 0, 1 hey 1 0", "0 hey 2 0, 1 hey 2 0"}},
		"values of the pkg and inside the config": {`
blocks:
- alternatives:
  - set: {config: {a: 0, b: {c: 9}}}
    sweeps: [{attribute: pkg, values: [hey, pi]}, {attribute: config.a, values: [1, 2]}]
`, []string{"0 hey 0 0 a1 c9", "0 pi 0 0 a1 c9", "0 hey 0 0 a2 c9", "0 pi 0 0 a2 c9"}},
		"a later pkg": {`
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{set: {pkg: idle}}]
`, []string{"0 idle 0 0"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			succeeded(t, l.run(l.plan("order: Taskgen"+tc.spec)))
			var got []string
			for _, tasks := range starts(target) {
				got = append(got, render(tasks))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("variants (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := variant.Build(specOf(t, "blocks: [{alternatives: [{use: hey.HelloWorld, sweeps: [{attribute: priority, values: []}]}]}]")); err == nil ||
		!strings.Contains(err.Error(), "spec.blocks[0].alternatives[0].sweeps[0]") {
		t.Errorf("a list without values, which made no variant in taskgen: %v", err)
	}
}

// TestF22RandomBlocksWithSeed: the same seed makes the same descriptions on any target, and is on record.
func TestF22RandomBlocksWithSeed(t *testing.T) {
	const text = `
blocks:
- alternatives: [{use: binaries.Random, argument: 100}, {use: binaries.RandomList, argument: 100, repeat: 3}]
- alternatives: [{use: priority.Random}]
- alternatives: [{use: period.Random}]
sample: {count: 3}
seed: `
	described := func(seed string) ([]string, string) {
		target := fake(t, faketarget.Options{Generation: taskset.G1608b})
		l := newLab(t, target)
		spec := specOf(t, text+seed)
		p := l.plan(text + seed)
		named, err := campaign.FromSpec("c", "default/c", spec)
		if err != nil {
			t.Fatal(err)
		}
		p.Seed, p.Random, p.Spec, p.SpecHash = named.Seed, named.Random, named.Spec, named.SpecHash
		records := l.run(p)
		succeeded(t, records)
		if all, err := l.Store.Campaigns(t.Context()); err != nil || len(all) != 1 || fmt.Sprint(all[0].Seed) != seed {
			t.Errorf("campaigns on record: %v, %v; want one with the seed %s", all, err, seed)
		}
		var got []string
		for _, tasks := range starts(target) {
			got = append(got, render(tasks))
			if len(tasks) != 10 {
				t.Errorf("%d tasks, want 7 and 3", len(tasks))
			}
		}
		return got, records[0].Values
	}
	first, values := described("42")
	again, _ := described("42")
	other, _ := described("43")
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("two runs of one seed (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, other) || first[0] == first[1] {
		t.Errorf("other seeds or variants make the same tasks: %v", first)
	}
	for _, drawn := range []string{`"hey-0.priority":`, `"task-9.pkg":`, `"pi-4.config.arg1":`} {
		if !strings.Contains(values, drawn) {
			t.Errorf("%s is not on record: %s", drawn, values)
		}
	}
}

// TestB01TheBlockCond42NamesItsBinary: it named cond_mod, so that cond_42 could not be reached.
func TestB01TheBlockCond42NamesItsBinary(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(`
blocks: [{alternatives: [{use: cond_42.Value, argument: 3}, {use: cond_42.Break}, {use: cond_42.Random, argument: 5}, {use: cond_mod.Break}]}]`)))
	var got []string
	for _, task := range starts(target)[0] {
		got = append(got, task.Pkg)
	}
	if diff := cmp.Diff([]string{"cond_42", "cond_42", "cond_42", "cond_mod"}, got); diff != "" {
		t.Errorf("binaries (-want +got):\n%s", diff)
	}
}

// B2, P8: the key of the blocks of critical times was not the one that targets read.
func TestB02TheBlocksOfCriticalTimesHaveAnEffect(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan("blocks: [{alternatives: [{use: hey.HelloWorld}]}, {alternatives: [{use: critical.High}]}]")))
	var got []uint32
	for _, tasks := range starts(target) {
		got = append(got, tasks[0].CriticalTime)
	}
	if diff := cmp.Diff([]uint32{1, 2, 3, 4}, got); diff != "" {
		t.Errorf("critical times (-want +got):\n%s", diff)
	}
}

// TestT01TaskSetsDoNotShareTheirTasks: a second task-set contained the first one's tasks.
func TestT01TaskSetsDoNotShareTheirTasks(t *testing.T) {
	for _, name := range []string{"example.Hey8", "example.Hey0", "example.Hey8", "example.Hey3"} {
		s, err := variant.Build(specOf(t, specText(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		tasks, err := s.At(0)
		if err != nil {
			t.Fatal(err)
		}
		if want := int(shipped()[name][0]); len(tasks) != want || tasks[0].ID != 0 || tasks[want-1].ID != want-1 {
			t.Errorf("%s has %d tasks, the last one with id %d", name, len(tasks), tasks[len(tasks)-1].ID)
		}
	}
}

// T3, P6: a nested config was flattened, and tasks died for want of their argument.
func TestT03ANestedConfigArrivesNested(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(`
blocks:
- alternatives: [{use: pi.Variants, argument: 2}]
- alternatives: [{}, {set: {config: {net: {ip: 10.0.0.1}}}, sweeps: [{attribute: config.net.mask.bits, values: [8]}]}]`)))
	want := []string{"\n\t\t\t<arg1>1</arg1>\n\t\t",
		"\n\t\t\t<net>\n\t\t\t\t<ip>10.0.0.1</ip>\n\t\t\t\t<mask>\n\t\t\t\t\t<bits>8</bits>\n\t\t\t\t</mask>\n\t\t\t</net>\n\t\t"}
	all := starts(target)
	for i, task := range all[len(all)-1] {
		if diff := cmp.Diff(want[i], task.Elements["config"]); diff != "" {
			t.Errorf("config of task %d (-want +got):\n%s", i, diff)
		}
		for name := range task.Elements {
			if strings.Contains(name, ":") {
				t.Errorf("task %d has the element %s", i, name)
			}
		}
	}
}

// TestT04TheFirstVariantDoesNotWaitForTheOthers: a million variants of pi took 27 s and 802 MiB before the
// first one. Here it takes no more work than the first of ten.
func TestT04TheFirstVariantDoesNotWaitForTheOthers(t *testing.T) {
	work := func(name string) float64 {
		spec := specOf(t, specText(t, name))
		return testing.AllocsPerRun(20, func() {
			s, err := variant.Build(spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.At(0); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := work("nextgen.pi.Variants10"), work("nextgen.pi.Variants1m"); many > few+5 {
		t.Errorf("the first of ten variants takes %g allocations, that of a million %g", few, many)
	}
}

func TestF34ManyTasksInASet(t *testing.T) {
	for _, n := range []int{100, 1000, taskset.MaxTasks} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			records := l.run(l.plan(fmt.Sprintf(`
blocks:
- alternatives: [{use: hey.HelloWorld, repeat: %d}]
- alternatives: [{draws: [{attribute: priority, uniform: {from: 1, to: 127}}]}]
`, n)))
			succeeded(t, records)
			if len(records[0].Jobs) != n || target.Count("BINARY") != 1 {
				t.Errorf("%d jobs of %d tasks, %d binaries", len(records[0].Jobs), n, target.Count("BINARY"))
			}
			descriptions := starts(target)
			if len(descriptions) != 1 || len(descriptions[0]) != n {
				t.Fatalf("%d descriptions of %d tasks", len(descriptions), len(descriptions[0]))
			}
			for i, task := range descriptions[0] {
				if task.Elements["id"] != fmt.Sprint(i) || task.Pkg != "hey" || task.Priority < 1 || task.Priority > 127 {
					t.Fatalf("task %d arrived as %v", i, task.Elements)
				}
			}
		})
	}
}

// S15: of an id beyond 99 the target keeps three characters, so that names of tasks repeat from 1000 on.
func TestF34MoreTasksThanATargetCanTellApartAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ spec, want string }{
		"too many":  {"blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 101}]}, {alternatives: [{repeat: 100}]}]", "10100 tasks"},
		"EDF tasks": {"blocks: [{alternatives: [{use: hey.HelloWorld, set: {deadlineMilliseconds: 5}, repeat: 1001}]}]", "names that repeat from id 1000 on"},
		"admission control": {"blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 1001}]}]\nadmissionControl: {goal: Fairness}",
			"admissionControl: the target's names of tasks repeat"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := variant.Build(specOf(t, tc.spec)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

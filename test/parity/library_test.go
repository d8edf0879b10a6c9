package parity

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// shipped are the task-sets that taskgen came with: how many tasks and variants each has.
func shipped() map[string][2]int64 {
	all := map[string][2]int64{
		"example.Hey0": {1, 1}, "example.Hey1": {1, 1}, "example.Hey2": {1, 1}, "example.Hey3": {2, 1}, "example.Hey4": {4, 1},
		"example.Hey5": {1, 1}, "example.Hey6": {1, 127}, "example.Hey7": {2, 16_129}, "example.Hey8": {10, 1}, "example.Hey9": {10, 1},
		"test.Problem0": {1, 1}, "test.Problem1": {2, 1}, "test.Problem2": {2, 1}, "test.Problem3": {2, 1}, "test.Problem4": {1, 1},
		"test.Problem5": {1, 1}, "test.Problem6": {2, 1}, "test.Test0": {2, 1}, "test.Test1": {1, 1},
		"nextgen.benchmark.Benchmark": {10, 1},
		"nextgen.pi.Variants10":       {1, 10}, "nextgen.pi.Variants100": {1, 100}, "nextgen.pi.Variants1m": {1, 1_000_000},
		"nextgen.pi.ThreeVariants100": {3, 1_000_000},
		"nextgen.noperiod.Manual":     {2, 1}, "nextgen.noperiod.Hey": {1, 1}, "nextgen.noperiod.Hey10": {10, 1},
	}
	for i := range 10 { // the same numbers, other periods
		all[fmt.Sprint("nextgen.example.Hey", i)] = all[fmt.Sprint("example.Hey", i)]
	}
	for size, n := range map[string]int64{"1": 1, "10": 10, "100": 100, "1k": 1000, "10k": 10_000} {
		all["nextgen.all.Random"+size], all["nextgen.all.Repeatable"+size] = [2]int64{n, 1}, [2]int64{n, 1}
		if n <= 1000 {
			for _, name := range []string{"period.Low", "period.High", "priority.Low", "priority.High"} {
				all["nextgen."+name+size] = [2]int64{n, 1}
			}
		}
	}
	return all
}

// TestB03EveryShippedTaskSetCanBeRun: 20 of those in nextgen named what did not exist any more.
func TestB03EveryShippedTaskSetCanBeRun(t *testing.T) {
	want := shipped()
	got := map[string][2]int64{}
	for _, e := range library.TaskSets() {
		ts, err := library.TaskSet(e.Name)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		s, err := variant.Build(&ts.Spec)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		tasks, err := s.At(0)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		for _, generation := range []string{taskset.G1608a, taskset.G1608b} {
			if err := taskset.Check(tasks, generation); err != nil {
				t.Errorf("%s on generation %s: %v", e.Name, generation, err)
			}
		}
		if e.Name == "nextgen.all.RandomSize" { // any number
			if len(tasks) < 1 || len(tasks) > 100 || s.Count().Int64() != 1 {
				t.Errorf("%s has %d tasks and %s variants", e.Name, len(tasks), s.Count())
			}
			continue
		}
		got[e.Name] = [2]int64{int64(len(tasks)), s.Count().Int64()}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks and variants of the library's task-sets (-want +got):\n%s", diff)
	}
}

// TestEveryBlockMakesATask with the argument 7; what it says arrives in the task.
func TestEveryBlockMakesATask(t *testing.T) {
	want := map[string]struct {
		count int64
		first string // of seed 0: pkg quota priority period critical execution jobs config
	}{
		"hey.HelloWorld": {1, "hey 1M 0 0 1000 1000 1"}, "idle.Idle": {1, "idle 1M 0 0 0 0 1"},
		"pi.Value": {1, "pi 1M 0 0 0 0 1 arg1=7"}, "pi.Variants": {7, "pi 1M 0 0 0 0 1 arg1=0"},
		"linpack.Value": {1, "linpack 1M 0 0 0 0 1 arg1=7"}, "linpack.Variants": {7, "linpack 1M 0 0 0 0 1 arg1=0"},
		"tumatmul.Value": {1, "tumatmul 1M 0 0 0 0 1 arg1=7"}, "tumatmul.Variants": {7, "tumatmul 1M 0 0 0 0 1 arg1=0"},
		"cond_mod.Value": {1, "cond_mod 1M 0 0 0 0 1 arg1=7"}, "cond_mod.Variants": {7, "cond_mod 1M 0 0 0 0 1 arg1=0"},
		"cond_mod.Break": {1, "cond_mod 1M 0 0 0 0 1 arg1=2"},
		"cond_42.Value":  {1, "cond_42 1M 0 0 0 0 1 arg1=7"}, "cond_42.Variants": {7, "cond_42 1M 0 0 0 0 1 arg1=0"},
		"cond_42.Break": {1, "cond_42 1M 0 0 0 0 1 arg1=42"},
		"period.Value":  {1, "base 1M 0 7 0 0 1"}, "period.Custom": {1, "base 1M 0 7 0 0 1"}, "period.Variants": {20, "base 1M 0 0 0 0 1"},
		"priority.Value": {1, "base 1M 7 0 0 0 1"}, "priority.Custom": {1, "base 1M 7 0 0 0 1"}, "priority.Variants": {127, "base 1M 1 0 0 0 1"},
		"critical.Value": {1, "base 1M 0 0 7 0 1"}, "critical.High": {4, "base 1M 0 0 1 0 1"}, "critical.Medium": {5, "base 1M 0 0 5 0 1"},
		"critical.Low": {5, "base 1M 0 0 10 0 1"},
		"jobs.Value":   {1, "base 1M 0 0 0 0 7"}, "jobs.Custom": {1, "base 1M 0 0 0 0 7"}, "jobs.Variants": {19, "base 1M 0 0 0 0 1"},
		"gen_load_finite.GenLoadFinite": {1, "gen_load_finite 1M 0 0 0 0 1 arg1=126546 arg2=1"},
	}
	random := map[string]func(taskset.Task) (int64, [2]int64){} // what is drawn, and its bounds
	argument := func(from, to int64) func(taskset.Task) (int64, [2]int64) {
		return func(t taskset.Task) (int64, [2]int64) {
			var n int64
			if len(t.Config) == 1 {
				_, _ = fmt.Sscan(t.Config[0].Text, &n)
			}
			return n, [2]int64{from, to}
		}
	}
	for _, pkg := range []string{"pi", "linpack", "tumatmul", "cond_mod", "cond_42"} {
		random[pkg+".Random"] = argument(1, 7)
	}
	random["cond_mod.RandomBreak"], random["binaries.RandomList"] = argument(0, 200), argument(1, 7)
	bounds := func(value func(taskset.Task) uint32, from, to int64) func(taskset.Task) (int64, [2]int64) {
		return func(t taskset.Task) (int64, [2]int64) { return int64(value(t)), [2]int64{from, to} }
	}
	for module, value := range map[string]func(taskset.Task) uint32{
		"period": func(t taskset.Task) uint32 { return t.Period }, "priority": func(t taskset.Task) uint32 { return t.Priority },
		"jobs": func(t taskset.Task) uint32 { return t.NumberOfJobs },
	} {
		for name, between := range map[string][2]int64{
			"period.Random": {1, 20}, "period.HighRandom": {1, 5}, "period.MediumRandom": {5, 10}, "period.LowRandom": {10, 20},
			"priority.Random": {1, 127}, "priority.HighRandom": {1, 42}, "priority.MediumRandom": {42, 84}, "priority.LowRandom": {84, 127},
			"jobs.Random": {1, 20},
		} {
			if strings.HasPrefix(name, module+".") {
				random[name] = bounds(value, between[0], between[1])
			}
		}
	}
	for _, e := range library.Blocks() {
		if e.Name == "binaries.Random" {
			continue // seven tasks: see TestF22RandomBlocksWithSeed
		}
		t.Run(e.Name, func(t *testing.T) {
			use := v1alpha1.Block{Use: e.Name}
			if e.Argument != "" {
				seven := int64(7)
				use.Argument = &seven
			}
			spec := &v1alpha1.TaskSetSpec{Blocks: []v1alpha1.BlockList{
				{Alternatives: []v1alpha1.Block{{Set: &v1alpha1.TaskAttributes{Pkg: "base"}}}}, {Alternatives: []v1alpha1.Block{use}},
			}}
			if drawn := random[e.Name]; drawn != nil {
				checkDraws(t, spec, drawn)
				return
			}
			s, err := variant.Build(spec)
			if err != nil {
				t.Fatal(err)
			}
			tasks, err := s.At(0)
			if err != nil {
				t.Fatal(err)
			}
			if w := want[e.Name]; s.Count().Int64() != w.count || render1(tasks[0]) != w.first {
				t.Errorf("%s variants, the first one %q; want %d, %q", s.Count(), render1(tasks[0]), w.count, w.first)
			}
		})
	}
}

func render1(t taskset.Task) string {
	text := fmt.Sprint(t.Pkg, " ", taskset.QuotaText(t.Quota), " ", t.Priority, " ", t.Period, " ", t.CriticalTime, " ", t.ExecutionTime, " ", t.NumberOfJobs)
	for _, n := range t.Config {
		text += " " + n.Name + "=" + n.Text
	}
	return text
}

// checkDraws looks at 400 variants: what is drawn lies within its bounds, and comes near to both.
func checkDraws(t *testing.T, spec *v1alpha1.TaskSetSpec, drawn func(taskset.Task) (int64, [2]int64)) {
	t.Helper()
	spec.Sample = &v1alpha1.Sample{Count: 400}
	s, err := variant.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	least, most := int64(1<<62), int64(0)
	var between [2]int64
	for n := range s.Count().Uint64() {
		tasks, err := s.At(n)
		if err != nil {
			t.Fatal(err)
		}
		var value int64
		value, between = drawn(tasks[0])
		least, most = min(least, value), max(most, value)
	}
	if slack := (between[1] - between[0]) / 20; least < between[0] || most > between[1] || least > between[0]+slack || most < between[1]-slack {
		t.Errorf("drawn from %d to %d, want %v", least, most, between)
	}
}

// TestF37ListingOfWhatCanBeRun: a broken file is listed with its error, and all others as ever.
func TestF37ListingOfWhatCanBeRun(t *testing.T) {
	for _, e := range library.TaskSets() {
		if e.Err != nil || e.Description == "" || strings.Contains(e.Description, "\n") {
			t.Errorf("%s: %q, %v", e.Name, e.Description, e.Err)
		}
	}
	good := &fstest.MapFile{Data: []byte("metadata: {annotations: {genode-operator.io/description: good}}\nspec: {tasks: [{name: a, pkg: hey}]}")}
	l := library.New(fstest.MapFS{
		"tasksets/my/Good.yaml": good, "tasksets/my/Broken.yaml": {Data: []byte("spec: [")}, "blocks/broken.yaml": {Data: []byte("- ")},
		"blocks/fine.yaml": {Data: []byte("Fine: {description: fine, alternatives: [{set: {pkg: hey}}]}")},
	})
	var got []string
	for _, e := range append(l.TaskSets(), l.Blocks()...) {
		got = append(got, fmt.Sprint(e.Name, " ", e.Description, " ", e.Err != nil))
	}
	if diff := cmp.Diff([]string{"my.Broken  true", "my.Good good false", "broken  true", "fine.Fine fine false"}, got); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
}

// TestALibraryCampaignRuns as "genodectl run -t example.Hey6TaskSet" does it.
func TestALibraryCampaignRuns(t *testing.T) {
	for name, variants := range map[string]int{"example.Hey6TaskSet": 127, "example.Hey4": 1, "nextgen.all.Random10": 1} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, fake(t, faketarget.Options{}))
			records := l.run(l.plan(specText(t, name)))
			succeeded(t, records)
			if len(records) != variants {
				t.Errorf("%d records, want %d", len(records), variants)
			}
		})
	}
}

// specText is the spec of a task-set of the library.
func specText(t *testing.T, name string) string {
	t.Helper()
	ts, err := library.TaskSet(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(ts.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

package variant_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// anyBlocks draws lists of blocks with few alternatives and values, so that all variants can be looked at.
func anyBlocks(t *rapid.T) []v1alpha1.BlockList {
	lists := []v1alpha1.BlockList{{Alternatives: []v1alpha1.Block{{Set: &v1alpha1.TaskAttributes{Pkg: "hey"}}}}}
	attribute := rapid.SampledFrom([]string{"priority", "caps", "config.a", "config.b.c", "quota"})
	for range rapid.IntRange(1, 3).Draw(t, "lists") {
		var list v1alpha1.BlockList
		for range rapid.IntRange(1, 2).Draw(t, "alternatives") {
			var b v1alpha1.Block
			name, size := attribute.Draw(t, "attribute"), rapid.Int64Range(1, 3).Draw(t, "size")
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				b.Sweeps = []v1alpha1.AttributeSweep{{Attribute: name, Range: between(10, 9+size, 1)}}
			case 1:
				b.Sweeps = []v1alpha1.AttributeSweep{{Attribute: name, Values: js("77", "66", "55")[:size]}}
			case 2:
				b.Draws = []v1alpha1.AttributeDraw{{Attribute: name, Uniform: interval(10, 9+size)}}
			case 3:
				b.Set = &v1alpha1.TaskAttributes{Priority: ptr(int32(size))}
			case 4:
				b.Set = &v1alpha1.TaskAttributes{Config: &js(`{"a":1,"z":2}`)[0]}
			}
			list.Alternatives = append(list.Alternatives, b)
		}
		lists = append(lists, list)
	}
	return lists
}

// TestBlocksHaveOneNumberForEachVariant: for any blocks, the number of tasks is the product of the lists,
// and numbers and values of variants are one to one.
func TestBlocksHaveOneNumberForEachVariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := &v1alpha1.TaskSetSpec{Blocks: anyBlocks(t), Seed: ptr(int64(1))}
		spec.Order = rapid.SampledFrom([]v1alpha1.Order{v1alpha1.OrderGiven, v1alpha1.OrderTaskgen}).Draw(t, "order")
		s, err := variant.Build(spec)
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		for _, list := range spec.Blocks {
			want *= len(list.Alternatives)
		}
		count := s.Count()
		look := uint64(500)
		if count.IsUint64() {
			look = min(look, count.Uint64())
		}
		for n := range look {
			tasks, err := s.At(n)
			if err != nil || len(tasks) != want {
				t.Fatalf("variant %d has %d tasks, want %d: %v", n, len(tasks), want, err)
			}
			for i, task := range tasks {
				if task.ID != i || task.Name != fmt.Sprint("hey-", i) {
					t.Fatalf("task %d has id %d and the name %s", i, task.ID, task.Name)
				}
			}
			if got, err := s.IndexOf(s.Values(n)); err != nil || got != n {
				t.Fatalf("index of the values of variant %d: %d, %v", n, got, err)
			}
		}
	})
}

// TestTheLastBlockWins: whatever was said about an attribute before, a last block that sets it decides.
func TestTheLastBlockWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := v1alpha1.Block{Set: &v1alpha1.TaskAttributes{
			Priority: ptr(int32(99)), Caps: ptr(int32(98)), Config: &js(`{"last":97}`)[0],
		}}
		spec := &v1alpha1.TaskSetSpec{Blocks: append(anyBlocks(t), v1alpha1.BlockList{Alternatives: []v1alpha1.Block{last}})}
		s, err := variant.Build(spec)
		if err != nil {
			t.Fatal(err)
		}
		tasks, err := s.At(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			if task.Priority != 99 || task.Caps != 98 || len(task.Config) != 1 || task.Config[0].Name != "last" {
				t.Fatalf("task %+v", task)
			}
		}
		for _, v := range s.Values(0) {
			if v.Attribute != "quota" {
				t.Fatalf("%s still varies", v.Attribute)
			}
		}
	})
}

// TestASpecIsNotShared: neither later changes of the spec nor another campaign of the same list reach a space.
func TestASpecIsNotShared(t *testing.T) {
	const text = `blocks: [{alternatives: [{use: hey.HelloWorld, set: {priority: 3, config: {a: 1}}}]}]`
	original := spec(t, text)
	first, err := variant.Build(original)
	if err != nil {
		t.Fatal(err)
	}
	before := string(taskset.Description(at(t, first, 0)))
	*original.Blocks[0].Alternatives[0].Set.Priority = 5
	copy(original.Blocks[0].Alternatives[0].Set.Config.Raw, `{"b":2}`)
	original.Blocks[0].Alternatives = append(original.Blocks[0].Alternatives, v1alpha1.Block{Use: "idle.Idle"})
	second := buildText(t, text)
	for name, s := range map[string]*variant.Space{"the first": first, "the second": second} {
		if got := string(taskset.Description(at(t, s, 0))); got != before {
			t.Errorf("%s campaign runs %s\nwant %s", name, got, before)
		}
	}
}

// TestTheFirstVariantCostsTheSameHoweverManyThereAre counts the work, not the time: memory that is asked for.
func TestTheFirstVariantCostsTheSameHoweverManyThereAre(t *testing.T) {
	cost := func(variants int) float64 {
		s := spec(t, fmt.Sprintf(`blocks: [{alternatives: [{use: pi.Variants, argument: %d}]}]`, variants))
		return testing.AllocsPerRun(20, func() {
			space, err := variant.Build(s)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := space.At(0); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := cost(10), cost(1_000_000_000); many > few+5 {
		t.Errorf("the first of 10 variants takes %g allocations, that of 10^9 %g", few, many)
	}
}

// TestTenThousandTasksThatVaryAreAddressed: 127 to the power of 10,000 variants, drawn ones beside them.
func TestTenThousandTasksThatVaryAreAddressed(t *testing.T) {
	s := buildText(t, `
seed: 1
sample: {count: 1000}
blocks:
- alternatives: [{use: binaries.RandomList, argument: 100, repeat: 10000}]
- alternatives: [{use: priority.Variants}]`)
	if got := s.Count().String(); got != "1000" {
		t.Fatalf("count %s", got)
	}
	first, last := at(t, s, 0), at(t, s, 999)
	if len(first) != 10_000 || brief(first[5000]) == brief(last[5000]) && brief(first[5001]) == brief(last[5001]) {
		t.Errorf("%d tasks; task 5000 is %s and %s", len(first), brief(first[5000]), brief(last[5000]))
	}
	if n, err := s.IndexOf(s.Values(999)); err != nil || n != 999 {
		t.Errorf("index of the values of variant 999: %d, %v", n, err)
	}
}

// FuzzBuild: whatever the blocks are, Build answers, and what it accepts passes the checks.
func FuzzBuild(f *testing.F) {
	for _, seed := range []string{
		`blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 3}]}, {alternatives: [{}, {use: priority.Random}]}]`,
		`blocks: [{alternatives: [{use: binaries.Random, argument: -9223372036854775808}]}]`,
		`blocks: [{alternatives: [{set: {pkg: a, config: {a: {b: [1, 2]}}}, sweeps: [{attribute: config.a.b, values: [1]}]}]}]`,
		`blocks: [{alternatives: [{set: {pkg: a}, sweeps: [{attribute: config.x, range: {from: -9223372036854775808, to: 9223372036854775807, step: 2}}]}]}]`,
		`blocks: [{alternatives: [{set: {pkg: a}, draws: [{attribute: config.x, logUniform: {from: 1, to: 9223372036854775807}}]}]}]`,
		`blocks: [{alternatives: [{use: pi.Variants, argument: 9223372036854775807}]}]` + "\n" + `sample: {count: 3}`,
		`blocks: [{}]`, `blocks: [{alternatives: [{set: {}, repeat: 2000000000}]}]`,
	} {
		text, err := yaml.YAMLToJSON([]byte(seed))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var spec v1alpha1.TaskSetSpec
		if json.Unmarshal(text, &spec) != nil {
			return
		}
		s, err := variant.Build(&spec)
		if err != nil {
			return
		}
		tasks, err := s.At(0)
		if err != nil {
			t.Fatalf("variant 0 of an accepted spec: %v", err)
		}
		if err := taskset.Check(tasks, taskset.Auto); err != nil {
			t.Fatalf("an accepted spec fails the check: %v", err)
		}
		s.Values(0)
	})
}

package parity

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// build makes the space of a spec.
func build(t *testing.T, text string) *variant.Space {
	t.Helper()
	s, err := variant.Build(specOf(t, text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return s
}

// TestF19WhatIsRecordedWasSent: the variant of a record, its values and what the target got are the same
// thing, whatever made the variants.
func TestF19WhatIsRecordedWasSent(t *testing.T) {
	for name, text := range map[string]string{
		"in order":         hey6,
		"a sample":         hey6 + "sample: {count: 20}\nseed: 3\n",
		"zipped, repeated": two + "sweeps: [{task: hello, attribute: priority, values: [1, 2, 3], zip: z}, {task: load, attribute: priority, values: [7, 8, 9], zip: z}]\nrepeat: 2\n",
		"taskgen's order":  two + "order: Taskgen\nsweeps: [{task: load, attribute: priority, values: [1, 2]}, {task: hello, attribute: priority, values: [3, 4]}]\n",
		"drawn":            two + "draws: [{task: load, attribute: priority, uniform: {from: 1, to: 127}}]\nsample: {count: 10}\nseed: 8\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			s := build(t, text)
			records := l.run(l.plan(text))
			succeeded(t, records)
			for i, sent := range starts(target) { // one target: in the order of the numbers
				want, err := s.At(uint64(i))
				if err != nil {
					t.Fatal(err)
				}
				for k, task := range sent {
					if task.Priority != want[k].Priority || task.Pkg != want[k].Pkg {
						t.Errorf("variant %d: sent %+v, want %+v", i, task, want[k])
					}
				}
				for _, v := range s.Values(uint64(i)) {
					if text := fmt.Sprintf("%q:%q", v.Task+"."+v.Attribute, v.Value); !strings.Contains(records[i].Values, text) {
						t.Errorf("variant %d: %s is not on record: %s", i, text, records[i].Values)
					}
				}
			}
		})
	}
}

// TestF19WhereLeavesOutVariants: what it leaves out is never sent, and the campaign ends all the same.
func TestF19WhereLeavesOutVariants(t *testing.T) {
	for where, want := range map[string]string{
		"tasks.hello.priority % 2 == 0": "2 4",
		"false":                         "",
		"variant > 0":                   "2 3 4",
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			l.Engine.Apply(l.plan(four + fmt.Sprintf("where: [%q]\n", where)))
			s := l.await("completion", complete)
			var got []string
			for _, tasks := range starts(target) {
				got = append(got, fmt.Sprint(tasks[0].Priority))
			}
			if strings.Join(got, " ") != want || s.Skipped != uint64(4-len(got)) || s.Total != 4 {
				t.Errorf("sent %v, %d of %d skipped; want %q", got, s.Skipped, s.Total, want)
			}
		})
	}
}

// TestF20AnyVariantAtOnce: no variant costs more because there are many. Work is counted as allocations,
// so that the answer does not depend on the machine.
func TestF20AnyVariantAtOnce(t *testing.T) {
	axes := func(to int64) string {
		text := "tasks: [{name: a, pkg: hey, config: {x: 0, y: 0, z: 0}}]\nsweeps:\n"
		for _, axis := range []string{"x", "y", "z"} {
			text += fmt.Sprintf("- {task: a, attribute: config.%s, range: {from: 1, to: %d}}\n", axis, to)
		}
		return text
	}
	work := func(s *variant.Space, n uint64) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, err := s.At(n); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := build(t, axes(2)), build(t, axes(1000))
	if many.Count().String() != "1000000000" {
		t.Fatalf("%s variants", many.Count())
	}
	few8 := work(few, 7)
	for _, n := range []uint64{0, 7, 123_456_789, 999_999_999} {
		if got := work(many, n); got > few8+6 { // 3 longer texts and larger numbers
			t.Errorf("variant %d: %g allocations of 10^9, %g of 8", n, got, few8)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := r.Uint64N(1_000_000_000)
		if i, err := many.IndexOf(many.Values(n)); err != nil || i != n {
			t.Fatalf("IndexOf(Values(%d)) = %d, %v", n, i, err)
		}
	}
}

// TestF20ASampleOfASpaceWithoutEnd: 50 of 2^130 variants, without a list, none twice.
func TestF20ASampleOfASpaceWithoutEnd(t *testing.T) {
	text := "tasks: [{name: a, pkg: hey, config: {}}]\nsample: {count: 50}\nseed: 4\nsweeps:\n"
	for i := range 13 { // 1024^13
		text += fmt.Sprintf("- {task: a, attribute: config.x%d, range: {from: 0, to: 1023}}\n", i)
	}
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	records := l.run(l.plan(text))
	succeeded(t, records)
	seen := map[string]bool{}
	for _, r := range records {
		seen[r.Values] = true
	}
	if len(seen) != 50 || len(starts(target)) != 50 {
		t.Errorf("%d different variants, %d sent", len(seen), len(starts(target)))
	}
	s := build(t, text)
	if i, err := s.IndexOf(s.Values(31)); err != nil || i != 31 {
		t.Errorf("IndexOf(Values(31)) = %d, %v", i, err)
	}
}

// TestF20EndlessStreams: what taskgen's endless generators of tasks were for. The first variants of 10^12
// come at once.
func TestF20EndlessStreams(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	p := l.plan(`
generator:
  tasksBetween: {from: 1, to: 5}
  templates: [{set: {pkg: hey}, draws: [{attribute: priority, uniform: {from: 1, to: 127}}]}]
sample: {count: 1000000000000}
`)
	l.Engine.Apply(p)
	l.await("a first hundred variants", func(s campaign.Snapshot) bool { return s.Finished >= 100 })
	l.Engine.Forget("c")
}

// TestF22GeneratedSetsWithSeed: the same seed makes the same task-sets on the wire, and it is on record.
func TestF22GeneratedSetsWithSeed(t *testing.T) {
	const text = `
generator:
  tasksBetween: {from: 2, to: 6}
  templates:
  - {set: {pkg: pi}, draws: [{attribute: priority, uniform: {from: 1, to: 127}}]}
  - {set: {pkg: hey}}
  utilization:
    totals: ["0.3", "0.9"]
    periods: {distribution: LogUniform, betweenMilliseconds: {from: 5, to: 50}}
    loadAttribute: config.a
sample: {count: 6}
seed: `
	described := func(seed string) []string {
		target := fake(t, faketarget.Options{Generation: taskset.G1608b})
		l := newLab(t, target)
		records := l.run(l.plan(text + seed))
		succeeded(t, records)
		for _, r := range records {
			if !strings.Contains(r.Values, `"generator.utilization":"0.`) || !strings.Contains(r.Values, `"generator.tasks":"`) {
				t.Errorf("on record: %s", r.Values)
			}
		}
		if all, err := l.Store.Campaigns(t.Context()); err != nil || len(all) != 1 || fmt.Sprint(all[0].Seed) != seed {
			t.Errorf("campaigns on record: %v, %v; want one with the seed %s", all, err, seed)
		}
		var got []string
		for _, tasks := range starts(target) {
			got = append(got, render(tasks))
		}
		return got
	}
	first := described("42")
	if diff := cmp.Diff(first, described("42")); diff != "" {
		t.Errorf("two runs of one seed (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, described("43")) || first[0] == first[1] {
		t.Errorf("other seeds or variants make the same tasks: %v", first)
	}
}

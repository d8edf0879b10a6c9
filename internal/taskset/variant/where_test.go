package variant_test

import (
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

const constrained = `
tasks: [{name: hello, pkg: hey}, {name: load, pkg: pi, config: {arg1: 0}}]
blocks: [{alternatives: [{set: {pkg: idle, priority: 3}}]}]
sweeps:
- {task: hello, attribute: priority, range: {from: 1, to: 4}}
- {task: load, attribute: config.arg1, values: [1, 3, x]}
where:
- tasks.hello.priority < tasks["idle-2"].priority
- tasks.load.config.arg1 == "x" || tasks.load.config.arg1 > 2
`

func TestWhereLeavesOutVariants(t *testing.T) {
	s := space(t, constrained)
	if !s.Constrained() || s.Count().String() != "12" {
		t.Errorf("constrained %v, %s variants", s.Constrained(), s.Count())
	}
	var admitted []string
	for n := range uint64(12) {
		ok, err := s.Admits(n)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			v := s.Values(n)
			admitted = append(admitted, v[0].Value+v[1].Value)
		}
	}
	if got := strings.Join(admitted, " "); got != "13 1x 23 2x" {
		t.Errorf("admitted %s", got)
	}
	if _, err := s.Admits(12); err == nil {
		t.Error("variant 12 was admitted, and there is none")
	}
}

func TestWithoutWhereEverythingIsAdmitted(t *testing.T) {
	s := build(t)
	if ok, err := s.Admits(0); s.Constrained() || !ok || err != nil {
		t.Errorf("constrained %v, %v, %v", s.Constrained(), ok, err)
	}
}

func TestWhereSeesGeneratedTasks(t *testing.T) {
	s := space(t, generating+`where: ["utilization < 1.0", "!('generated-2' in tasks) || tasks['generated-2'].priority < 64"]`)
	in := 0
	for n := range uint64(100) {
		ok, err := s.Admits(n)
		if err != nil {
			t.Fatal(err)
		}
		tasks := at(t, s, n)
		if want := len(tasks) < 3 || tasks[2].Priority < 64; ok != want {
			t.Errorf("variant %d: %v, want %v", n, ok, want)
		}
		if ok {
			in++
		}
	}
	if in == 0 || in == 100 {
		t.Errorf("%d of 100 are in", in)
	}
}

func TestWrongWheresAreRefused(t *testing.T) {
	for where, want := range map[string]string{
		"tasks.hello.priority":                 `spec.where[0]: "tasks.hello.priority" is of type int`,
		"tasks.bye.priority == 1":              `spec.where[0]: column 6: no task is named "bye"; use one of hello, load`,
		"tasks['generated-0'].priority == 1":   `no task is named "generated-0"`,
		"tasks.hello.config.arg1 == 1":         "spec.where[0]: variant 0: no such key: arg1",
		"tasks.load.prio > 1 || tasks.load > ": "spec.where[0]: column ",
	} {
		spec := campaign()
		spec.Where = []string{where}
		if _, err := variant.Build(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\nwant one that says %s", where, err, want)
		}
	}
}

// BenchmarkAdmits is for a simple comparison among two tasks of 10^9 variants.
func BenchmarkAdmits(b *testing.B) {
	s := space(b, `
tasks: [{name: hello, pkg: hey}, {name: load, pkg: pi, config: {x: 0}}]
sweeps:
- {task: hello, attribute: priority, range: {from: 1, to: 1000}}
- {task: load, attribute: priority, range: {from: 1, to: 1000}}
- {task: load, attribute: config.x, range: {from: 1, to: 1000}}
where: ["tasks.hello.priority < tasks.load.priority"]
`)
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		if _, err := s.Admits(n); err != nil {
			b.Fatal(err)
		}
		n = (n + 999_983) % 1_000_000_000
	}
}

package simfile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// TestF6MillisecondsAreExactButInCycles: 1.001 ms and 8.2 ms are no whole numbers of cycles in SimSo's arithmetic.
func TestF6MillisecondsAreExactButInCycles(t *testing.T) {
	const document = `{"cycles_per_ms": 1000000, "input": {"duration_ms": 40, "cpus": 1, "scheduler": "EDF",
		"tasks": [{"identifier": 1, "wcet": 1.001, "period": 8.2, "deadline": 8.2}]}}`
	for name, c := range map[string]struct {
		parse        func([]byte) (*simfile.File, error)
		text         string
		wcet, period sim.Time
	}{
		"cycles":       {simfile.ParseCase, document, 1_000_999, 8_199_999},
		"nanoseconds":  {simfile.ParseSimSo, document, 1_001_000, 8_200_000},
		"milliseconds": {simfile.Parse, `[{wcet: 1.001, period: 8.2}]`, 1_001_000, 8_200_000},
		"with units":   {simfile.Parse, `[{wcet: 1001us, period: 0.0082s}]`, 1_001_000, 8_200_000},
		"half a ns":    {simfile.Parse, `[{wcet: 1.0000005ms, period: 8199999.5 ns}]`, 1_000_001, 8_200_000},
	} {
		f, err := c.parse([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if task := f.System.Tasks[0]; task.WCET != c.wcet || task.Period != c.period {
			t.Errorf("%s: %d of %d ns, want %d of %d", name, task.WCET, task.Period, c.wcet, c.period)
		}
	}
}

// TestCasesHaveTheDefaultsOfSimSo, and their own cycles.
func TestCasesHaveTheDefaultsOfSimSo(t *testing.T) {
	const document = `{"id": "x", "cycles_per_ms": 1000, "input": {"cpus": [{"identifier": 7, "cs_overhead": 3}],
		"scheduler": {"name": "EKG", "overhead": 2, "data": {"K": 2}}, "etm": "fixedpenalty", "penalty_preemption": 5,
		"tasks": [{"identifier": 1}, {"identifier": 2, "task_type": "Sporadic", "activation_date": 4, "list_activation_dates": [1, 2.5]}]}}`
	got, err := simfile.ParseCase([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	want := &simfile.File{
		Name: "x", Scheduler: "EKG", Options: map[string]string{"group": "2"}, Cycles: 1000, CPUs: []int64{7},
		System: sim.System{
			Duration: 100_000, Processors: []sim.Processor{{Save: 3}}, Overheads: sim.Overheads{Decide: 2, Preempt: 5},
			Tasks: []sim.Task{
				{ID: 1, Period: 10_000, Deadline: 10_000, OnMiss: sim.Abort},
				{ID: 2, Kind: sim.Sporadic, Period: 10_000, Deadline: 10_000, Arrivals: []sim.Time{1000, 2500}, OnMiss: sim.Abort},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	exact, err := simfile.ParseSimSo([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if s := exact.System; s.Duration != 100*sim.Millisecond || s.Processors[0].Save != 3*sim.Microsecond || s.Tasks[1].Arrivals[1] != 2_500_000 {
		t.Errorf("in nanoseconds: %+v", s)
	}
}

// TestDetect tells files apart by what is in them.
func TestDetect(t *testing.T) {
	for text, want := range map[string]simfile.Format{
		saved: simfile.XML, wholeCase: simfile.SimSo, wholeSystem: simfile.System, "": simfile.System, "[{wcet: 1}]": simfile.System,
		`{"duration_ms": 5, "tasks": []}`: simfile.SimSo, `{"tasks": [{"identifier": 1}]}`: simfile.SimSo,
		"kind: TaskSet\nspec: {}": simfile.TaskSet, "{tasks: [{name: a, pkg: hey}]}": simfile.TaskSet,
		"kind: TaskSet\n---\nkind: TargetPool\n": simfile.TaskSet, "generator: {}": simfile.TaskSet,
	} {
		if got := simfile.Detect([]byte(text)); got != want {
			t.Errorf("%.40q is %s, want %s", text, got, want)
		}
	}
}

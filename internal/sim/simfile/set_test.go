package simfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// TestSetOfHasTheOrderOfTheScheduler and what each kind of task is for a test.
func TestSetOfHasTheOrderOfTheScheduler(t *testing.T) {
	const ms = sim.Millisecond
	f, err := simfile.Parse([]byte(`[{name: a, period: 9, deadline: 20, wcet: 1, jitter: 2, priority: 2},
		{name: b, period: 10, wcet: 2, priority: 1},
		{name: c, kind: Sporadic, arrivals: [1, 8, 13], deadline: 15, wcet: 3, priority: 3},
		{name: d, wcet: 4, deadline: 30}, {name: e, kind: Sporadic, slack: 3, period: 8, wcet: 1, deadline: 40, priority: 9}]`))
	if err != nil {
		t.Fatal(err)
	}
	a, b := analysis.Task{C: ms, T: 9 * ms, D: 20 * ms, J: 2 * ms}, analysis.Task{C: 2 * ms, T: 10 * ms, D: 10 * ms}
	c, d := analysis.Task{C: 3 * ms, T: 5 * ms, D: 15 * ms}, analysis.Task{C: 4 * ms, T: 1 << 50, D: 30 * ms}
	e := analysis.Task{C: ms, T: 8 * ms, D: 40 * ms}
	for scheduler, want := range map[string]analysis.Set{
		"EDF": {b, c, a, d, e}, "FP": {e, c, a, b, d}, "simso.schedulers.FP": {e, c, a, b, d}, "Genode-FP": {d, b, a, c, e},
	} {
		f.Scheduler = scheduler
		got, indices, err := simfile.SetOf(f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || f.System.Tasks[indices[0]].WCET != got[0].C {
			t.Errorf("%s (-want +got):\n%s", scheduler, diff)
		}
	}
}

// FuzzParseSet: a task-set of a line is one that tests take, or an error.
func FuzzParseSet(f *testing.F) {
	f.Add([]byte(`{"id":1,"cpus":2,"tasks":[[1,2,3]],"U":0.5}`))
	f.Add([]byte(`{"id":{},"cpus":0,"tasks":[[1,2,-3],[1e99,1]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := simfile.ParseSet(text)
		if err != nil {
			return
		}
		if err := l.Set().Check(); err != nil || l.CPUs < 1 {
			t.Errorf("%d cpus: %v", l.CPUs, err)
		}
	})
}

func TestF47MalformedSetsAreExplained(t *testing.T) {
	for line, want := range map[string]string{
		`[]`:                           `must be an object with cpus and tasks`,
		`{"cpus": 0, "tasks": []}`:     `cpus: 0: use a whole number from 1 to 1024`,
		`{"id": [], "tasks": []}`:      `id: a list: must be a number or a text`,
		`{"tasks": [[1, 2, 3], [1]]}`:  `tasks[1]: a list: must be an execution time, a period and a deadline`,
		`{"tasks": [[1, 0, 3]]}`:       `tasks[0][1]: 0: use a whole number from 1`,
		`{"tasks": [[1, 1.5, "3"]]}`:   `tasks[0][2]: "3": must be a number`,
		`{"tasks": [[1, 2, 3]]} extra`: `there is more after the end`,
	} {
		if _, err := simfile.ParseSet([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

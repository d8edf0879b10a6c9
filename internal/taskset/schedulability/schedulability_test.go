package schedulability_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/schedulability"
)

// tasks are made of (priority, execution time, period, deadline), named a, b, c and so on.
func tasks(rows ...[4]uint32) []taskset.Task {
	var out []taskset.Task
	for i, r := range rows {
		out = append(out, taskset.Task{ID: i, Name: string(rune('a' + i)), Priority: r[0], ExecutionTime: r[1], Period: r[2], Deadline: r[3]})
	}
	return out
}

func check(t *testing.T, cpus int, policy string, tests ...string) *schedulability.Check {
	t.Helper()
	c, err := schedulability.New(tests, cpus, policy)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerdicts(t *testing.T) {
	textbook := tasks([4]uint32{1, 3, 7, 0}, [4]uint32{2, 3, 12, 0}, [4]uint32{3, 5, 20, 0})
	swapped := tasks([4]uint32{3, 3, 7, 0}, [4]uint32{2, 3, 12, 0}, [4]uint32{1, 5, 20, 0})
	tied := tasks([4]uint32{1, 2, 10, 0}, [4]uint32{1, 3, 10, 0})
	edf := tasks([4]uint32{0, 2, 5, 5}, [4]uint32{0, 4, 7, 7})
	for name, tc := range map[string]struct {
		check *schedulability.Check
		tasks []taskset.Task
		want  string
	}{
		"response-time analysis is for priorities": {
			check(t, 1, ""), textbook,
			`{"policy":"FP","cpus":1,"schedulable":true,"certain":true,"tests":{"RTA":"yes"},"boundsMilliseconds":{"a":3,"b":6,"c":20}}`,
		},
		"in the priorities that the tasks have": {
			check(t, 1, "", "RTA", "OPA", "LL"), swapped,
			`{"policy":"FP","cpus":1,"schedulable":true,"certain":false,"tests":{"LL":"no","OPA":"yes","RTA":"no"},"boundsMilliseconds":{"b":8,"c":5}}`,
		},
		"of equal ones, any may be first": {
			check(t, 1, "", "RTA"), tied,
			`{"policy":"FP","cpus":1,"schedulable":true,"certain":true,"tests":{"RTA":"yes"},"boundsMilliseconds":{"a":5,"b":5}}`,
		},
		"QPA is for deadlines": {
			check(t, 1, "", "QPA"), edf,
			`{"policy":"EDF","cpus":1,"schedulable":true,"certain":true,"tests":{"QPA":"yes"}}`,
		},
		"a test of another policy decides, but is not certain": {
			check(t, 1, schedulability.FP, "QPA", "RTA"), edf,
			`{"policy":"FP","cpus":1,"schedulable":true,"certain":false,"tests":{"QPA":"yes","RTA":"no"}}`,
		},
		"several processors": {
			check(t, 2, "", "RTA", "GFB"), edf,
			`{"policy":"EDF","cpus":2,"schedulable":true,"certain":true,"tests":{"GFB":"yes","RTA":"-"}}`,
		},
		"too much": {
			check(t, 1, ""), tasks([4]uint32{1, 8, 10, 0}, [4]uint32{2, 8, 20, 0}),
			`{"policy":"FP","cpus":1,"schedulable":false,"certain":false,"tests":{"RTA":"no"},"boundsMilliseconds":{"a":8}}`,
		},
		"a single job": {
			check(t, 1, ""), tasks([4]uint32{1, 8, 0, 0}, [4]uint32{2, 8, 20, 0}),
			`{"policy":"FP","cpus":1,"schedulable":true,"certain":true,"tests":{"RTA":"yes"},"boundsMilliseconds":{"a":8,"b":16}}`,
		},
		"nothing to go by": {
			check(t, 1, ""), tasks([4]uint32{1, 0, 10, 0}),
			`{"policy":"FP","cpus":1,"schedulable":false,"certain":false,"problem":"task a: executionTimeMilliseconds: 0: tests need a worst-case execution time, at least 1"}`,
		},
	} {
		got, err := json.Marshal(tc.check.Verdict(tc.tasks))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatIsAskedForIsChecked(t *testing.T) {
	for want, ask := range map[string]func() (*schedulability.Check, error){
		`spec.analysis.tests: invalid task-set: test: "SJF" is not known; use one of LL, HB, RTA`: func() (*schedulability.Check, error) {
			return schedulability.New([]string{"SJF"}, 1, "")
		},
		`spec.analysis.policy: "LIFO": use Auto, FP or EDF`: func() (*schedulability.Check, error) { return schedulability.New(nil, 1, "LIFO") },
		"spec.analysis.cpus: -1: use at least 1":            func() (*schedulability.Check, error) { return schedulability.New(nil, -1, "") },
	} {
		if _, err := ask(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestWhatContradictsAVerdict(t *testing.T) {
	set := tasks([4]uint32{1, 3, 7, 0}, [4]uint32{2, 3, 12, 6}, [4]uint32{9, 11, 50, 0})
	v := check(t, 1, schedulability.FP).Verdict(set)
	if v.Bounds["c"] != 35 || !v.Certain {
		t.Fatalf("verdict %+v", v)
	}
	unsure := v
	unsure.Certain, unsure.Bounds = false, nil
	for name, tc := range map[string]struct {
		job  schedulability.Job
		want string
	}{
		"in time":                     {schedulability.Job{Task: "c", Number: 1, Response: 35}, ""},
		"longer than its bound":       {schedulability.Job{Task: "c", Number: 4, Response: 36}, "task c, job 4 took 36 ms, more than the bound of 35 ms"},
		"late":                        {schedulability.Job{Task: "b", Number: 2, Response: 7}, "task b, job 2 missed its deadline of 6 ms"},
		"killed at its deadline":      {schedulability.Job{Task: "b", Number: 2, Response: 6, Killed: true}, "task b, job 2 missed"},
		"killed before":               {schedulability.Job{Task: "b", Number: 2, Response: 5, Killed: true}, ""},
		"killed by the next period":   {schedulability.Job{Task: "a", Number: 1, Response: -1, Killed: true, AtPeriod: true}, "task a, job 1 missed its deadline of 7 ms"},
		"how long it took is unknown": {schedulability.Job{Task: "a", Number: 1, Response: -1}, ""},
	} {
		for i := range set {
			if set[i].Name != tc.job.Task {
				continue
			}
			if got := v.Contradicts(&set[i], &tc.job); !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
				t.Errorf("%s: %q, want %q", name, got, tc.want)
			}
			if got := unsure.Contradicts(&set[i], &tc.job); got != "" {
				t.Errorf("%s: %q, although nobody was certain", name, got)
			}
		}
	}
}

// TestSimulationsNeverContradict: what the tests of a policy accept is simulated, equal priorities and several
// processors included.
func TestSimulationsNeverContradict(t *testing.T) {
	const sets = 400
	accepted := 0
	for seed := range uint64(sets) {
		r := rand.New(rand.NewPCG(seed, 1))
		cpus := 1 + r.IntN(3)
		policy := []string{schedulability.FP, schedulability.EDF}[r.IntN(2)]
		var set []taskset.Task
		for i := range 2 + r.IntN(2*cpus+3) {
			period := uint32(4 + r.IntN(30))
			deadline := uint32(r.IntN(2)) * (period - uint32(r.IntN(3)))
			set = append(set, taskset.Task{
				ID: i, Name: fmt.Sprint(i), Priority: uint32(r.IntN(4)), Period: period, Deadline: deadline,
				ExecutionTime: 1 + uint32(r.IntN(int(period)/4+1)), Offset: uint32(r.IntN(10)),
			})
		}
		v := check(t, cpus, policy).Verdict(set)
		if v.Certain {
			accepted++
		}
		simulate(t, set, cpus, policy, func(job schedulability.Job) {
			for i := range set {
				if set[i].Name != job.Task {
					continue
				}
				if wrong := v.Contradicts(&set[i], &job); wrong != "" {
					t.Errorf("seed %d: %s: %+v of %+v", seed, wrong, v, set)
				}
			}
		})
	}
	if accepted < sets/10 || accepted > sets*9/10 {
		t.Errorf("%d of %d sets were accepted; the test needs some of both", accepted, sets)
	}
}

func simulate(t *testing.T, set []taskset.Task, cpus int, policy string, each func(schedulability.Job)) {
	t.Helper()
	s := &sim.System{Duration: 1000, Processors: make([]sim.Processor, cpus)}
	for _, task := range set {
		s.Tasks = append(s.Tasks, sim.Task{
			ID: task.ID, Name: task.Name, Period: sim.Time(task.Period), Deadline: sim.Time(task.Deadline), WCET: sim.Time(task.ExecutionTime),
			Offset: sim.Time(task.Offset), Priority: int64(task.Priority),
		})
	}
	scheduler, err := sched.New(map[string]string{schedulability.FP: "Genode-FP", schedulability.EDF: "EDF"}[policy])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Run(t.Context(), s, scheduler, sim.ObserverFunc(func(r *sim.Record) {
		if r.Ended != sim.Never {
			each(schedulability.Job{Task: r.Task.Name, Number: int32(r.Number), Response: r.Response()})
		}
	})); err != nil {
		t.Fatal(err)
	}
}

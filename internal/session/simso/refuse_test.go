package simso_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestWhatCannotBeSimulatedIsRefusedWithFieldValueAndRemedy(t *testing.T) {
	for want, change := range map[string]func(*taskset.Task){
		"tasks[0] (t0).executionTimeMilliseconds: 0: a simulated job runs as long as that":          func(t *taskset.Task) { t.ExecutionTime = 0 },
		"tasks[0] (t0).numberOfJobs: 0: the task would be released for ever":                        func(t *taskset.Task) { t.NumberOfJobs = 0 },
		"tasks[0] (t0).coreOffset: 1: the simulated target has spec.simso.cpus 1; use less":         func(t *taskset.Task) { t.Cores, t.CoreOffset = 2, 1 },
		"tasks[0] (t0).quota: 0: a task without memory cannot start":                                func(t *taskset.Task) { t.Quota = 0 },
		"tasks[0].wcet: 2147483647000000: out of range":                                             func(t *taskset.Task) { t.ExecutionTime = 1<<31 - 1 },
		"tasks[0] (t0).periodMilliseconds: 3000000: the target's timers end at 2147 s; use at most": func(t *taskset.Task) { t.Period = 3_000_000 },
	} {
		s := connect(t, simso.New(simso.Options{}), simso.Settings{})
		good := task(0, 1, 10, 1)
		bad := good
		change(&bad)
		err := s.Start(t.Context(), session.Run{Tasks: []taskset.Task{bad}})
		if !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		play(t, s, session.Run{Tasks: []taskset.Task{good}}) // it stays usable
	}
}

func TestSettingsAreCheckedWhenTheSessionOpens(t *testing.T) {
	for want, settings := range map[string]any{
		`spec.simso: invalid system: scheduler: "SJF" is not known; use one of`: simso.Settings{Scheduler: "SJF"},
		"spec.simso.cpus: -1: use 1 to 1024":                                    simso.Settings{CPUs: -1},
		"spec.simso.leastExecutionPercent: 101: use 1 to 100":                   simso.Settings{LeastPercent: 101},
		"spec.simso.durationMilliseconds: -1000: use 1 or more":                 simso.Settings{Duration: -time.Second},
		`spec.simso.onMiss: "Weep": use EndAtPeriod`:                            simso.Settings{OnMiss: "Weep"},
		`spec.simso.schedulerOptions: "quantum": write name=value`:              simso.Settings{SchedulerOptions: "quantum"},
		`scheduler option quantum: "soon": use a time above 0`:                  simso.Settings{Scheduler: "PD2", SchedulerOptions: "quantum=soon"},
		"its settings are a int; a simulated target has simso.Settings":         7,
	} {
		c := simso.New(simso.Options{})
		target := session.Target{Name: "default/sim", Settings: settings}
		for _, err := range []error{c.Available(t.Context(), target), connectError(t, c, target)} {
			if !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
	}
	if err := simso.New(simso.Options{}).Available(t.Context(), session.Target{}); err != nil {
		t.Errorf("no settings: %v", err)
	}
}

func connectError(t *testing.T, c session.Class, target session.Target) error {
	t.Helper()
	_, err := c.Connect(t.Context(), target)
	return err
}

// broken is a scheduler with a fault.
type broken struct{ sim.Scheduler }

func (broken) Decide(int) []sim.Decision { panic("index out of range") }

func TestASchedulerThatFailsCostsItsVariantOnly(t *testing.T) {
	edf, err := sched.New("EDF")
	if err != nil {
		t.Fatal(err)
	}
	sched.Register(sched.Policy{Name: "Broken", New: sched.Plain(func() sim.Scheduler { return broken{edf} })})
	for scheduler, want := range map[string]string{
		"Broken":   "variant 3 under scheduler Broken: the scheduler broke down: index out of range",
		"P-EDF-FF": "variant 3 under scheduler P-EDF-FF: ",
	} {
		s := connect(t, simso.New(simso.Options{}), simso.Settings{Scheduler: scheduler})
		overload := []taskset.Task{task(0, 8, 10, 1), task(1, 8, 10, 1)}
		if err := s.Start(t.Context(), session.Run{Variant: 3, Tasks: overload}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Next(t.Context()); !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
		if scheduler == "P-EDF-FF" {
			play(t, s, session.Run{Tasks: overload[:1]})
		}
	}
}

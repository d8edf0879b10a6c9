package simso_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// task has an execution time, a period and a number of jobs.
func task(id int, c, t, jobs uint32) taskset.Task {
	return taskset.Task{
		ID: id, Name: fmt.Sprintf("t%d", id), Pkg: "hey", Quota: 1 << 20, ExecutionTime: c, Period: t, NumberOfJobs: jobs, Priority: uint32(id),
	}
}

func connect(t *testing.T, c *simso.Class, settings simso.Settings) session.Session {
	t.Helper()
	s, err := c.Connect(t.Context(), session.Target{Name: "default/sim", Class: "SimSo", Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// play runs a variant until all of its tasks say that their jobs are done, and shows the events.
func play(t *testing.T, s session.Session, run session.Run) []string {
	t.Helper()
	if err := s.Start(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for done := 0; done < len(run.Tasks); {
		events, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			seen = append(seen, show(e))
			if e.Type == session.EventJobsDone {
				done++
			}
		}
	}
	return seen
}

func show(e session.Event) string {
	text := fmt.Sprintf("%d %d %s", e.Stamp, e.TaskID, e.Type)
	if e.Released != nil {
		text += fmt.Sprintf(" released %d", *e.Released)
	}
	return text
}

// TestF54ASimulationIsASessionLikeOthers: the events of a target in its units, and one variant after the other.
func TestF54ASimulationIsASessionLikeOthers(t *testing.T) {
	critical := task(1, 5, 20, 1)
	critical.CriticalTime = 6
	urgent := task(0, 4, 10, 2)
	edf := []taskset.Task{task(0, 4, 20, 1), task(1, 2, 10, 1)}
	edf[0].Deadline, edf[1].Deadline, edf[1].Offset = 20, 5, 1
	once := task(0, 3, 0, 0)
	c := simso.New(simso.Options{})
	for name, test := range map[string]struct {
		tasks    []taskset.Task
		settings simso.Settings
		want     string
	}{
		"0 is the highest priority": {
			[]taskset.Task{task(1, 3, 20, 1), task(0, 2, 20, 1)}, simso.Settings{},
			"0 0 START released 0, 2 0 EXIT released 0, 2 0 JOBS_DONE, 2 1 START released 0, 5 1 EXIT released 0, 5 1 JOBS_DONE",
		},
		"SimSo's FP has it the other way": {
			[]taskset.Task{task(1, 3, 20, 1), task(0, 2, 20, 1)}, simso.Settings{Scheduler: "simso.schedulers.FP"},
			"0 1 START released 0, 3 1 EXIT released 0, 3 1 JOBS_DONE, 3 0 START released 0, 5 0 EXIT released 0, 5 0 JOBS_DONE",
		},
		"deadlines make it EDF": {
			edf, simso.Settings{},
			"0 0 START released 0, 1 1 START released 1, 3 1 EXIT released 1, 3 1 JOBS_DONE, 6 0 EXIT released 0, 6 0 JOBS_DONE",
		},
		"two processors": {
			edf, simso.Settings{CPUs: 2},
			"0 0 START released 0, 1 1 START released 1, 3 1 EXIT released 1, 3 1 JOBS_DONE, 4 0 EXIT released 0, 4 0 JOBS_DONE",
		},
		"the critical time kills": {
			[]taskset.Task{urgent, critical}, simso.Settings{},
			"0 0 START released 0, 4 0 EXIT released 0, 4 1 START released 0, 6 1 EXIT_CRITICAL released 0, 6 1 JOBS_DONE, " +
				"10 0 START released 10, 14 0 EXIT released 10, 14 0 JOBS_DONE",
		},
		"the next period ends a job, as on a target": {
			[]taskset.Task{task(0, 12, 10, 2)}, simso.Settings{},
			"0 0 START released 0, 10 0 EXIT_PERIOD released 0, 10 0 START released 10, 20 0 EXIT_PERIOD released 10, 20 0 JOBS_DONE",
		},
		"late jobs may go on": {
			[]taskset.Task{task(0, 12, 10, 2)}, simso.Settings{OnMiss: simso.Continue},
			"0 0 START released 0, 12 0 EXIT released 0, 12 0 START released 10, 24 0 EXIT released 10, 24 0 JOBS_DONE",
		},
		"a job that never gets the processor has no start": {
			[]taskset.Task{task(0, 10, 10, 1), task(1, 1, 5, 1)}, simso.Settings{},
			"0 0 START released 0, 5 1 EXIT_PERIOD released 0, 5 1 JOBS_DONE, 10 0 EXIT released 0, 10 0 JOBS_DONE",
		},
		"a single job": {
			[]taskset.Task{once}, simso.Settings{},
			"0 0 START released 0, 3 0 EXIT released 0, 3 0 JOBS_DONE",
		},
		"the end of simulated time": {
			[]taskset.Task{task(0, 4, 10, 9)}, simso.Settings{Duration: 12 * time.Millisecond},
			"0 0 START released 0, 4 0 EXIT released 0, 10 0 START released 10, 10 0 EXIT_EXTERNAL released 10, 10 0 JOBS_DONE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, c, test.settings)
			for range 2 { // and again, with the same session
				if diff := cmp.Diff(test.want, strings.Join(play(t, s, session.Run{Tasks: test.tasks}), ", ")); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestF54CancelWithin100Milliseconds stops simulations that would take very long. The fastest of some tries counts,
// as others may have the machine meanwhile.
func TestF54CancelWithin100Milliseconds(t *testing.T) {
	const limit = 100 * time.Millisecond
	var tasks []taskset.Task
	for i := range 100 {
		tasks = append(tasks, task(i, 1, 150+uint32(i), 1_000_000))
	}
	for _, scheduler := range []string{"", "EDF", "LLF", "PD2", "RUN", "DP-WRAP", "U-EDF"} {
		t.Run("scheduler "+scheduler, func(t *testing.T) {
			c := simso.New(simso.Options{})
			stopped, closed := time.Hour, time.Hour
			for tries := 0; tries < 5 && max(stopped, closed) > limit; tries++ {
				s := connect(t, c, simso.Settings{Scheduler: scheduler, CPUs: 2})
				begin(t, s, tasks)
				began := time.Now()
				events, err := s.Stop(t.Context())
				stopped = min(stopped, time.Since(began))
				if err != nil || len(events) > 4096 {
					t.Errorf("%d events were waiting: %v", len(events), err)
				}
				begin(t, s, tasks)
				began = time.Now()
				err = s.Close()
				closed = min(closed, time.Since(began))
				if err != nil {
					t.Error(err)
				}
			}
			if max(stopped, closed) > limit {
				t.Errorf("it took %s to stop and %s to close", stopped, closed)
			}
		})
	}
}

// begin starts a variant and waits for its first events.
func begin(t *testing.T, s session.Session, tasks []taskset.Task) {
	t.Helper()
	if err := s.Start(t.Context(), session.Run{Tasks: tasks}); err != nil {
		t.Fatal(err)
	}
	if events, err := s.Next(t.Context()); err != nil || len(events) == 0 {
		t.Fatalf("%d events, %v", len(events), err)
	}
}

func TestTheSeedDecidesWhatIsDrawn(t *testing.T) {
	c := simso.New(simso.Options{})
	run := session.Run{Tasks: []taskset.Task{task(0, 40, 100, 50), task(1, 30, 100, 50)}, Seed: 7}
	s := connect(t, c, simso.Settings{LeastPercent: 10})
	first := play(t, s, run)
	if diff := cmp.Diff(first, play(t, connect(t, c, simso.Settings{LeastPercent: 10}), run)); diff != "" {
		t.Errorf("another session with the same seed (-first +second):\n%s", diff)
	}
	run.Seed = 8
	if cmp.Equal(first, play(t, s, run)) {
		t.Error("another seed gives the same events")
	}
	run.Seed = 7
	if cmp.Equal(first, play(t, connect(t, c, simso.Settings{LeastPercent: 10, Seed: 1}), run)) {
		t.Error("another seed of the target gives the same events")
	}
}

func TestASessionIsRegisteredAsLongAsItIsOpen(t *testing.T) {
	registry := session.NewRegistry(nil)
	s := connect(t, simso.New(simso.Options{Registry: registry}), simso.Settings{})
	play(t, s, session.Run{Tasks: []taskset.Task{task(0, 1, 10, 1)}})
	open := registry.Snapshot()
	if len(open) != 1 || open[0].Target != "default/sim" || open[0].Peer != "simulation" || open[0].Variants != 1 {
		t.Errorf("open: %+v", open)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if open := registry.Snapshot(); len(open) != 0 {
		t.Errorf("closed: %+v", open)
	}
	if err := s.Start(t.Context(), session.Run{}); !errors.Is(err, session.ErrClosed) {
		t.Errorf("start: %v", err)
	}
}

func TestCloseEndsACallThatWaits(t *testing.T) {
	s := connect(t, simso.New(simso.Options{}), simso.Settings{})
	result := make(chan error)
	go func() {
		_, err := s.Next(context.WithoutCancel(t.Context()))
		result <- err
	}()
	s.Close()
	if err := <-result; !errors.Is(err, session.ErrClosed) {
		t.Errorf("next: %v", err)
	}
}

func TestSimulationsThatNobodyReadsDoNotKeepOthersWaiting(t *testing.T) {
	c := simso.New(simso.Options{Workers: 1})
	endless := session.Run{Tasks: []taskset.Task{task(0, 1, 10, 1_000_000)}}
	for range 3 {
		if err := connect(t, c, simso.Settings{}).Start(t.Context(), endless); err != nil {
			t.Fatal(err)
		}
	}
	play(t, connect(t, c, simso.Settings{}), session.Run{Tasks: []taskset.Task{task(0, 1, 10, 1)}})
}

package sim_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// recorded is what else is in a recorded case of SimSo, beside its input.
type recorded struct {
	file *simfile.File
	Jobs []struct {
		Task      int        `json:"task"`
		Number    int64      `json:"job"`
		Released  int64      `json:"activation"`
		Deadline  int64      `json:"abs_deadline"`
		Begun     *int64     `json:"first_exec"`
		Ended     *int64     `json:"end"`
		Aborted   bool       `json:"aborted"`
		Response  *int64     `json:"response"`
		Executed  int64      `json:"executed"`
		Preempted int32      `json:"preemptions"`
		Migrated  int32      `json:"migrations"`
		Segments  [][3]int64 `json:"segments"`
	} `json:"jobs"`
	Totals struct {
		Decisions   int64 `json:"schedule_calls"`
		Activations int64 `json:"activate_calls"`
		Ends        int64 `json:"terminate_calls"`
		CPUs        []struct {
			Load     float64 `json:"load"`
			Overhead float64 `json:"overhead"`
			Saves    int64   `json:"ctx_save"`
			Loads    int64   `json:"ctx_load"`
		} `json:"cpus"`
	} `json:"totals"`
	Events [][]any `json:"events"`
}

// golden reads a recorded case, known by the number that its name begins with.
func golden(t *testing.T, prefix string) *recorded {
	t.Helper()
	files, err := filepath.Glob("testdata/simso/" + prefix + "_*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("recorded run %s: %v %v", prefix, files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	r := &recorded{}
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatal(err)
	}
	if r.file, err = simfile.ParseCase(text); err != nil {
		t.Fatal(err)
	}
	return r
}

// replay simulates a recorded case.
func (r *recorded) replay(t *testing.T, o sim.Observer) sim.Totals {
	t.Helper()
	scheduler, err := sched.New(r.file.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	totals, err := sim.Run(context.Background(), &r.file.System, scheduler, o)
	if err != nil {
		t.Fatal(err)
	}
	return totals
}

// TestF43EventsAreThoseOfSimSo, in order, in kind and in time. EDF2 lets a processor look again that goes on with its
// job, so that others are earlier in the same instant; its cases are not among them.
func TestF43EventsAreThoseOfSimSo(t *testing.T) {
	for _, prefix := range []string{"06", "08", "18", "20", "22", "62", "74", "76"} {
		r := golden(t, prefix)
		if len(r.Events) == 0 {
			t.Errorf("%s has no events", prefix)
		}
		var got [][]any
		r.replay(t, sim.Tracing{Events: func(e sim.Event) {
			line := []any{float64(e.At), string(e.Kind), e.Task.Name + "_" + strconv.FormatInt(e.Number, 10)}
			if e.Kind == sim.Execute {
				line = append(line, float64(e.Processor+1))
			}
			got = append(got, line)
		}})
		if diff := cmp.Diff(r.Events, got); diff != "" {
			t.Errorf("%s: events (-recorded +simulated):\n%.1500s", prefix, diff)
		}
	}
}

// TestF38RecordsOfJobsAreComplete: every field is that of the recorded run, and the segments add up.
func TestF38RecordsOfJobsAreComplete(t *testing.T) {
	for _, prefix := range []string{"01", "12", "22", "26", "58", "62", "84", "98"} {
		r := golden(t, prefix)
		jobs := map[[2]int64]sim.Record{}
		r.replay(t, sim.ObserverFunc(func(j *sim.Record) {
			c := *j
			c.Segments = slices.Clone(j.Segments)
			jobs[[2]int64{int64(j.Task.ID), j.Number}] = c
			sum := sim.Time(0)
			for _, s := range j.Segments {
				sum += s.To - s.From
			}
			if sum != j.Executed {
				t.Errorf("%s: segments of job %d/%d add up to %d, executed is %d", prefix, j.Task.ID, j.Number, sum, j.Executed)
			}
		}))
		for _, want := range r.Jobs {
			got := jobs[[2]int64{int64(want.Task), want.Number}]
			if got.Released != want.Released || got.Deadline != want.Deadline || got.Begun != orNever(want.Begun) || got.Ended != orNever(want.Ended) ||
				got.Aborted != want.Aborted || got.Response() != orNever(want.Response) || got.Executed != want.Executed ||
				got.Preemptions != want.Preempted || got.Migrations != want.Migrated || len(got.Segments) != len(want.Segments) {
				t.Errorf("%s: recorded %+v\nsimulated %+v", prefix, want, got)
			}
		}
	}
}

func orNever(at *int64) sim.Time {
	if at == nil {
		return sim.Never
	}
	return *at
}

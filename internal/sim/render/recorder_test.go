package render_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", path, diff)
	}
}

const ms = sim.Millisecond

// task makes a periodic task; times are milliseconds.
func task(id int, name string, wcet, period, deadline sim.Time) sim.Task {
	return sim.Task{ID: id, Name: name, WCET: wcet * ms, Period: period * ms, Deadline: deadline * ms}
}

// record simulates a system and keeps the jobs of a window.
func record(t *testing.T, s *sim.System, scheduler string, w render.Window, limit int) *render.Run {
	t.Helper()
	policy, err := sched.New(scheduler)
	if err != nil {
		t.Fatal(err)
	}
	r := render.NewRecorder(s, w, limit)
	totals, err := sim.Run(context.Background(), s, policy, r)
	if err != nil {
		t.Fatal(err)
	}
	return r.Run(scheduler, totals)
}

// overload is a system on one processor in which jobs are late, aborted and unfinished.
func overload() *sim.System {
	s := &sim.System{Duration: 40 * ms, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		task(1, "control", 2, 6, 6), task(2, "sensor", 3, 8, 4), task(3, "logger", 5, 14, 12),
	}}
	s.Tasks[1].OnMiss = sim.Abort
	return s
}

// several is a system on two processors whose jobs are preempted and migrate.
func several() *sim.System {
	return &sim.System{Duration: 60 * ms, Processors: make([]sim.Processor, 2), Tasks: []sim.Task{
		task(1, "control", 2, 4, 4), task(2, "sensor", 3, 6, 6), task(3, "video", 6, 12, 12), task(4, "logger", 6, 20, 20),
	}}
}

func TestRecorderKeepsTheJobsReleasedFirst(t *testing.T) {
	all := record(t, several(), "EDF", render.Window{}, 0)
	for limit := 1; limit < 200; limit++ {
		part := record(t, several(), "EDF", render.Window{}, limit)
		if int64(len(part.Jobs))+part.Dropped != int64(len(all.Jobs)) {
			t.Fatalf("limit %d: %d kept, %d dropped, of %d jobs", limit, len(part.Jobs), part.Dropped, len(all.Jobs))
		}
		items := 0
		kept := map[[2]int64]bool{}
		for _, j := range part.Jobs {
			items += 1 + len(j.Segments)
			kept[[2]int64{int64(j.Index), j.Number}] = true
		}
		if items > limit+limit/4 {
			t.Errorf("limit %d: %d jobs and segments were kept", limit, items)
		}
		for _, j := range all.Jobs {
			if j.Released <= part.Window.To && part.Window.To > 0 && !kept[[2]int64{int64(j.Index), j.Number}] {
				t.Errorf("limit %d: job %d of %s was released at %d, within the window up to %d, and not kept", limit, j.Number, j.Task.Name, j.Released, part.Window.To)
			}
		}
		if diff := cmp.Diff(all.Tasks, part.Tasks); diff != "" {
			t.Errorf("limit %d changes the sums (-all +limited):\n%s", limit, diff)
		}
	}
}

func TestRecorderKeepsWhatTouchesTheWindow(t *testing.T) {
	all := record(t, overload(), "RM", render.Window{}, 0)
	w := render.Window{From: 10 * ms, To: 20 * ms}
	part := record(t, overload(), "RM", w, 0)
	if part.Window != w || part.Dropped != 0 {
		t.Errorf("window %v, %d dropped; want %v and none", part.Window, part.Dropped, w)
	}
	var want []sim.Record
	for _, j := range all.Jobs {
		if j.Released <= w.To && max(j.Ended, j.Deadline) >= w.From {
			want = append(want, j)
		}
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Task" }, cmp.Ignore())
	if diff := cmp.Diff(want, part.Jobs, ignore); diff != "" || len(want) < 4 {
		t.Errorf("jobs (-want +got), %d wanted:\n%s", len(want), diff)
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	run := record(t, overload(), "RM", render.Window{}, 0)
	if err := render.Table(&out, run); err != nil {
		t.Fatal(err)
	}
	out.WriteString("\n")
	if err := render.Jobs(&out, run); err != nil {
		t.Fatal(err)
	}
	golden(t, "overload.txt", out.Bytes())
}

func TestLoadsAreThoseOfTheSystemsWindow(t *testing.T) {
	s := &sim.System{Duration: 30 * ms, Window: sim.Window{From: 10 * ms, To: 20 * ms}, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		task(1, "T1", 1, 4, 4), task(2, "T2", 3, 12, 12),
	}}
	var out strings.Builder
	if err := render.Table(&out, record(t, s, "RM", render.Window{}, 0)); err != nil {
		t.Fatal(err)
	}
	if want := "CPU 1      50.0 %  0.0 %     50.0 %\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no line %q in:\n%s", want, out.String())
	}
}

func TestTableSaysWhatIsMissing(t *testing.T) {
	var out strings.Builder
	if err := render.Jobs(&out, record(t, several(), "EDF", render.Window{}, 20)); err != nil {
		t.Fatal(err)
	}
	if want := "were not kept."; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in:\n%s", want, out.String())
	}
}

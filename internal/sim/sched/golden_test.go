package sched_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// goldenCase is a recorded run of SimSo; times of the input are milliseconds, of jobs nanoseconds.
type goldenCase struct {
	ID    string `json:"id"`
	Input struct {
		Duration float64 `json:"duration_ms"`
		ETM      string  `json:"etm"`
		Tasks    []struct {
			Name       string         `json:"name"`
			ID         int            `json:"identifier"`
			Type       string         `json:"task_type"`
			Period     float64        `json:"period"`
			WCET       float64        `json:"wcet"`
			ACET       float64        `json:"acet"`
			StdDev     float64        `json:"et_stddev"`
			Deadline   float64        `json:"deadline"`
			Activation float64        `json:"activation_date"`
			Arrivals   []float64      `json:"list_activation_dates"`
			FollowedBy *int           `json:"followed_by"`
			Abort      *bool          `json:"abort_on_miss"`
			Data       map[string]any `json:"data"`
		} `json:"tasks"`
		CPUs []struct {
			Save  int64   `json:"cs_overhead"`
			Load  int64   `json:"cl_overhead"`
			Speed float64 `json:"speed"`
		} `json:"cpus"`
		Scheduler struct {
			Name     string `json:"name"`
			Decide   int64  `json:"overhead"`
			Activate int64  `json:"overhead_activate"`
			End      int64  `json:"overhead_terminate"`
		} `json:"scheduler"`
	} `json:"input"`
	Jobs     []goldenJob `json:"jobs"`
	Textbook struct {
		Equal *bool `json:"equal"`
	} `json:"textbook"`
}

type goldenJob struct {
	Task        int        `json:"task"`
	Number      int64      `json:"job"`
	Released    int64      `json:"activation"`
	Ended       *int64     `json:"end"`
	Aborted     bool       `json:"aborted"`
	Preemptions int32      `json:"preemptions"`
	Migrations  int32      `json:"migrations"`
	Segments    [][3]int64 `json:"segments"`
}

// ns is a time as SimSo makes it: a float of milliseconds, cut to whole cycles.
func ns(ms float64) sim.Time { return sim.Time(ms * 1e6) }

func (g *goldenCase) system() *sim.System {
	s := &sim.System{Duration: ns(g.Input.Duration)}
	s.Overheads = sim.Overheads{Decide: g.Input.Scheduler.Decide, Activate: g.Input.Scheduler.Activate, End: g.Input.Scheduler.End}
	for _, c := range g.Input.CPUs {
		p := sim.Processor{Save: c.Save, Load: c.Load}
		if c.Speed != 0 {
			p.SpeedNumerator, p.SpeedDenominator = int64(c.Speed*8), 8
		}
		s.Processors = append(s.Processors, p)
	}
	for _, t := range g.Input.Tasks {
		task := sim.Task{ID: t.ID, Name: t.Name, Period: ns(t.Period), WCET: ns(t.WCET), Deadline: ns(t.Deadline), Offset: ns(t.Activation), OnMiss: sim.Abort}
		if t.Abort != nil && !*t.Abort {
			task.OnMiss = sim.Continue
		}
		switch t.Type {
		case "Sporadic":
			task.Kind = sim.Sporadic
		case "APeriodic":
			task.Kind = sim.Aperiodic
		}
		for _, a := range t.Arrivals {
			task.Arrivals = append(task.Arrivals, ns(a))
		}
		if g.Input.ETM == "acet" {
			task.Execution = sim.Normal{Mean: ns(t.ACET), Deviation: ns(t.StdDev)}
		}
		if p, ok := t.Data["priority"].(float64); ok {
			task.Priority = int64(p)
		}
		if t.FollowedBy != nil {
			task.Follows = true
			task.Follower = *t.FollowedBy - 1
		}
		s.Tasks = append(s.Tasks, task)
	}
	return s
}

// simulate runs a system and returns its jobs in the form of the recorded ones.
func simulate(t *testing.T, name string, s *sim.System) []goldenJob {
	t.Helper()
	scheduler, err := sched.New(name)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []goldenJob
	_, err = sim.Run(context.Background(), s, scheduler, sim.ObserverFunc(func(r *sim.Record) {
		j := goldenJob{Task: r.Task.ID, Number: r.Number, Released: r.Released, Aborted: r.Aborted, Preemptions: r.Preemptions, Migrations: r.Migrations}
		if r.Ended != sim.Never {
			end := r.Ended
			j.Ended = &end
		}
		for _, seg := range r.Segments {
			j.Segments = append(j.Segments, [3]int64{seg.From, seg.To, int64(seg.Processor) + 1})
		}
		jobs = append(jobs, j)
	}))
	if err != nil {
		t.Fatal(err)
	}
	sortJobs(jobs)
	return jobs
}

func sortJobs(jobs []goldenJob) {
	slices.SortFunc(jobs, func(a, b goldenJob) int {
		if a.Task != b.Task {
			return a.Task - b.Task
		}
		return int(a.Number - b.Number)
	})
}

// exact are the recorded runs that a correct simulator repeats, ties included, by the row of features that they show.
var exact = map[string][]string{
	"engine": {"01", "02", "04", "06", "08", "10", "12", "14", "18", "20", "68", "74", "76", "78", "80", "82", "84", "62"},
	"F17":    {"22", "24", "26", "96", "98"},
	"F19":    {"56", "58"},
	"F21":    {"66"},
	"F22":    {"50", "52", "54"},
	"F24":    {"30", "32", "46"},
	"F25":    {"36", "94"},
	"F26":    {"34", "38"},
}

// ends are the recorded runs of which other processors do the same at the same time.
var ends = []string{"28", "40", "42", "44", "48", "86", "90"}

func TestRecordedRunsAreRepeated(t *testing.T)             { repeat(t, exact["engine"], true) }
func TestRecordedEndsAreRepeated(t *testing.T)             { repeat(t, ends, false) }
func TestF17GlobalEDFRepeatsRecordedRuns(t *testing.T)     { repeat(t, exact["F17"], true) }
func TestF19PartitionedRepeatsRecordedRuns(t *testing.T)   { repeat(t, exact["F19"], true) }
func TestF21LaxityRepeatsRecordedRuns(t *testing.T)        { repeat(t, exact["F21"], true) }
func TestF22PromotionsRepeatRecordedRuns(t *testing.T)     { repeat(t, exact["F22"], true) }
func TestF24PlanesAndWrapsRepeatRecordedRuns(t *testing.T) { repeat(t, exact["F24"], true) }
func TestF25UnfairRepeatsRecordedRuns(t *testing.T)        { repeat(t, exact["F25"], true) }
func TestF26SplitTasksRepeatRecordedRuns(t *testing.T)     { repeat(t, exact["F26"], true) }

// repeat compares recorded runs: releases, ends, aborts, and when jobs ran; also where, if processors are to be equal.
func repeat(t *testing.T, numbers []string, processors bool) {
	t.Helper()
	for _, number := range numbers {
		g := recorded(t, number)
		t.Run(g.ID, func(t *testing.T) {
			got := simulate(t, g.Input.Scheduler.Name, g.system())
			sortJobs(g.Jobs)
			for _, jobs := range [][]goldenJob{g.Jobs, got} {
				for i := range jobs {
					jobs[i].plain(processors)
				}
			}
			if diff := cmp.Diff(g.Jobs, got); diff != "" {
				t.Errorf("jobs (-recorded +simulated):\n%s", diff)
			}
		})
	}
}

// plain brings a job into a form that can be compared.
func (j *goldenJob) plain(processors bool) {
	if len(j.Segments) == 0 {
		j.Segments = nil
	}
	if processors {
		return
	}
	j.Preemptions, j.Migrations = 0, 0
	var merged [][3]int64
	for _, s := range j.Segments {
		if n := len(merged); n > 0 && merged[n-1][1] == s[0] {
			merged[n-1][1] = s[1]
			continue
		}
		merged = append(merged, [3]int64{s[0], s[1]})
	}
	j.Segments = merged
}

func readCase(t *testing.T, path string) *goldenCase {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var g goldenCase
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return &g
}

// randomCase is a line of random.jsonl.
type randomCase struct {
	ID        string              `json:"id"`
	Scheduler string              `json:"scheduler"`
	CPUs      int                 `json:"cpus"`
	Duration  float64             `json:"duration_ms"`
	Abort     bool                `json:"abort_on_miss"`
	Tasks     [][6]float64        `json:"tasks"`
	Jobs      map[string][][3]any `json:"jobs"`
	Textbook  *bool               `json:"textbook_equal"`
}

// TestF18RandomRecordedRunsAreRepeated is also for F17 and F19.
func TestF18RandomRecordedRunsAreRepeated(t *testing.T) {
	f, err := os.Open("../testdata/simso/random.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<22)
	seen := 0
	for lines.Scan() {
		var c randomCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Jobs) == 0 {
			continue // SimSo did not get to the end
		}
		seen++
		t.Run(c.ID, func(t *testing.T) { c.compare(t) })
	}
	if seen < 100 {
		t.Errorf("%d recorded runs, want at least 100", seen)
	}
}

func (c *randomCase) compare(t *testing.T) {
	s := &sim.System{Duration: ns(c.Duration), Processors: make([]sim.Processor, c.CPUs)}
	for _, r := range c.Tasks {
		task := sim.Task{ID: int(r[0]), WCET: ns(r[1]), Period: ns(r[2]), Deadline: ns(r[3]), Offset: ns(r[4]), Priority: int64(r[5])}
		if c.Abort {
			task.OnMiss = sim.Abort
		}
		s.Tasks = append(s.Tasks, task)
	}
	got := map[string][]string{}
	for _, j := range simulate(t, c.Scheduler, s) {
		end := "nil"
		if j.Ended != nil {
			end = fmt.Sprint(*j.Ended)
		}
		id := strconv.Itoa(j.Task)
		got[id] = append(got[id], fmt.Sprint(j.Released, end, j.Aborted))
	}
	want := map[string][]string{}
	for id, rows := range c.Jobs {
		for _, r := range rows {
			end := "nil"
			if e, ok := r[1].(float64); ok {
				end = fmt.Sprint(int64(e))
			}
			want[id] = append(want[id], fmt.Sprint(int64(r[0].(float64)), end, r[2].(float64) != 0))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s on %d, textbook %v: release, end, aborted (-recorded +simulated):\n%.1500s", c.Scheduler, c.CPUs, *orNil(c.Textbook), diff)
	}
}

func orNil(b *bool) *bool {
	if b == nil {
		return new(bool)
	}
	return b
}

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

const recordedRuns = "../../internal/sim/testdata/simso"

// recordedCase is what a test needs of a recorded run.
type recordedCase struct {
	ID    string
	Input struct {
		Duration float64 `json:"duration_ms"`
	}
	Jobs     []simfile.Job
	Error    string
	Textbook struct {
		Equal *bool
	}
}

// differing are recorded runs from which a simulation may differ, and why. Equal are then: of "places" releases,
// ends and aborts; of others, whether there is a miss, unless SimSo is "wrong".
var differing = map[string]string{
	"15_rm_lost_job_quirk": "wrong: Q1", "16_fp_lost_job_quirk": "wrong: Q1", "70_speed_two_quirk": "wrong: Q3",
	"92_ekg_4cpu_full": "wrong: Q7", "64_llf_1cpu": "Q8: ticks that cost time",
	"28_edzl_3x23": "places", "44_lstr_3x23": "places", "40_er_pd2_3x23": "places", "42_wc_run_3x23": "places",
	"48_run_2cpu": "places", "86_u_edf_4cpu_full": "ties", "88_pd2_4cpu_full": "ties",
	"90_lre_tl_4cpu_full": "rounding", "94_u_edf_us_times": "rounding", "72_static_edf": "rounding",
}

// TestRecordedCasesAreRepeated hands all recorded runs to one call of the program.
func TestRecordedCasesAreRepeated(t *testing.T) {
	files, err := filepath.Glob(recordedRuns + "/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d recorded runs: %v", len(files), err)
	}
	got := simulateFiles(t, files)
	for i, file := range files {
		var want recordedCase
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.ID, func(t *testing.T) { compareCase(t, &want, got[i]) })
	}
}

// simulateFiles are the lines that the program prints for them.
func simulateFiles(t *testing.T, files []string) []simfile.Line {
	t.Helper()
	args := []string{"simulate", "-o", "jsonl", "--simso-json"}
	for _, f := range files {
		path, err := filepath.Abs(f)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	r := newLab(t, 0, faketarget.Options{}).genodectl(args...)
	var lines []simfile.Line
	for text := range strings.Lines(r.out) {
		var line simfile.Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v in %.200q", err, text)
		}
		lines = append(lines, line)
	}
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d files:\n%s", len(lines), len(files), r.log)
	}
	return lines
}

func compareCase(t *testing.T, want *recordedCase, got simfile.Line) {
	if got.ID != want.ID {
		t.Fatalf("line of %s", got.ID)
	}
	if want.Error != "" {
		if got.Error == "" || len(got.Jobs) > 0 {
			t.Errorf("error %q and %d jobs; SimSo says %s", got.Error, len(got.Jobs), want.Error)
		}
		return
	}
	horizon := int64(want.Input.Duration * 1e6)
	for i := range want.Jobs { // Q6: SimSo counts no misses of jobs that have not ended
		j := &want.Jobs[i]
		j.Missed = j.Missed || j.Ended == nil && *j.Deadline <= horizon
	}
	reason, differs := differing[want.ID]
	wrong := strings.HasPrefix(reason, "wrong")
	switch {
	case !differs || want.Textbook.Equal != nil && *want.Textbook.Equal:
		if diff := cmp.Diff(want.Jobs, got.Jobs); diff != "" || got.Error != "" {
			t.Errorf("%s\njobs (-recorded +simulated):\n%.2000s", got.Error, diff)
		}
	case reason == "places" && !cmp.Equal(outcomes(want.Jobs), outcomes(got.Jobs)):
		t.Errorf("releases, ends and aborts (-recorded +simulated):\n%.2000s", cmp.Diff(outcomes(want.Jobs), outcomes(got.Jobs)))
	case wrong && cmp.Equal(want.Jobs, got.Jobs):
		t.Errorf("equal to the recorded run, which is %s", reason)
	case len(got.Jobs) != len(want.Jobs):
		t.Errorf("%d jobs, want %d: %s", len(got.Jobs), len(want.Jobs), got.Error)
	case !wrong && slices.ContainsFunc(got.Jobs, isMissed) != slices.ContainsFunc(want.Jobs, isMissed):
		t.Errorf("misses are others than those recorded (%s)", reason)
	}
}

// outcomes are jobs without where and when they ran.
func outcomes(jobs []simfile.Job) []simfile.Job {
	var out []simfile.Job
	for _, j := range jobs {
		out = append(out, simfile.Job{Task: j.Task, Number: j.Number, Activation: j.Activation, Ended: j.Ended, Aborted: j.Aborted})
	}
	return out
}

func isMissed(j simfile.Job) bool { return j.Missed }

// TestQ1AndQ3CasesHaveTheTextbooksResult: SimSo loses a job, and ignores speeds above 1.
func TestQ1AndQ3CasesHaveTheTextbooksResult(t *testing.T) {
	got := simulateFiles(t, []string{recordedRuns + "/15_rm_lost_job_quirk.json", recordedRuns + "/70_speed_two_quirk.json"})
	ends := map[int][]int64{}
	for _, j := range got[0].Jobs {
		if j.Ended != nil {
			ends[j.Task] = append(ends[j.Task], *j.Ended/1e6)
		}
		if j.Aborted != (j.Task == 2 && j.Ended != nil) {
			t.Errorf("task %d, job %d: aborted is %v", j.Task, j.Number, j.Aborted)
		}
	}
	if diff := cmp.Diff(map[int][]int64{1: {8, 18, 28, 38, 48, 58}, 2: {5, 25, 45}}, ends); diff != "" {
		t.Errorf("ends in ms (-want +got):\n%s", diff)
	}
	if end := got[1].Jobs[0].Ended; end == nil || *end != 1_500_000 {
		t.Errorf("3 ms of work at speed 2 end at %v", end)
	}
}

// TestRandomRecordedCasesAreRepeated has many cases in one file.
func TestRandomRecordedCasesAreRepeated(t *testing.T) {
	file, err := filepath.Abs(recordedRuns + "/random.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := newLab(t, 0, faketarget.Options{}).genodectl("simulate", "-o", "jsonl", "--simso-json", file)
	r.want(t, 0)
	want, got := strings.Split(strings.TrimSpace(string(text)), "\n"), strings.Split(strings.TrimSpace(r.out), "\n")
	if len(want) != len(got) || len(want) < 100 {
		t.Fatalf("%d lines for %d cases", len(got), len(want))
	}
	for i := range want {
		compareRows(t, want[i], got[i])
	}
}

func compareRows(t *testing.T, want, got string) {
	t.Helper()
	var recorded struct {
		ID   string
		Jobs map[string][][3]*int64
	}
	var line simfile.Line
	if err := json.Unmarshal([]byte(want), &recorded); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &line); err != nil {
		t.Fatal(err)
	}
	if recorded.Jobs == nil {
		return // SimSo did not get to the end
	}
	rows := map[string][][3]*int64{}
	for id, r := range recorded.Jobs {
		if len(r) == 0 {
			delete(recorded.Jobs, id)
		}
	}
	for _, j := range line.Jobs {
		id, aborted := strconv.Itoa(j.Task), int64(0)
		if j.Aborted {
			aborted = 1
		}
		rows[id] = append(rows[id], [3]*int64{&j.Activation, j.Ended, &aborted})
	}
	if diff := cmp.Diff(recorded.Jobs, rows); diff != "" {
		t.Errorf("%s (-recorded +simulated):\n%.800s", recorded.ID, diff)
	}
}

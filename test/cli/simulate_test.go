package cli

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// Systems in files: feasible by rate-monotonic priorities, and by EDF only.
const (
	classic = `[{"name": "a", "period": 7, "wcet": 3}, {"name": "b", "period": 12, "wcet": 3}, {"name": "c", "period": 20, "wcet": 5}]`
	dense   = "scheduler: EDF\ntasks:\n- {name: a, period: 5ms, wcet: 2ms, onMiss: Abort}\n- {name: b, period: 7ms, wcet: 4ms, onMiss: Abort}\n"
	periods = `{tasks: [{name: a, pkg: hey, periodMilliseconds: 10, executionTimeMilliseconds: 4, priority: 1, numberOfJobs: 9},
		{name: b, pkg: hey, periodMilliseconds: 20, executionTimeMilliseconds: 5, priority: 2, numberOfJobs: 9}],
		sweeps: [{task: a, attribute: executionTimeMilliseconds, values: [4, 8]}]}`
)

func TestF49SimulateFromTheCommandLine(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("classic.json", classic)
	l.write("dense.yaml", dense)
	l.write("taskset.yaml", periods)
	for line, want := range map[string]struct {
		code int
		says []string
	}{
		"-f classic.json --scheduler RM":                              {0, []string{"RM · 1 processor · 3 tasks · 420 ms · 119 jobs · 0 misses"}},
		"-f dense.yaml --fail-on-miss":                                {0, []string{"EDF · ", "35 ms", "0 misses"}},
		"-f dense.yaml --scheduler RM":                                {0, []string{"1 miss"}},
		"-f dense.yaml --scheduler RM --fail-on-miss":                 {1, []string{"1 job missed its deadline"}},
		"-f dense.yaml --scheduler RM --duration 70ms --fail-on-miss": {1, []string{"2 jobs missed their deadlines"}},
		"-f dense.yaml --cpus 2 --duration 1s":                        {0, []string{"2 processors", "1 s · 344 jobs"}},
		"-f dense.yaml --window 5ms-10ms":                             {0, []string{"CPU 1"}},
		"-f taskset.yaml":                                             {0, []string{"Genode-FP", "18 jobs", "0 misses"}},
		"-f taskset.yaml --variant 1 --fail-on-miss":                  {1, []string{"4 jobs missed their deadlines"}},
		"-f taskset.yaml --variant 1 --cpus 2 --fail-on-miss":         {0, []string{"2 processors"}},
		"-f dense.yaml --scheduler PD2 --option quantum=100us":        {0, []string{"0 misses"}},
		"-f dense.yaml --scheduler simso.schedulers.EDF_mono -o yaml": {0, []string{"simso.schedulers.EDF_mono", "period: 5ms", "onMiss: Abort"}},
	} {
		t.Run(line, func(t *testing.T) {
			l.genodectl(append([]string{"simulate"}, strings.Fields(line)...)...).want(t, want.code, want.says...)
		})
	}
}

func TestF49SillySimulationsGetAnAnswer(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("dense.yaml", dense)
	l.write("typo.yaml", "tasks: [{perod: 5, wcet: 1}]")
	l.write("long.yaml", "tasks: [{period: 999999937ns, wcet: 1}, {period: 999999929ns, wcet: 1}]")
	l.write("once.yaml", "tasks: [{wcet: 1}]")
	l.write("none.yaml", `{tasks: [{name: a, pkg: hey, periodMilliseconds: 10}]}`)
	for line, want := range map[string]string{
		"":                                 "what shall be simulated?",
		"dense.yaml":                       "with -f",
		"-f gone.yaml":                     "gone.yaml",
		"-f typo.yaml":                     "-f typo.yaml: invalid system: tasks[0].perod: 5: no such field here",
		"-f long.yaml":                     "The hyperperiod is 1e+09 s",
		"-f once.yaml":                     "give a --duration",
		"-f none.yaml":                     "tasks[0] (a).executionTimeMilliseconds: 0: a simulated job",
		"-f dense.yaml --duration 5":       `--duration "5": use a number with`,
		"-f dense.yaml --duration -5s":     `--duration "-5s"`,
		"-f dense.yaml --cpus 0":           "--cpus 0: use 1 to 1024",
		"-f dense.yaml --scheduler XYZ":    `scheduler: "XYZ" is not known; use one of`,
		"-f dense.yaml --option quantum=5": "EDF has no such option",
		"-f dense.yaml -o pdf":             `-o "pdf": use table, json`,
		"-f dense.yaml --by colour":        `--by "colour": use task or cpu`,
		"-f dense.yaml --window 5ms":       `--window "5ms": use two times`,
		"-f dense.yaml --window 9ms-5ms":   "window.to",
		"-f dense.yaml --variant 3":        "--variant: there is only one system",
		"--simso-json a.json -o table":     "printed as jsonl",
		"--simso-json a.json -f b.json":    "none of the others",
		"-t example.Hey99":                 "did you mean",
	} {
		t.Run(line, func(t *testing.T) {
			l.genodectl(append([]string{"simulate"}, strings.Fields(line)...)...).want(t, 2, want)
		})
	}
}

// TestF49OutputsCanBeRead by the programs that they are for.
func TestF49OutputsCanBeRead(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("dense.yaml", dense)
	show := func(format string) string {
		t.Helper()
		r := l.genodectl("simulate", "-f", "dense.yaml", "--scheduler", "RM", "-o", format)
		r.want(t, 0)
		return r.out
	}
	aborted, lines := 0, 0
	for line := range strings.Lines(show("jsonl")) {
		var j simfile.Job
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			t.Fatal(err)
		}
		lines++
		if j.Aborted {
			aborted++
		}
	}
	var whole struct {
		Duration int64
		Jobs     []simfile.Job
		Totals   struct{ Released, Aborted int }
	}
	if err := json.Unmarshal([]byte(show("json")), &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Duration != 35_000_000 || len(whole.Jobs) != 14 || lines != 14 || whole.Totals.Released != 14 || aborted != 1 || whole.Totals.Aborted != 1 {
		t.Errorf("%d lines, %d aborted; %+v", lines, aborted, whole)
	}
	var trace struct{ TraceEvents []any }
	if err := json.Unmarshal([]byte(show("chrome-trace")), &trace); err != nil || len(trace.TraceEvents) < 14 {
		t.Errorf("trace of %d events: %v", len(trace.TraceEvents), err)
	}
	svg := xml.NewDecoder(strings.NewReader(show("svg")))
	var err error
	for err == nil {
		_, err = svg.Token()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("the chart is no XML: %v", err)
	}
	if page := show("html"); !strings.Contains(page, "<svg") || !strings.Contains(page, "</html>") {
		t.Error("the page has no chart, or no end")
	}
	l.write("again.yaml", show("yaml"))
	if again := l.genodectl("simulate", "-f", "again.yaml", "-o", "jsonl"); again.out != show("jsonl") {
		t.Error("the system that was written is another one")
	}
}

// TestCasesThatCannotBeSimulatedLeaveTheOthersAlone: each has its line, the error its path and reason.
func TestCasesThatCannotBeSimulatedLeaveTheOthersAlone(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	const system = `"duration_ms": 8, "cpus": [{"identifier": 1}], "tasks": [{"identifier": 1, "period": 4, "wcet": 2, "deadline": 4}]}`
	l.write("cache.json", `{"etm": "cache", "scheduler": {"name": "EDF"}, `+system)
	l.write("unknown.json", `{"scheduler": {"name": "Mine"}, `+system)
	l.write("good.json", `{"scheduler": {"name": "EDF", "data": {"K": 2}}, `+system)
	r := l.genodectl("simulate", "--simso-json", "gone.json", "cache.json", "unknown.json", "good.json", "-o", "jsonl")
	r.want(t, 2, "gone.json", `cache.json: cache: invalid system: etm: "cache": caches are not simulated`, `unknown.json: unknown: invalid system: scheduler: "Mine"`)
	var lines []simfile.Line
	for text := range strings.Lines(r.out) {
		var line simfile.Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if len(lines) != 4 || lines[0].Error == "" || lines[1].ID != "cache" || lines[3].ID != "good" || len(lines[3].Jobs) != 3 || lines[3].Error != "" {
		t.Errorf("%+v", lines)
	}
}

// TestSimulationsEndWithTheirReader: when nobody reads any more, and when somebody stops it.
func TestSimulationsEndWithTheirReader(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("dense.yaml", dense)
	cmd := l.command(t.Context(), "genodectl", "simulate", "-f", "dense.yaml", "--duration", "1000000s", "-o", "jsonl")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Errorf("it ended with %v", err)
	}
}

// TestSimulationsAreStopped in the middle, on a terminal or not.
func TestSimulationsAreStopped(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("dense.yaml", dense)
	cmd := l.command(t.Context(), "genodectl", "simulate", "-f", "dense.yaml", "--duration", "1000000s", "-o", "jsonl")
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1000)); err != nil { // it runs
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(log.String(), "stopped") {
		t.Errorf("it ended with %v: %s", err, log.String())
	}
}

func TestCompletionOfSchedulers(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.genodectl("__complete", "simulate", "--scheduler", "").want(t, 0, "EDF\tearliest deadline first", "P-RM-FFD\t")
	l.genodectl("__complete", "simulate", "-o", "").want(t, 0, "chrome-trace")
	l.genodectl("simulate", "--help").want(t, 0, "Examples:", "--simso-json recorded/*.json")
}

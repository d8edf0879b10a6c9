package render_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
)

func TestChromeTrace(t *testing.T) {
	var out bytes.Buffer
	if err := render.ChromeTrace(&out, record(t, overload(), "RM", render.Window{}, 0)); err != nil {
		t.Fatal(err)
	}
	golden(t, "overload.trace.json", out.Bytes())
}

// TestChromeTraceTellsEverySegmentExactly reads a trace as its viewers do.
func TestChromeTraceTellsEverySegmentExactly(t *testing.T) {
	s := several()
	s.Tasks[0].WCET, s.Tasks[0].Name = 1_234_567, "a \"task\"\n"
	run := record(t, s, "EDF", render.Window{}, 0)
	var out bytes.Buffer
	if err := render.ChromeTrace(&out, run); err != nil {
		t.Fatal(err)
	}
	var trace struct {
		Events []struct {
			Name, Ph, ID string
			TS, Dur      json.Number
			PID, TID     int
		} `json:"traceEvents"`
	}
	if err := json.Unmarshal(out.Bytes(), &trace); err != nil {
		t.Fatal(err)
	}
	count, open := map[string]int{}, map[string]int{}
	busy := map[int]sim.Time{}
	for _, e := range trace.Events {
		count[e.Ph]++
		switch e.Ph {
		case "X":
			busy[e.TID-1] += nanos(t, e.Dur)
		case "b":
			open[e.ID]++
		case "e":
			open[e.ID]--
		}
	}
	segments := 0
	for _, j := range run.Jobs {
		segments += len(j.Segments)
	}
	if count["X"] != segments || count["b"] != len(run.Jobs) || count["i"] != 2*len(run.Jobs) {
		t.Errorf("events %v; want %d segments, %d jobs, twice as many marks", count, segments, len(run.Jobs))
	}
	for id, n := range open {
		if n != 0 {
			t.Errorf("job %s is begun and not ended, or the other way round", id)
		}
	}
	for i, l := range run.Totals.Processors {
		if busy[i] != l.Busy {
			t.Errorf("processor %d ran %d ns according to the trace, %d ns according to the simulation", i, busy[i], l.Busy)
		}
	}
}

func nanos(t *testing.T, us json.Number) sim.Time {
	t.Helper()
	whole, part, _ := strings.Cut(us.String(), ".")
	n, err := json.Number(whole + (part + "000")[:3]).Int64()
	if err != nil || len(part) > 3 {
		t.Fatalf("%s is no time: %v", us, err)
	}
	return n
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWritersReportErrors(t *testing.T) {
	run := record(t, several(), "EDF", render.Window{}, 0)
	for name, err := range map[string]error{
		"trace": render.ChromeTrace(brokenWriter{}, run), "svg": render.SVG(brokenWriter{}, run, render.Options{}),
		"html": render.HTML(brokenWriter{}, run, render.Options{}), "table": render.Table(brokenWriter{}, run), "jobs": render.Jobs(brokenWriter{}, run),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: %v, want %v", name, err, errBroken)
		}
	}
}

func TestPage(t *testing.T) {
	var out bytes.Buffer
	s := overload()
	s.Tasks[0].Name = "<i>control</i>"
	if err := render.HTML(&out, record(t, s, "RM", render.Window{}, 0), render.Options{Title: "Overload & misses"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "overload.html", out.Bytes())
	for _, foreign := range []string{"<i>", "http://", "https://", "<script", "src="} {
		if text := strings.ReplaceAll(out.String(), `xmlns="http://www.w3.org/2000/svg"`, ""); strings.Contains(text, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
}

func TestPagesOfLongRunsStaySmall(t *testing.T) {
	s := several()
	s.Duration = 20 * sim.Second
	var out bytes.Buffer
	if err := render.HTML(&out, record(t, s, "EDF", render.Window{}, 0), render.Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "The first 2000 rows of ") || !strings.Contains(out.String(), "Ends at ") {
		t.Error("the page does not say that it is cut")
	}
	if out.Len() > 3<<20 {
		t.Errorf("%d bytes, want at most 3 MiB", out.Len())
	}
}

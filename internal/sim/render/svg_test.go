package render_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
)

func svg(t *testing.T, r *render.Run, o render.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := render.SVG(&out, r, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestF44GanttPictures pins the bytes of whole pictures; look at them in a browser after each change.
func TestF44GanttPictures(t *testing.T) {
	for name, tc := range map[string]struct {
		system    *sim.System
		scheduler string
		options   render.Options
	}{
		"overload-tasks.svg":     {overload(), "RM", render.Options{Title: "Overload"}},
		"overload-processor.svg": {overload(), "RM", render.Options{Title: "Overload", By: render.ByProcessor}},
		"two-tasks.svg":          {several(), "EDF", render.Options{}},
		"two-processors.svg":     {several(), "EDF", render.Options{By: render.ByProcessor}},
		"two-window.svg":         {several(), "EDF", render.Options{Window: render.Window{From: 11 * ms, To: 25 * ms}}},
		"two-cut.svg":            {several(), "EDF", render.Options{Limit: 30, MostRows: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, svg(t, record(t, tc.system, tc.scheduler, render.Window{}, 0), tc.options))
		})
	}
}

// picture is what an XML reader finds in a chart.
type picture struct {
	rects, releases, deadlines, missed, titles int
	text                                       string
}

func read(t *testing.T, svg []byte) (p picture) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	inLegend := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.CharData:
			p.text += string(e) + "\n"
		case xml.EndElement:
			if e.Name.Local == "g" {
				inLegend--
			}
		case xml.StartElement:
			if e.Name.Local == "g" {
				inLegend++
			}
			if inLegend == 0 {
				p.count(e)
			}
		}
	}
}

func (p *picture) count(e xml.StartElement) {
	class := ""
	for _, a := range e.Attr {
		if a.Name.Local == "class" {
			class = a.Value
		}
	}
	switch {
	case e.Name.Local == "rect":
		p.rects++
	case e.Name.Local == "title":
		p.titles++
	case class == "release":
		p.releases++
	case class == "deadline missed":
		p.missed++
		p.deadlines++
	case class == "deadline":
		p.deadlines++
	}
}

// expected counts what a chart of a window has to show.
func expected(r *render.Run, w render.Window) (p picture) {
	for _, j := range r.Jobs {
		for _, s := range j.Segments {
			if s.From < w.To && s.To > w.From {
				p.rects++
			}
		}
		if j.Released >= w.From && j.Released <= w.To {
			p.releases++
		}
		if j.Deadline >= w.From && j.Deadline <= w.To {
			p.deadlines++
			if j.Missed {
				p.missed++
			}
		}
	}
	return p
}

// TestF44GanttShowsEverySegmentAndArrowOnce draws random systems.
func TestF44GanttShowsEverySegmentAndArrowOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(44, 1))
	schedulers := []string{"EDF", "RM", "FIFO", "PD2", "EDZL"}
	for n := range 150 {
		s := randomSystem(random)
		scheduler := schedulers[n%len(schedulers)]
		run := record(t, s, scheduler, render.Window{}, 0)
		for _, by := range []render.Rows{render.ByTask, render.ByProcessor} {
			w := render.Window{From: random.Int64N(s.Duration / 2)}
			w.To = w.From + 1 + random.Int64N(s.Duration/2)
			got := read(t, svg(t, run, render.Options{By: by, Window: w, Limit: 1 << 30}))
			want := expected(run, w)
			want.titles, got.text = got.titles, ""
			if got != want {
				t.Fatalf("run %d, %s, by %s, window %v: %+v, want %+v", n, scheduler, by, w, got, want)
			}
			if least := want.rects + want.releases + want.deadlines; got.titles < least {
				t.Errorf("run %d: %d tooltips, want at least %d", n, got.titles, least)
			}
		}
	}
}

func randomSystem(random *rand.Rand) *sim.System {
	s := &sim.System{Duration: 200 * ms, Processors: make([]sim.Processor, 1+random.IntN(3)), Seed: random.Uint64()}
	for i := range 1 + random.IntN(6) {
		period := 5*ms + random.Int64N(30*ms)
		s.Tasks = append(s.Tasks, sim.Task{
			ID: i + 1, Period: period, WCET: random.Int64N(period), Deadline: 1 + random.Int64N(period),
			Offset: random.Int64N(10 * ms), OnMiss: []sim.MissPolicy{sim.Continue, sim.Abort, sim.SkipNext}[random.IntN(3)],
		})
	}
	return s
}

func TestChartsEscapeNames(t *testing.T) {
	s := several()
	s.Tasks[0].Name = `</text><script>alert("&'")</script>`
	s.Tasks[1].Name = "line\nfeed\x00\xff\u202e"
	s.Processors[0].Name = `"><rect/>`
	for _, by := range []render.Rows{render.ByTask, render.ByProcessor} {
		run := record(t, s, "EDF", render.Window{}, 0)
		out := svg(t, run, render.Options{By: by, Title: "<b>&</b>"})
		got := read(t, out)
		if want := expected(run, run.Window).rects; got.rects != want {
			t.Errorf("%d rects, want %d", got.rects, want)
		}
		for _, want := range []string{"<b>&</b>", `</text><script>alert("&'")</script> job 1`, "line\uFFFDfeed\uFFFD\uFFFD\uFFFD job 1", `"><rect/>`} {
			if !strings.Contains(got.text, want) {
				t.Errorf("by %s: the text does not have %q", by, want)
			}
		}
		if bytes.Contains(out, []byte("<script")) {
			t.Errorf("by %s: a name became an element", by)
		}
	}
}

func TestChartsSayWhatTheyLeaveOut(t *testing.T) {
	many := several()
	for i := len(many.Tasks); i < 100; i++ {
		many.Tasks = append(many.Tasks, task(i+1, "", 0, 50, 50))
	}
	for name, tc := range map[string]struct {
		run     *render.Run
		options render.Options
		want    string
	}{
		"tasks":    {record(t, many, "EDF", render.Window{}, 0), render.Options{}, "Tasks 1 to 64 of 100 are shown."},
		"segments": {record(t, several(), "EDF", render.Window{}, 0), render.Options{Limit: 10}, "Ends at "},
		"dropped":  {record(t, several(), "EDF", render.Window{}, 20), render.Options{}, "were not kept."},
		"nothing":  {record(t, several(), "EDF", render.Window{}, 1), render.Options{}, "were not kept."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, svg(t, tc.run, tc.options)); !strings.Contains(got.text, tc.want) {
				t.Errorf("no %q in the picture:\n%s", tc.want, got.text)
			}
		})
	}
}

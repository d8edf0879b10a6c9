package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Compared is what is known of the response times of one task in one variant of a campaign. Times that are
// not known are sim.Never.
type Compared struct {
	Variant, Task string
	Deadline      sim.Time
	Bound         sim.Time // by analysis
	Simulated     sim.Time // the longest in the simulation
	Measured      sim.Time // the longest on a target
}

// Verdict says in a word which of the three disagree: nothing may take longer than its bound.
func (c Compared) Verdict() string {
	switch {
	case c.Bound != sim.Never && known(c.Simulated) > c.Bound:
		return "simulated above bound"
	case c.Bound != sim.Never && known(c.Measured) > c.Bound:
		return "measured above bound"
	case c.Simulated == sim.Never || c.Measured == sim.Never:
		return "incomplete"
	}
	return "agree"
}

// known is 0 for a time that is not known.
func known(t sim.Time) sim.Time {
	if t == sim.Never {
		return 0
	}
	return t
}

var compareHead = []string{"VARIANT", "TASK", "DEADLINE", "BOUND", "SIMULATED", "MEASURED", "VERDICT"}

func (c Compared) cells() []string {
	row := []string{printable(c.Variant), printable(c.Task)}
	for _, t := range []sim.Time{c.Deadline, c.Bound, c.Simulated, c.Measured} {
		row = append(row, milliseconds.format(t))
	}
	return append(row, c.Verdict())
}

// CompareTable writes a row for each task of each variant: the bound of its response time, and the longest one
// that was simulated and measured. Times are milliseconds.
func CompareTable(w io.Writer, rows []Compared) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(compareHead, "\t"))
	for _, c := range rows {
		fmt.Fprintln(table, strings.Join(c.cells(), "\t"))
	}
	fmt.Fprintln(table, tally(rows)+"; longest response times in ms")
	return table.Flush()
}

// tally counts verdicts.
func tally(rows []Compared) string {
	agree, incomplete := 0, 0
	for _, c := range rows {
		switch c.Verdict() {
		case "agree":
			agree++
		case "incomplete":
			incomplete++
		}
	}
	out := fmt.Sprintf("%d of %d agree, %d do not", agree, len(rows), len(rows)-agree-incomplete)
	if incomplete > 0 {
		out += fmt.Sprintf(", %d incomplete", incomplete)
	}
	return out
}

//go:embed compare.html
var compareText string

var comparePage = template.Must(template.New("compare").Parse(compareText))

// ComparePage writes the same as a page that needs no other file, with a picture in each row.
func ComparePage(w io.Writer, title string, rows []Compared) error {
	type line struct {
		Cells   []string
		Picture template.HTML
		Class   string
	}
	data := struct {
		Title, Summary string
		Head           []string
		Rows           []line
	}{Title: printable(title), Summary: tally(rows), Head: compareHead}
	var longest sim.Time = 1
	for _, c := range rows {
		for _, t := range []sim.Time{c.Deadline, c.Bound, c.Simulated, c.Measured} {
			longest = max(longest, known(t))
		}
	}
	for _, c := range rows {
		class := "bad"
		switch c.Verdict() {
		case "agree":
			class = "good"
		case "incomplete":
			class = ""
		}
		data.Rows = append(data.Rows, line{c.cells(), template.HTML(c.picture(longest)), class}) // it has no foreign text
	}
	var out bytes.Buffer
	if err := comparePage.Execute(&out, data); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// picture is a scale from 0 to the longest time: a bar to the bound, a line for the deadline, marks for what
// was simulated and measured.
func (c Compared) picture(longest sim.Time) string {
	p := &pen{}
	a := axis{Window{0, longest}, 6, 208}
	p.f(`<svg width="220" height="20" viewBox="0 0 220 20" role="img" aria-label="scale"><path class="base" d="M6 10h208"/>`)
	if c.Bound != sim.Never {
		p.f(`<path class="bound" d="M6 6H%sv8H6z"/>`, px(a.at(c.Bound)))
	}
	if c.Deadline != sim.Never {
		p.f(`<path class="limit" d="M%s 1v18"/>`, px(a.at(c.Deadline)))
	}
	if c.Simulated != sim.Never {
		p.f(`<path class="simulated" d="M%s 4l4.5 6l-4.5 6l-4.5 -6z"/>`, px(a.at(c.Simulated)))
	}
	if c.Measured != sim.Never {
		p.f(`<circle class="measured" cx="%s" cy="10" r="4.5"/>`, px(a.at(c.Measured)))
	}
	p.f("</svg>")
	return p.String()
}

package render

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// mostJobs is the number of jobs in the table of a page.
const mostJobs = 2000

// tableOf is a table of a page: titles first, then rows; cells beyond the first are numbers.
type tableOf struct {
	Title string
	Head  []string
	Rows  [][]string
	Note  string
	// Fold hides the rows until they are asked for.
	Fold bool
}

// HTML writes a page that needs no other file: the chart, and tables of tasks, processors and jobs.
func HTML(w io.Writer, r *Run, o Options) error {
	if o.Title == "" {
		o.Title = "Schedule"
	}
	data := struct {
		Title  string
		Chart  template.HTML
		Tables []tableOf
	}{Title: printable(o.Title), Chart: template.HTML(draw(r, o))} // draw escapes what it was given
	add := func(title string, rows [][]string) {
		if len(rows) > 1 {
			data.Tables = append(data.Tables, tableOf{Title: title, Head: rows[0], Rows: rows[1:]})
		}
	}
	add("Tasks (times in ms)", taskRows(r))
	add("Processors", processorRows(r))
	data.Tables = append(data.Tables, jobTable(r))
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

func jobTable(r *Run) tableOf {
	t := tableOf{Title: "Jobs (times in ms)", Head: jobHead, Fold: true, Note: r.droppedNote()}
	for i := range r.Jobs[:min(len(r.Jobs), mostJobs)] {
		t.Rows = append(t.Rows, r.jobRow(&r.Jobs[i]))
	}
	if len(r.Jobs) > mostJobs {
		t.Note += " The first " + several(mostJobs, "row") + " of " + several(int64(len(r.Jobs)), "job") + "."
	}
	return t
}

package render

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Rows says what has a row of its own in a chart.
type Rows string

// Kinds of rows.
const (
	// ByTask: each task has a row; colours are processors, or tasks if there is one processor only.
	ByTask Rows = "task"
	// ByProcessor: each processor has a row, colours are tasks; below, each task has a row of arrows.
	ByProcessor Rows = "processor"
)

// Options of a chart.
type Options struct {
	Title string // default: "Schedule"
	By    Rows   // default: ByTask
	// Window of time that is drawn; the zero value is all that was recorded.
	Window Window
	// Limit is the number of jobs and segments, default 4000, and MostRows the number of tasks, default 64,
	// that are drawn. A chart that is cut says so.
	Limit, MostRows int
}

// Measures of a chart in pixels.
const (
	gutter     = 190 // left of the time axis
	margin     = 28  // right of it
	leastWidth = 900 // of the time axis
	mostWidth  = 6000
	perItem    = 14 // of it, for each segment in the fullest row

	rowHeight = 46 // of a task
	barHeight = 22
	barTop    = 16 // within the row, of a task
	strip     = 5  // of a bar that keeps its colour when the rest is red
	cpuHeight = 38 // of a row of a processor
	cpuTop    = 8
	laneRow   = 24 // of a row of arrows only
)

// chart is a picture before it is written.
type chart struct {
	run    *Run
	title  string
	by     Rows
	axis   axis
	unit   unit
	rows   []row
	tasks  int      // of the system that are drawn
	jobs   []int    // of the run that are drawn, by index
	notes  []string // what is missing
	top    int64    // of the first row
	bottom int64    // of the last row
	marks  marks
}

// marks are the kinds of marks that occur; the legend explains them.
type marks struct{ waiting, late, aborted bool }

type row struct {
	label, about string
	top, height  int64
	colour       int // of a chip before the label; -1: none
}

func newChart(r *Run, o Options) *chart {
	c := &chart{run: r, title: o.Title, by: o.By}
	if c.title == "" {
		c.title = "Schedule"
	}
	if c.by != ByProcessor {
		c.by = ByTask
	}
	if o.Limit <= 0 {
		o.Limit = 4000
	}
	if o.MostRows <= 0 {
		o.MostRows = 64
	}
	if note := r.droppedNote(); note != "" {
		c.notes = append(c.notes, note)
	}
	c.tasks = len(r.System.Tasks)
	if c.tasks > o.MostRows {
		c.notes = append(c.notes, fmt.Sprintf("Tasks 1 to %d of %d are shown.", o.MostRows, c.tasks))
		c.tasks = o.MostRows
	}
	w := o.Window.within(r.System)
	w.From, w.To = max(w.From, r.Window.From), min(w.To, r.Window.To)
	w.From = min(w.From, w.To)
	w = c.cut(w, o.Limit)
	c.unit = unitFor(w.To)
	c.collect(w)
	c.axis = axis{Window: w, left: gutter, width: c.width(w)}
	c.place()
	return c
}

// shown reports whether a job is one of a task that is drawn. Rows of processors show all tasks.
func (c *chart) shown(j *sim.Record) bool { return c.by == ByProcessor || j.Index < c.tasks }

// cut shortens a window until no more than limit jobs and segments begin in it, and then to a
// round time.
func (c *chart) cut(w Window, limit int) Window {
	var begins []sim.Time
	for i := range c.run.Jobs {
		j := &c.run.Jobs[i]
		if !c.shown(j) || !w.touches(j) {
			continue
		}
		begins = append(begins, max(j.Released, w.From))
		for _, s := range j.Segments {
			if w.overlaps(s) {
				begins = append(begins, max(s.From, w.From))
			}
		}
	}
	if len(begins) <= limit {
		return w
	}
	slices.Sort(begins)
	asked := w
	w.To = max(w.From, begins[limit]-1)
	if round := w.ticks(100); len(round) > 1 {
		w.To = round[len(round)-1]
	}
	shown, _ := slices.BinarySearch(begins, w.To+1)
	c.notes = append(c.notes, fmt.Sprintf("Ends at %s, not at %s: %d of %d jobs and segments are shown. Choose a window of time, or a higher limit.",
		neat(w.To), neat(asked.To), shown, len(begins)))
	return w
}

// overlaps reports whether any part of a segment lies within the window.
func (w Window) overlaps(s sim.Segment) bool { return s.From < w.To && s.To > w.From }

// collect picks the jobs that are drawn and learns which marks they need.
func (c *chart) collect(w Window) {
	for i := range c.run.Jobs {
		j := &c.run.Jobs[i]
		if !c.shown(j) || !w.touches(j) {
			continue
		}
		c.jobs = append(c.jobs, i)
		c.marks.late = c.marks.late || j.Missed && !j.Aborted
		c.marks.aborted = c.marks.aborted || j.Aborted && j.Ended >= w.From && j.Ended <= w.To
		c.marks.waiting = c.marks.waiting || c.by == ByTask
	}
}

// width gives the fullest row enough room.
func (c *chart) width(w Window) int64 {
	count := map[int]int64{}
	var most int64
	for _, i := range c.jobs {
		j := &c.run.Jobs[i]
		for _, s := range j.Segments {
			if !w.overlaps(s) {
				continue
			}
			at := j.Index
			if c.by == ByProcessor {
				at = s.Processor
			}
			count[at]++
			most = max(most, count[at])
		}
	}
	return min(max(leastWidth, most*perItem), mostWidth)
}

// place gives each row its place.
func (c *chart) place() {
	const title, line = 64, 18
	c.top = title + line*int64(len(c.notes)) + c.legendHeight()
	c.bottom = c.top
	add := func(r row) {
		r.top = c.bottom
		c.rows = append(c.rows, r)
		c.bottom += r.height
	}
	if c.by == ByProcessor {
		for i := range c.run.System.Processors {
			add(row{label: processorName(c.run.System, i), about: c.load(i), height: cpuHeight, colour: -1})
		}
	}
	for i := range c.tasks {
		t := &c.run.System.Tasks[i]
		if c.by == ByProcessor {
			add(row{label: taskName(t), height: laneRow, colour: i})
		} else {
			add(row{label: taskName(t), about: timing(t), height: rowHeight, colour: -1})
		}
	}
}

// load of a processor within the window.
func (c *chart) load(processor int) string {
	if c.axis.To == c.axis.From {
		return ""
	}
	var busy sim.Time
	for _, i := range c.jobs {
		for _, s := range c.run.Jobs[i].Segments {
			if s.Processor == processor && c.axis.overlaps(s) {
				busy += min(s.To, c.axis.To) - max(s.From, c.axis.From)
			}
		}
	}
	return "load " + percent(busy, c.axis.To-c.axis.From)
}

// timing of a task in few words, in milliseconds of four digits.
func timing(t *sim.Task) string {
	brief := func(t sim.Time) string { return strconv.FormatFloat(float64(t)/float64(sim.Millisecond), 'g', 4, 64) }
	out := "C " + brief(t.WCET)
	if t.Period > 0 {
		out += " · T " + brief(t.Period)
	}
	if t.Deadline > 0 && t.Deadline != t.Period {
		out += " · D " + brief(t.Deadline)
	}
	return out + " ms"
}

package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// SVG writes a Gantt chart: one rect for each segment, an arrow up for each release and an arrow down for each
// deadline; what was missed or aborted is red. Pointing at something tells its job and times.
func SVG(w io.Writer, r *Run, o Options) error {
	_, err := w.Write(draw(r, o))
	return err
}

func draw(r *Run, o Options) []byte {
	c := newChart(r, o)
	p := &pen{}
	width, height := c.axis.left+c.axis.width+margin, c.bottom+34
	p.f(`<svg xmlns="http://www.w3.org/2000/svg" class="gantt" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, escape(c.title+": "+r.headline()))
	p.f("<style>%s</style>\n", style)
	p.f(`<path class="paper" d="M0 0h%dv%dH0z"/>`+"\n", width, height)
	c.head(p)
	c.grid(p)
	c.bars(p)
	c.arrows(p)
	p.f("</svg>\n")
	return p.Bytes()
}

// pen writes elements.
type pen struct{ bytes.Buffer }

func (p *pen) f(format string, args ...any) { fmt.Fprintf(&p.Buffer, format, args...) }

// text writes a text whose baseline begins, or is centred or ends, at a place.
func (p *pen) text(class string, x, y int64, s string) {
	p.f(`<text class="%s" x="%s" y="%d">%s</text>`+"\n", class, px(x), y, escape(s))
}

// escape makes any string the text or an attribute of an element.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(printable(s))) // a Builder never fails
	return b.String()
}

// shorten cuts a string to at most n characters.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// head writes titles, notes and the legend.
func (c *chart) head(p *pen) {
	p.text("title", 2000, 30, c.title)
	p.text("soft", 2000, 50, c.run.headline())
	y := int64(68)
	for _, n := range c.notes {
		p.text("note", 2000, y, n)
		y += 18
	}
	c.legend(p, y)
}

// tall charts have the numbers of their time axis above, too.
const tall = 700

// grid writes rows, their labels and the time axis.
func (c *chart) grid(p *pen) {
	right := c.axis.left + c.axis.width
	for i, r := range c.rows {
		if i%2 == 0 {
			p.f(`<path class="band" d="M0 %dH%dv%dH0z"/>`+"\n", r.top, right+margin, r.height)
		}
	}
	for _, t := range c.axis.ticks(max(c.axis.width/80, 1)) {
		p.f(`<path class="grid" d="M%s %dV%d"/>`+"\n", px(c.axis.at(t)), c.top, c.bottom+5)
		p.text("tick", c.axis.at(t), c.bottom+20, c.unit.format(t))
		if c.bottom-c.top > tall {
			p.text("tick", c.axis.at(t), c.top-6, c.unit.format(t))
		}
	}
	p.text("label", 2000, c.bottom+20, "time ("+c.unit.name+")")
	for _, r := range c.rows {
		middle := r.top + r.height/2 + 4
		left := int64(2000)
		if r.colour >= 0 {
			p.f(`<path class="%s" d="M20 %dh11v11h-11z"/>`+"\n", colour(r.colour), middle-10)
			left += 1800
		}
		if r.about != "" {
			middle -= 6
			p.text("soft small", left, middle+15, shorten(r.about, 32))
		}
		p.text("label", left, middle, shorten(r.label, 23))
	}
	for _, r := range c.rows {
		p.f(`<path class="base" d="M%d %dH%d"/>`+"\n", c.axis.left, c.baseline(r), right)
	}
}

// baseline of a row: what its bars stand on.
func (c *chart) baseline(r row) int64 {
	switch r.height {
	case rowHeight:
		return r.top + barTop + barHeight
	case cpuHeight:
		return r.top + cpuTop + barHeight
	}
	return r.top + r.height - 3
}

// bars writes segments, and in rows of tasks what lies between them.
func (c *chart) bars(p *pen) {
	for _, i := range c.jobs {
		if c.by == ByTask {
			c.life(p, &c.run.Jobs[i])
		}
	}
	for _, i := range c.jobs {
		j := &c.run.Jobs[i]
		for _, s := range j.Segments {
			if c.axis.overlaps(s) {
				c.bar(p, j, s)
			}
		}
		if c.by == ByTask && j.Aborted && j.Ended >= c.axis.From && j.Ended <= c.axis.To {
			y := c.rows[j.Index].top + barTop + barHeight/2
			p.f(`<path class="abort" d="M%s %dm-4 -4l8 8m0 -8l-8 8">%s</path>`+"\n", px(c.axis.at(j.Ended)), y, c.hint(j, "aborted at "+c.unit.with(j.Ended)))
		}
	}
}

// life writes thin lines from the release of a job to its end where it does not run, red beyond the deadline.
func (c *chart) life(p *pen, j *sim.Record) {
	y := c.rows[j.Index].top + barTop + barHeight/2
	line := func(class string, from, to sim.Time) {
		if from, to := c.axis.at(from), c.axis.at(to); from < to {
			p.f(`<path class="%s" d="M%s %dH%s"/>`+"\n", class, px(from), y, px(to))
		}
	}
	gap := func(from, to sim.Time) {
		line("life", from, min(to, max(from, j.Deadline)))
		line("life bad", max(from, j.Deadline), to)
	}
	at := j.Released
	for _, s := range j.Segments {
		gap(at, s.From)
		at = s.To
	}
	gap(at, j.Ended)
}

// bar writes a segment; beyond the deadline it is red but for a strip of its colour.
func (c *chart) bar(p *pen, j *sim.Record, s sim.Segment) {
	row, colours := j.Index, j.Index
	top := int64(barTop)
	switch {
	case c.by == ByProcessor:
		row, top = s.Processor, cpuTop
	case len(c.run.System.Processors) > 1:
		colours = s.Processor
	}
	y := c.rows[row].top + top
	from, to := c.axis.at(s.From), c.axis.at(s.To)
	const least = 60 // hundredths of a pixel, to be seen
	class := "seg " + colour(colours)
	if j.Aborted {
		class += " lost"
	}
	p.f(`<rect class="%s" x="%s" y="%d" width="%s" height="%d">%s</rect>`+"\n", class, px(from), y, px(max(to-from, least)), barHeight,
		c.hint(j, fmt.Sprintf("on %s from %s to %s", processorName(c.run.System, s.Processor), c.unit.format(s.From), c.unit.with(s.To))))
	if late := c.axis.at(max(s.From, j.Deadline)); s.To > j.Deadline && late < to {
		p.f(`<path class="over" d="M%s %dH%sv%dH%sz"/>`+"\n", px(late), y, px(to), barHeight-strip, px(late))
	}
	letters := ink(colours)
	if s.From >= j.Deadline {
		letters = "light"
	}
	c.name(p, j, (from+to)/2, y, to-from, letters)
}

// name writes which job it is into a bar that is wide enough.
func (c *chart) name(p *pen, j *sim.Record, x, y, width int64, class string) {
	name := fmt.Sprint(j.Number)
	if full := taskName(j.Task) + " " + name; c.by == ByProcessor {
		name = full
	}
	if int64(utf8.RuneCountInString(name))*660+600 <= width {
		p.text("in "+class, x, y+barHeight/2+4, name)
	}
}

// hint is shown when something is pointed at.
func (c *chart) hint(j *sim.Record, what string) string {
	return "<title>" + escape(fmt.Sprintf("%s job %d %s", taskName(j.Task), j.Number, what)) + "</title>"
}

// arrows writes releases and deadlines in the rows of tasks.
func (c *chart) arrows(p *pen) {
	first := len(c.rows) - c.tasks
	for _, i := range c.jobs {
		j := &c.run.Jobs[i]
		if j.Index >= c.tasks {
			continue
		}
		r := c.rows[first+j.Index]
		top, foot := r.top+4, c.baseline(r)
		if t := j.Released; t >= c.axis.From && t <= c.axis.To {
			p.f(`<path class="release" d="M%s %dV%dl5 7h-5">%s</path>`+"\n", px(c.axis.at(t)), foot, top, c.hint(j, "released at "+c.unit.with(t)))
		}
		if t := j.Deadline; t >= c.axis.From && t <= c.axis.To {
			class, what := "deadline", "deadline "+c.unit.with(t)
			if j.Missed {
				class, what = "deadline missed", what+", "+outcome(j)
			}
			p.f(`<path class="%s" d="M%s %dV%dl-5 -7h5">%s</path>`+"\n", class, px(c.axis.at(t)), top, foot, c.hint(j, what))
		}
	}
}

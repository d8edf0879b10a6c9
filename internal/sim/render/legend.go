package render

import "unicode/utf8"

// entry of the legend: a mark of up to 16 pixels around the middle of a line, and what it means.
type entry struct{ mark, means string }

// entries explain what occurs in the chart.
func (c *chart) entries() []entry {
	var all []entry
	if n := len(c.run.System.Processors); c.by == ByTask && n > 1 {
		for i := range min(n, len(palette)) {
			all = append(all, entry{`<path class="` + colour(i) + `" d="M0 -6h14v12h-14z"/>`, processorName(c.run.System, i)})
		}
		if n > len(palette) {
			all = append(all, entry{"", "… and again in the same order"})
		}
	}
	all = append(all,
		entry{`<path class="release" d="M5 8V-8l5 7h-5"/>`, "release"},
		entry{`<path class="deadline" d="M9 -8V8l-5 -7h5"/>`, "deadline"})
	if c.marks.waiting {
		all = append(all, entry{`<path class="life" d="M0 0h16"/>`, "released, not running"})
	}
	if c.marks.late || c.marks.aborted {
		all = append(all, entry{`<path class="deadline missed" d="M9 -8V8l-5 -7h5"/>`, "missed"})
	}
	if c.marks.late {
		all = append(all, entry{`<path class="` + colour(0) + `" d="M0 -6h14v12h-14z"/><path class="over" d="M0 -6h14v9h-14z"/>`, "late"})
	}
	if c.marks.aborted {
		all = append(all, entry{`<path class="lost ` + colour(0) + `" d="M0 -6h14v12h-14z"/>`, "work lost"})
	}
	if c.marks.aborted && c.by == ByTask {
		all = append(all, entry{`<path class="abort" d="M4 -4l8 8m0 -8l-8 8"/>`, "aborted"})
	}
	return all
}

const (
	legendLine = 22
	perLetter  = 7
)

// flow calls put with the place of each entry, in lines as wide as the chart, and returns their height.
func (c *chart) flow(width int64, put func(e entry, x, y int64)) int64 {
	x, y := int64(20), int64(0)
	for _, e := range c.entries() {
		long := 24 + perLetter*int64(utf8.RuneCountInString(e.means)) + 16
		if x > 20 && x+long > width {
			x, y = 20, y+legendLine
		}
		put(e, x, y)
		x += long
	}
	return y + legendLine
}

func (c *chart) legendHeight() int64 {
	return c.flow(c.axis.left+c.axis.width, func(entry, int64, int64) {}) + 16
}

func (c *chart) legend(p *pen, top int64) {
	c.flow(c.axis.left+c.axis.width, func(e entry, x, y int64) {
		p.f(`<g transform="translate(%d %d)">%s</g>`+"\n", x, top+y+4, e.mark)
		p.text("soft", (x+22)*100, top+y+8, e.means)
	})
}

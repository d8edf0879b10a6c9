package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// lineEvery is the time between two lines of progress where there is no terminal.
const lineEvery = 15 * time.Second

// progress tells people on standard error how far a run is. It is for one goroutine.
type progress struct {
	out      io.Writer
	terminal bool // draw a bar instead of lines
	drawn    bool // the bar is on the line
}

func newProgress(f *os.File) *progress {
	return &progress{out: f, terminal: term.IsTerminal(int(f.Fd()))}
}

func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

// say writes one line.
func (p *progress) say(text string) {
	p.clear()
	fmt.Fprintln(p.out, text)
}

// run is the progress of one part, of which so many units are to do.
type run struct {
	*progress
	what        string
	total, done int
	started     time.Time
	told        time.Time
}

func (p *progress) begin(what string, total int) *run {
	p.say(what)
	now := time.Now()
	return &run{progress: p, what: what, total: total, started: now, told: now}
}

// step counts one unit.
func (r *run) step(detail string) { r.to(r.done+1, detail) }

// to sets the number of units that are done.
func (r *run) to(done int, detail string) {
	r.done = min(done, r.total)
	now := time.Now()
	text := r.text(now, detail)
	switch {
	case r.terminal:
		r.clear()
		fmt.Fprint(r.out, text)
		r.drawn = true
	case now.Sub(r.told) >= lineEvery:
		r.told = now
		fmt.Fprintln(r.out, text)
	}
}

// text is the bar, the numbers, and how long the rest may take.
func (r *run) text(now time.Time, detail string) string {
	const width = 24
	full := width * r.done / max(r.total, 1)
	rest := "?"
	if r.done > 0 {
		left := now.Sub(r.started) / time.Duration(r.done) * time.Duration(r.total-r.done)
		rest = left.Round(time.Second).String()
	}
	return fmt.Sprintf("[%s%s] %d/%d  %s left  %s", strings.Repeat("#", full), strings.Repeat(".", width-full), r.done, r.total, rest, detail)
}

// end takes the bar away.
func (r *run) end() { r.clear() }

// wait waits for d and shows it second by second; false when done ended first.
func (r *run) wait(done <-chan struct{}, d time.Duration, detail string) bool {
	end := time.Now().Add(d)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before := r.done
	for {
		left := time.Until(end)
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-done:
			timer.Stop()
			return false
		case <-timer.C:
		case <-tick.C:
		}
		timer.Stop()
		r.to(before+int((d-max(time.Until(end), 0)).Seconds()), detail)
	}
}

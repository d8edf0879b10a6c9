package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	redraw    = 500 * time.Millisecond // on a terminal
	heartbeat = time.Minute            // elsewhere: a sign of life for the reader of a log
	barWidth  = 24
)

// progress draws one line that is overwritten again and again on a terminal; elsewhere it prints a line now
// and then that says what has been running for long.
type progress struct {
	out      *os.File
	terminal bool
	packages int // expected; 0 when not known

	mu      sync.Mutex
	started time.Time
	line    string
	drawn   bool
}

func newProgress(out *os.File, packages int) *progress {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	return &progress{out: out, terminal: terminal, packages: packages, started: time.Now()}
}

// start begins to draw; the returned function ends it and waits for the end.
func (p *progress) start() (stop func()) {
	every := heartbeat
	if p.terminal {
		every = redraw
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				p.draw()
			}
		}
	}()
	return func() {
		close(quit)
		<-done
		p.clear()
	}
}

// update hands an event to the tally and remembers what is to be drawn.
func (p *progress) update(t *Tally, e Event) string {
	text := t.Add(e)
	now := ""
	if running := t.Running(); len(running) > 0 {
		now = running[0]
		if len(running) > 1 {
			now += fmt.Sprintf(" and %d more", len(running)-1)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = fmt.Sprintf("%s %d tests passed, %d failed, %s", bar(t.Packages, p.packages), t.Passed, len(t.Failures), now)
	return text
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s %s", time.Since(p.started).Round(time.Second), p.line)
	if !p.terminal {
		fmt.Fprintf(p.out, "... %s\n", text)
		return
	}
	if len(text) > 119 {
		text = text[:119]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
	p.drawn = true
}

// clear removes the line, so that other output begins at the left.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

// bar draws n of total packages.
func bar(n, total int) string {
	if total <= 0 || n > total {
		return fmt.Sprintf("%d packages", n)
	}
	full := n * barWidth / total
	return fmt.Sprintf("[%s%s] %d/%d packages", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), n, total)
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/local"
)

const (
	barWidth   = 30
	redrawBar  = 200 * time.Millisecond
	repeatLine = 10 * time.Second
)

// meter shows how far a campaign is: a bar on a terminal, a line now and then elsewhere.
type meter struct {
	out      io.Writer
	terminal bool
	began    time.Time

	mu      sync.Mutex
	shown   time.Time // last
	share   int       // percent of the last line
	already uint64    // finished before this run; counted neither in the rate nor in the remaining time
	begun   bool
	wide    int // characters of the bar on the screen
	said    string
}

func newMeter(out io.Writer) *meter {
	f, is := out.(*os.File)
	return &meter{out: out, terminal: is && term.IsTerminal(int(f.Fd())), began: time.Now()}
}

// show is called whenever something has changed.
func (m *meter) show(p local.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.State == campaign.StateLoading || p.Total == 0 {
		return
	}
	now := time.Now()
	if !m.begun {
		m.begun, m.already, m.began = true, p.Finished+p.Skipped, now
	}
	m.warn(p)
	done := p.State == campaign.StateComplete
	share := int(float64(p.Finished+p.Skipped) / float64(p.Total) * 100)
	if m.terminal {
		if done || now.Sub(m.shown) >= redrawBar {
			m.shown = now
			m.draw(m.line(p, now), done)
		}
		return
	}
	if done || m.shown.IsZero() || now.Sub(m.shown) >= repeatLine || share >= m.share+10 {
		m.shown, m.share = now, share
		fmt.Fprintln(m.out, m.line(p, now))
	}
}

// warn says once what keeps the campaign from going on.
func (m *meter) warn(p local.Progress) {
	text := p.Blocked
	if p.StoreError != "" {
		text = p.StoreError
	}
	if text == "" && p.Targets == 0 && p.State == campaign.StateRunning {
		text = "no target answers; looking for one, Ctrl-C ends it"
	}
	if text != "" && text != m.said {
		m.draw("", false)
		fmt.Fprintln(m.out, "waiting:", text)
	}
	m.said = text
}

// line is everything in one line.
func (m *meter) line(p local.Progress, now time.Time) string {
	finished := p.Finished + p.Skipped
	share := float64(finished) / float64(p.Total)
	full := int(share * barWidth)
	text := fmt.Sprintf("[%s%s] %d/%d variants, %d targets", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), finished, p.Total, p.Targets)
	if p.Tally.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Tally.Failed)
	}
	if p.Tally.Retried > 0 {
		text += fmt.Sprintf(", %d retried", p.Tally.Retried)
	}
	seconds := now.Sub(m.began).Seconds()
	if new := float64(finished - m.already); new > 0 && seconds > 0 {
		rate := new / seconds
		text += fmt.Sprintf(", %.3g/s", rate)
		if left := float64(p.Total - finished); left > 0 {
			text += ", " + time.Duration(left/rate*float64(time.Second)).Round(time.Second).String() + " left"
		}
	}
	return text
}

// draw puts the line in place of the one on the terminal.
func (m *meter) draw(text string, last bool) {
	if !m.terminal {
		return
	}
	fmt.Fprintf(m.out, "\r%-*s\r%s", m.wide, "", text)
	m.wide = len(text)
	if last {
		fmt.Fprintln(m.out)
		m.wide = 0
	}
}

// end leaves the terminal in order.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.terminal && m.wide > 0 {
		fmt.Fprintln(m.out)
		m.wide = 0
	}
}

package assets

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	barInterval  = 250 * time.Millisecond // on a terminal
	lineInterval = 15 * time.Second       // elsewhere, where each report is a line of its own
	barWidth     = 30
)

// meter shows how far a build is: it is written what "go build -v" prints, one line a package.
type meter struct {
	out      io.Writer
	terminal bool
	begun    time.Time

	mu        sync.Mutex
	rest      []byte // an unfinished line
	what      string
	compiled  int
	of        int
	downloads int
}

func newMeter(out io.Writer) *meter {
	f, ok := out.(*os.File)
	return &meter{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), begun: time.Now()}
}

// say prints a line of its own.
func (m *meter) say(format string, args ...any) {
	_, _ = fmt.Fprintf(m.out, format+"\n", args...)
}

// start reports at intervals until stop is called, which waits for the last report.
func (m *meter) start() (stop func()) {
	interval := lineInterval
	if m.terminal {
		interval = barInterval
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.report()
			case <-end:
				if m.terminal {
					_, _ = fmt.Fprint(m.out, "\r\033[K")
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

func (m *meter) phase(what string) { m.mu.Lock(); m.what = what; m.mu.Unlock() }

func (m *meter) total(n int) { m.mu.Lock(); m.of = n; m.mu.Unlock() }

func (m *meter) elapsed() string { return time.Since(m.begun).Round(time.Second).String() }

// Write takes output of the go command and counts packages and downloads in it.
func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rest = append(m.rest, p...)
	for {
		line, rest, ok := bytes.Cut(m.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		m.rest = rest
		switch {
		case isDownload(string(line)):
			m.downloads++
		case isPackage(string(line)):
			m.compiled++
		}
	}
}

func (m *meter) report() {
	m.mu.Lock()
	line := describe(m.what, m.downloads, m.compiled, m.of, m.elapsed(), m.terminal)
	m.mu.Unlock()
	if m.terminal {
		_, _ = fmt.Fprintf(m.out, "\r\033[K%s", line)
		return
	}
	_, _ = fmt.Fprintln(m.out, line)
}

// describe words one report. The linker is the last package, and takes 20 to 60 s by itself.
func describe(what string, downloads, compiled, of int, elapsed string, bar bool) string {
	switch {
	case of == 0:
		return fmt.Sprintf("  %s: %d, %s", what, downloads, elapsed)
	case compiled >= of-1:
		return fmt.Sprintf("  linking, %s", elapsed)
	case !bar:
		return fmt.Sprintf("  %s: %d of %d, %s", what, compiled, of, elapsed)
	}
	full := barWidth * compiled / of
	return fmt.Sprintf("  [%s%s] %d of %d packages, %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), compiled, of, elapsed)
}

// isPackage tells the import path that "go build -v" prints from a message.
func isPackage(line string) bool { return line != "" && !strings.ContainsAny(line, " \t:#") }

func isDownload(line string) bool { return strings.HasPrefix(line, "go: downloading ") }

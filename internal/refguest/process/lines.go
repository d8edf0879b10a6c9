//go:build linux

package process

import (
	"bytes"
	"time"

	"github.com/go-logr/logr"
)

// Bounds of a job's output; what is more is dropped, with a note.
const (
	maxLine   = 1 << 10
	maxOutput = 16 << 10
)

// lines writes a job's output to the log line by line. It is used by one goroutine at a time.
type lines struct {
	log    logr.Logger
	prefix string
	rest   []byte
	total  int
}

// Write never fails: a full log is no reason to end a job.
func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	if l.total > maxOutput {
		return n, nil
	}
	if l.total += n; l.total > maxOutput {
		l.flush()
		l.log.Info(l.prefix + "... (further output of this job is dropped)")
		return n, nil
	}
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			break
		}
		l.print(line)
		l.rest = append(l.rest[:0], rest...)
	}
	if len(l.rest) > maxLine {
		l.flush()
	}
	return n, nil
}

func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.print(l.rest)
		l.rest = l.rest[:0]
	}
}

func (l *lines) print(line []byte) {
	l.log.Info(l.prefix + string(bytes.ToValidUTF8(line[:min(len(line), maxLine)], []byte("?"))))
}

func nap() { time.Sleep(2 * time.Millisecond) }

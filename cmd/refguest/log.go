//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-logr/logr"
)

// console is a logger that writes plain lines to the standard output.
func console(verbosity int) logr.Logger {
	return logr.New(&sink{out: os.Stdout, verbosity: verbosity})
}

// sink writes one line a message: "refguest: Message key=value". What jobs print begins with the
// bracket of their session's name and stays as it is.
type sink struct {
	out       io.Writer
	verbosity int
	values    []any
}

func (s *sink) Init(logr.RuntimeInfo) {}

func (s *sink) Enabled(level int) bool { return level <= s.verbosity }

func (s *sink) Info(_ int, msg string, values ...any) {
	var b strings.Builder
	if !strings.HasPrefix(msg, "[") {
		b.WriteString("refguest: ")
	}
	b.WriteString(msg)
	values = append(s.values[:len(s.values):len(s.values)], values...)
	for i := 0; i+1 < len(values); i += 2 {
		if text := fmt.Sprint(values[i+1]); strings.ContainsAny(text, " \t\n\"") {
			fmt.Fprintf(&b, " %v=%q", values[i], text)
		} else {
			fmt.Fprintf(&b, " %v=%s", values[i], text)
		}
	}
	b.WriteByte('\n')
	_, _ = io.WriteString(s.out, b.String()) // there is no other place to complain
}

func (s *sink) Error(err error, msg string, values ...any) {
	s.Info(0, msg, append([]any{"error", err}, values...)...)
}

func (s *sink) WithValues(values ...any) logr.LogSink {
	c := *s
	c.values = append(s.values[:len(s.values):len(s.values)], values...)
	return &c
}

func (s *sink) WithName(string) logr.LogSink { return s }

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// errCases ends with exitInvalid after the mistakes of single files were told.
var errCases = errors.New("not every file could be simulated")

// simulateCases simulates recorded cases and prints a line for each, also for those that cannot be simulated.
func simulateCases(ctx context.Context, files []string, in io.Reader, out, log io.Writer) (missed int64, err error) {
	encoder := json.NewEncoder(out)
	failed := false
	for _, file := range files {
		text, unreadable := readFile(file, in)
		for number, c := range casesOf(file, text) {
			line, late, err := simfile.Line{Jobs: []simfile.Job{}}, int64(0), unreadable
			if err == nil {
				line, late, err = simulateCase(ctx, c)
			}
			if ctx.Err() != nil {
				return missed, stopped(ctx, err, log)
			}
			if line.ID == "" {
				line.ID = nameOfCase(file, number)
			}
			if err != nil {
				line.Error, failed = oneLine(err), true
				fmt.Fprintf(log, "%s: %s: %s\n", file, line.ID, line.Error)
			}
			missed += late
			if err := encoder.Encode(line); err != nil {
				return missed, err
			}
		}
	}
	if failed {
		return missed, errCases
	}
	return missed, nil
}

// casesOf are the cases of a file: one, or one in each line of JSON Lines.
func casesOf(file string, text []byte) [][]byte {
	if !strings.HasSuffix(file, ".jsonl") {
		return [][]byte{text}
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// nameOfCase stands in for a case that has no name of its own.
func nameOfCase(file string, number int) string {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if number > 0 {
		name += fmt.Sprintf("-%d", number+1)
	}
	return name
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// inCycles are the options of a case's scheduler; others are none of its business. If its cycles are no nanoseconds,
// defaults of times are converted.
func inCycles(c *simfile.File) map[string]string {
	policy, err := sched.Find(c.Scheduler)
	if err != nil {
		return nil
	}
	options := map[string]string{}
	for _, option := range policy.Options() {
		if value, given := c.Options[option.Name]; given {
			options[option.Name] = value
		} else if d, err := time.ParseDuration(option.Default); err == nil && d > 0 {
			options[option.Name] = max(d*time.Duration(c.Cycles)/time.Duration(sim.Millisecond), 1).String()
		}
	}
	return options
}

// simulateCase simulates one case; the line is good for the name also when there is an error.
func simulateCase(ctx context.Context, text []byte) (line simfile.Line, missed int64, err error) {
	line.Jobs = []simfile.Job{}
	c, err := simfile.ParseCase(text)
	if c != nil {
		line.ID = c.Name
	}
	if err != nil {
		return line, 0, err
	}
	scheduler, err := sched.NewWith(c.Scheduler, inCycles(c))
	if err != nil {
		return line, 0, err
	}
	collector := simfile.NewCollector(c)
	totals, err := sim.Run(ctx, &c.System, scheduler, collector)
	if err != nil {
		return line, 0, err
	}
	return collector.Line(), totals.Missed, nil
}

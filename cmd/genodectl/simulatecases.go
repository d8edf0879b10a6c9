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
		text, err := readFile(file, in)
		if err != nil {
			fmt.Fprintf(log, "%s: %v\n", file, err)
			failed = true
			continue
		}
		for number, c := range casesOf(file, text) {
			line, late, err := simulateCase(ctx, c)
			if ctx.Err() != nil {
				return missed, ctx.Err()
			}
			if line.ID == "" {
				line.ID = nameOfCase(file, number)
			}
			if err != nil {
				fmt.Fprintf(log, "%s: %s: %s\n", file, line.ID, oneLine(err))
				line.Error, failed = oneLine(err), true
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
	scheduler, err := sched.NewWith(c.Scheduler, c.Options)
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

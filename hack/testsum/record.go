package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Part is the outcome of one call of testsum, a line of the record.
type Part struct {
	Name     string   `json:"name"`
	Check    bool     `json:"check,omitempty"` // not go test, but a command that succeeds or not
	OK       bool     `json:"ok"`
	Seconds  float64  `json:"seconds"`
	Passed   int      `json:"passed"`
	Failures []string `json:"failures,omitempty"`
	Skips    []Skip   `json:"skips,omitempty"`
}

// print tells the part's own summary.
func (p Part) print(w io.Writer) {
	for _, s := range p.Skips {
		fmt.Fprintf(w, "SKIP\t%s %s: %s\n", s.Package, s.Test, s.Reason)
	}
	for _, f := range p.Failures {
		fmt.Fprintf(w, "FAIL\t%s\n", f)
	}
	fmt.Fprintf(w, "%s: %d passed, %d failed, %d skipped in %s\n",
		p.Name, p.Passed, len(p.Failures), len(p.Skips), rounded(p.Seconds))
}

// appendPart adds a part to the record; an empty path records nothing.
func appendPart(path string, part Part) error {
	if path == "" {
		return nil
	}
	line, err := json.Marshal(part)
	if err != nil {
		return fmt.Errorf("encode the outcome of %s: %w", part.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of the record: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// readParts reads a record.
func readParts(path string) ([]Part, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	defer f.Close()
	var parts []Part
	for dec := json.NewDecoder(bufio.NewReader(f)); dec.More(); {
		var p Part
		if err := dec.Decode(&p); err != nil {
			return nil, fmt.Errorf("read the record %s: %w", path, err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// total tells the sum of a record; its last line is "N passed, N failed".
func total(w io.Writer, path string) error {
	parts, err := readParts(path)
	if err != nil {
		return err
	}
	passed, failed, skipped := 0, 0, 0
	fmt.Fprintln(w, "\nSummary")
	for _, p := range parts {
		fmt.Fprintf(w, "  %-6s %-14s %s\n", verdict(p), p.Name, line(p))
		passed, failed, skipped = passed+p.Passed, failed+len(p.Failures), skipped+len(p.Skips)
	}
	if skipped > 0 {
		fmt.Fprintf(w, "Skipped tests: %d\n", skipped)
		for _, p := range parts {
			for _, s := range p.Skips {
				fmt.Fprintf(w, "  %s %s: %s\n", s.Package, s.Test, s.Reason)
			}
		}
	}
	if failed > 0 {
		fmt.Fprintf(w, "Failures: %d\n", failed)
		for _, p := range parts {
			for _, f := range p.Failures {
				fmt.Fprintf(w, "  %s: %s\n", p.Name, f)
			}
		}
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", passed, failed)
	if failed > 0 || len(parts) == 0 {
		return errFailed
	}
	return nil
}

func verdict(p Part) string {
	if p.OK {
		return "ok"
	}
	return "FAILED"
}

func line(p Part) string {
	if p.Check {
		return rounded(p.Seconds)
	}
	return fmt.Sprintf("%s, %d passed, %d failed, %d skipped", rounded(p.Seconds), p.Passed, len(p.Failures), len(p.Skips))
}

func rounded(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}

// Package export writes the records of a campaign in formats that other programs, and people, read. Everything
// streams: memory does not grow with the campaign.
package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// Format is how records are written.
type Format string

// Formats.
const (
	Table Format = "table" // for terminals: a line for each record
	CSV   Format = "csv"   // a line for each job, or for a record without jobs
	JSON  Format = "json"  // one array of records
	JSONL Format = "jsonl" // a record on each line
	Mongo Format = "mongo" // a document for each task, as taskgen's MongoMonitor made them; for mongoimport
	Text  Format = "text"  // what taskgen's StdOutMonitor printed: jobs of variants that have succeeded
)

// Formats lists all formats.
func Formats() []Format { return []Format{Table, CSV, JSON, JSONL, Mongo, Text} }

// ParseFormat is the format of a name.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("format %q is unknown; use %s", name, strings.Join(names, ", "))
}

// ContentType is the media type of a format.
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case JSON:
		return "application/json"
	case JSONL, Mongo:
		return "application/jsonl"
	}
	return "text/plain; charset=utf-8"
}

// Source is what records come from: a results.Store.
type Source interface {
	Each(ctx context.Context, campaign string, f func(results.Record) error) error
}

// bufferSize is how much is written at a time.
const bufferSize = 64 << 10

// Write writes those records of a campaign that the filter lets through (nil: all of them), in the order in which
// they were written. The campaign has its spec: some formats describe tasks.
func Write(ctx context.Context, w io.Writer, format Format, from Source, c results.Campaign, filter *Filter) error {
	buffer := bufio.NewWriterSize(w, bufferSize)
	encoder, err := NewEncoder(buffer, format)
	if err != nil {
		return err
	}
	tasks := func(uint64) ([]taskset.Task, error) { return nil, nil }
	if encoder.NeedsTasks() {
		if tasks, err = describe(c); err != nil {
			return err
		}
	}
	err = from.Each(ctx, c.ID, func(r results.Record) error {
		if ok, err := filter.Admits(&r); err != nil || !ok {
			return err
		}
		described, err := tasks(r.Variant)
		if err != nil {
			return fmt.Errorf("describe variant %d: %w", r.Variant, err)
		}
		return encoder.Encode(Entry{Name: c.Name, Record: &r, Tasks: described})
	})
	return errors.Join(err, encoder.Close(), buffer.Flush())
}

// describe returns what makes the tasks of a variant, as the campaign did.
func describe(c results.Campaign) (func(n uint64) ([]taskset.Task, error), error) {
	if len(c.Spec) == 0 {
		return nil, fmt.Errorf("campaign %s: the store does not have its spec, so that its tasks cannot be described; use csv, json, jsonl or table", c.ID)
	}
	var spec v1alpha1.TaskSetSpec
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		return nil, fmt.Errorf("campaign %s: read its spec: %w", c.ID, err)
	}
	space, err := variant.Build(&spec, variant.DefaultSeed(c.Seed))
	if err != nil {
		return nil, fmt.Errorf("campaign %s: %w", c.ID, err)
	}
	return space.At, nil
}

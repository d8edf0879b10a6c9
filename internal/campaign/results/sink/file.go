package sink

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
)

// output is a file, or standard output, which stays open.
type output struct {
	*bufio.Writer
	to   io.Writer
	file *os.File // nil: standard output
}

// openOutput opens what a sink writes to; empty says whether nothing is in it yet.
func openOutput(where string, stdout io.Writer) (o *output, empty bool, err error) {
	if where == "" || where == "-" {
		return &output{Writer: bufio.NewWriter(stdout), to: stdout}, true, nil
	}
	f, err := os.OpenFile(where, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, false, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	return &output{Writer: bufio.NewWriter(f), to: f, file: f}, info.Size() == 0, nil
}

// Flush writes what is buffered. A failure is forgotten afterwards: the disk may have space again.
func (o *output) Flush() error {
	err := o.Writer.Flush()
	if err != nil {
		o.Reset(o.to)
	}
	return err
}

func (o *output) Close() error {
	err := o.Flush()
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}

// records is a sink that writes records in a format.
type records struct {
	*output
	encoder *export.Encoder
}

func openText(_ context.Context, where string, stdout io.Writer) (Sink, error) {
	return openRecords(where, stdout, export.Text)
}

func openCSV(_ context.Context, where string, stdout io.Writer) (Sink, error) {
	return openRecords(where, stdout, export.CSV)
}

func openRecords(where string, stdout io.Writer, format export.Format) (Sink, error) {
	o, empty, err := openOutput(where, stdout)
	if err != nil {
		return nil, err
	}
	encoder, err := export.NewEncoder(o, format)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	if !empty {
		encoder.Continue()
	}
	return &records{output: o, encoder: encoder}, nil
}

// Notify implements Sink.
func (r *records) Notify(_ context.Context, notices ...results.Notice) error {
	var errs []error
	for i := range notices {
		if n := &notices[i]; n.Record != nil {
			errs = append(errs, r.encoder.Encode(export.Entry{Name: n.Name, Record: n.Record, Tasks: n.Tasks}))
		}
	}
	return errors.Join(append(errs, r.Flush())...)
}

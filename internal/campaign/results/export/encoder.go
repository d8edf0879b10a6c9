package export

import (
	"fmt"
	"io"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Entry is a record with what formats want to know besides.
type Entry struct {
	Name   string // of the campaign, namespace/name
	Record *results.Record
	Tasks  []taskset.Task // of the variant; nil unless NeedsTasks
}

// Encoder writes records in a format.
type Encoder struct {
	form form
	open bool // the head was written
}

// form is a format at work.
type form interface {
	head() error
	entry(Entry) error
	tail() error
}

// NewEncoder makes an Encoder that writes to w.
func NewEncoder(w io.Writer, format Format) (*Encoder, error) {
	switch format {
	case Table:
		return &Encoder{form: &table{w: w}}, nil
	case CSV:
		return &Encoder{form: newSheet(w)}, nil
	case JSON:
		return &Encoder{form: &array{w: w}}, nil
	case JSONL:
		return &Encoder{form: &lines{w: w}}, nil
	case Mongo:
		return &Encoder{form: &documents{w: w}}, nil
	case Text:
		return &Encoder{form: &text{w: w}}, nil
	}
	_, err := ParseFormat(string(format))
	return nil, err
}

// NeedsTasks reports whether the format tells of tasks.
func (e *Encoder) NeedsTasks() bool {
	switch e.form.(type) {
	case *documents, *text:
		return true
	}
	return false
}

// Encode writes a record.
func (e *Encoder) Encode(entry Entry) error {
	if err := e.begin(); err != nil {
		return err
	}
	if err := e.form.entry(entry); err != nil {
		return fmt.Errorf("write the record of variant %d: %w", entry.Record.Variant, err)
	}
	return nil
}

// Continue leaves out what belongs at the beginning, because it is there already.
func (e *Encoder) Continue() { e.open = true }

// Close writes what belongs at the end, also of no records at all.
func (e *Encoder) Close() error {
	if err := e.begin(); err != nil {
		return err
	}
	return e.form.tail()
}

func (e *Encoder) begin() error {
	if e.open {
		return nil
	}
	e.open = true
	return e.form.head()
}

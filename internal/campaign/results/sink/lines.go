package sink

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
)

// Line is a notice in JSON.
type Line struct {
	Time     time.Time          `json:"time"`
	Notice   results.NoticeKind `json:"notice"`
	Campaign string             `json:"campaign"` // UID of the TaskSet
	Name     string             `json:"name,omitempty"`
	Variant  uint64             `json:"variant"`
	Attempt  int32              `json:"attempt"`
	Target   string             `json:"target"`
	Address  string             `json:"address,omitempty"`
	Events   []Event            `json:"events,omitempty"` // of Observed
	Record   *export.Record     `json:"record,omitempty"` // of Finished, and of Stopped if the attempt was recorded
}

// Event is one that the target reported. Stamp is milliseconds of the target's clock.
type Event struct {
	Type     string    `json:"type"`
	Task     string    `json:"task,omitempty"` // empty if the variant has no task of this number
	ID       int       `json:"id"`
	Stamp    int64     `json:"stampMilliseconds"`
	Received time.Time `json:"received"`
}

// LineOf is a notice in JSON.
func LineOf(n *results.Notice) Line {
	l := Line{
		Time: n.Time.UTC(), Notice: n.Kind, Campaign: n.Campaign, Name: n.Name, Variant: n.Variant, Attempt: n.Attempt,
		Target: n.Target, Address: n.Address,
	}
	for _, e := range n.Events {
		event := Event{Type: e.Type, ID: e.TaskID, Stamp: e.Stamp, Received: e.Received.UTC()}
		for i := range n.Tasks {
			if n.Tasks[i].ID == e.TaskID {
				event.Task = n.Tasks[i].Name
			}
		}
		l.Events = append(l.Events, event)
	}
	if n.Record != nil {
		r := export.RecordOf(n.Name, n.Record)
		l.Record = &r
	}
	return l
}

// lines is the sink jsonl.
type lines struct{ *output }

func openLines(_ context.Context, where string, stdout io.Writer) (Sink, error) {
	o, _, err := openOutput(where, stdout)
	if err != nil {
		return nil, err
	}
	return &lines{o}, nil
}

// Notify implements Sink.
func (l *lines) Notify(_ context.Context, notices ...results.Notice) error {
	var errs []error
	encoder := json.NewEncoder(l)
	encoder.SetEscapeHTML(false)
	for i := range notices {
		errs = append(errs, encoder.Encode(LineOf(&notices[i])))
	}
	return errors.Join(append(errs, l.Flush())...)
}

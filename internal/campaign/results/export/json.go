package export

import (
	"encoding/json"
	"io"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// Record is a record in JSON, and what filters see.
type Record struct {
	Campaign      string          `json:"campaign"` // UID of the TaskSet
	Name          string          `json:"name,omitempty"`
	Variant       uint64          `json:"variant"`
	Attempt       int32           `json:"attempt"`
	Final         bool            `json:"final"`
	Succeeded     bool            `json:"succeeded"`
	Reason        string          `json:"reason"`
	Message       string          `json:"message,omitempty"`
	Target        string          `json:"target"`
	Address       string          `json:"address"`
	Generation    string          `json:"generation"`
	HostClass     string          `json:"hostClass,omitempty"`
	ImageDigest   string          `json:"imageDigest,omitempty"`
	AfterRecovery string          `json:"afterRecovery,omitempty"`
	Incarnation   int64           `json:"incarnation"`
	Values        json.RawMessage `json:"values"`
	Started       time.Time       `json:"started"`
	Ended         time.Time       `json:"ended"`
	BytesIn       int64           `json:"bytesIn"`
	BytesOut      int64           `json:"bytesOut"`
	Analysis      json.RawMessage `json:"analysis,omitempty"`
	Jobs          []Job           `json:"jobs"`
}

// Job is one job of a record. Times are milliseconds of the target's clock; null: not reported.
type Job struct {
	Task     string `json:"task"`
	Number   int32  `json:"number"`
	Start    *int64 `json:"startMilliseconds"`
	End      *int64 `json:"endMilliseconds"`
	Released *int64 `json:"releasedMilliseconds,omitempty"`
	Response *int64 `json:"responseMilliseconds"` // from release, where it is known, or else from start, to end
	Outcome  string `json:"outcome"`
}

// RecordOf is a record of a campaign of that name in JSON.
func RecordOf(name string, r *results.Record) Record {
	out := Record{
		Campaign: r.Campaign, Name: name, Variant: r.Variant, Attempt: r.Attempt, Final: r.Final, Succeeded: r.Succeeded,
		Reason: r.Reason, Message: r.Message, Target: r.Target, Address: r.Address, Generation: r.Generation,
		HostClass: r.HostClass, ImageDigest: r.ImageDigest, AfterRecovery: r.AfterRecovery, Incarnation: r.Incarnation,
		Values: json.RawMessage(`{}`), Started: r.Started.UTC(), Ended: r.Ended.UTC(), BytesIn: r.BytesIn, BytesOut: r.BytesOut,
		Jobs: make([]Job, len(r.Jobs)),
	}
	if json.Valid([]byte(r.Values)) {
		out.Values = json.RawMessage(r.Values)
	}
	if json.Valid([]byte(r.Analysis)) {
		out.Analysis = json.RawMessage(r.Analysis)
	}
	for i, j := range r.Jobs {
		out.Jobs[i] = Job{Task: j.Task, Number: j.Number, Start: j.Start, End: j.End, Released: j.Released, Outcome: j.Outcome}
		if ms, known := j.Response(); known {
			out.Jobs[i].Response = &ms
		}
	}
	return out
}

// lines is the format JSONL.
type lines struct{ w io.Writer }

func (l *lines) head() error { return nil }
func (l *lines) tail() error { return nil }

func (l *lines) entry(e Entry) error { return writeJSON(l.w, RecordOf(e.Name, e.Record), "\n") }

// array is the format JSON.
type array struct {
	w     io.Writer
	comma string
}

func (a *array) head() error { return write(a.w, "[") }
func (a *array) tail() error { return write(a.w, "\n]\n") }

func (a *array) entry(e Entry) error {
	if err := write(a.w, a.comma+"\n"); err != nil {
		return err
	}
	a.comma = ","
	return writeJSON(a.w, RecordOf(e.Name, e.Record), "")
}

func write(w io.Writer, s string) error {
	_, err := io.WriteString(w, s)
	return err
}

func writeJSON(w io.Writer, v any, end string) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, end...))
	return err
}

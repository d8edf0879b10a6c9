package export

import (
	"io"
	"time"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Document is what taskgen's MongoMonitor put into the collection for each task, and what it left out: which
// variant it was, where it ran, and how it went.
type Document struct {
	Description Description `json:"description" bson:"description"`
	Jobs        []Dates     `json:"jobs" bson:"jobs"`
	Provenance  Provenance  `json:"provenance" bson:"provenance"`
}

// Description is a task as taskgen described it. Times are milliseconds.
type Description struct {
	ID            int            `json:"id" bson:"id"`
	Priority      uint32         `json:"priority" bson:"priority"`
	Quota         string         `json:"quota" bson:"quota"`
	Pkg           string         `json:"pkg" bson:"pkg"`
	Config        map[string]any `json:"config" bson:"config"`
	Period        uint32         `json:"period" bson:"period"`
	NumberOfJobs  uint32         `json:"numberofjobs" bson:"numberofjobs"`
	CriticalTime  uint32         `json:"criticaltime,omitempty" bson:"criticaltime,omitempty"`
	ExecutionTime uint32         `json:"executiontime,omitempty" bson:"executiontime,omitempty"`
	Deadline      uint32         `json:"deadline,omitempty" bson:"deadline,omitempty"`
	Offset        uint32         `json:"offset,omitempty" bson:"offset,omitempty"`
	Caps          uint32         `json:"caps,omitempty" bson:"caps,omitempty"`
	Cores         uint32         `json:"cores,omitempty" bson:"cores,omitempty"`
	CoreOffset    uint32         `json:"coreoffset,omitempty" bson:"coreoffset,omitempty"`
}

// Dates are start and end of a job, in milliseconds of the target's clock; null: not reported.
type Dates struct {
	Start *int64 `json:"start_date" bson:"start_date"`
	End   *int64 `json:"end_date" bson:"end_date"`
}

// Provenance is what joins the documents of one attempt. Outcomes are those of the jobs, one for each.
type Provenance struct {
	Campaign   string    `json:"campaign" bson:"campaign"`
	Name       string    `json:"name,omitempty" bson:"name,omitempty"`
	Variant    int64     `json:"variant" bson:"variant"`
	Attempt    int32     `json:"attempt" bson:"attempt"`
	Final      bool      `json:"final" bson:"final"`
	Succeeded  bool      `json:"succeeded" bson:"succeeded"`
	Reason     string    `json:"reason" bson:"reason"`
	Task       string    `json:"task" bson:"task"`
	Outcomes   []string  `json:"outcomes" bson:"outcomes"`
	Target     string    `json:"target" bson:"target"`
	Address    string    `json:"address" bson:"address"`
	Generation string    `json:"generation" bson:"generation"`
	Started    time.Time `json:"started" bson:"started"`
	Ended      time.Time `json:"ended" bson:"ended"`
}

// Documents makes the documents of an attempt.
func Documents(e Entry) []Document {
	out := make([]Document, len(e.Tasks))
	for i := range e.Tasks {
		out[i] = Document{Description: describeTask(&e.Tasks[i]), Jobs: []Dates{}, Provenance: provenanceOf(e, e.Tasks[i].Name)}
		for _, j := range e.Record.Jobs {
			if j.Task == e.Tasks[i].Name {
				out[i].Jobs = append(out[i].Jobs, Dates{Start: j.Start, End: j.End})
				out[i].Provenance.Outcomes = append(out[i].Provenance.Outcomes, j.Outcome)
			}
		}
	}
	return out
}

func provenanceOf(e Entry, task string) Provenance {
	r := e.Record
	return Provenance{
		Campaign: r.Campaign, Name: e.Name, Variant: int64(r.Variant), Attempt: r.Attempt, Final: r.Final, Succeeded: r.Succeeded,
		Reason: r.Reason, Task: task, Outcomes: []string{}, Target: r.Target, Address: r.Address, Generation: r.Generation,
		Started: r.Started.UTC(), Ended: r.Ended.UTC(),
	}
}

func describeTask(t *taskset.Task) Description {
	return Description{
		ID: t.ID, Priority: t.Priority, Quota: taskset.QuotaText(t.Quota), Pkg: t.Pkg, Config: treeOf(t.Config), Period: t.Period,
		NumberOfJobs: t.NumberOfJobs, CriticalTime: t.CriticalTime, ExecutionTime: t.ExecutionTime, Deadline: t.Deadline,
		Offset: t.Offset, Caps: t.Caps, Cores: t.Cores, CoreOffset: t.CoreOffset,
	}
}

// treeOf is a config as an object; elements of one name are an array.
func treeOf(config taskset.Config) map[string]any {
	tree := map[string]any{}
	count := map[string]int{}
	for _, n := range config {
		value := any(numberOf(n.Text))
		if len(n.Children) > 0 {
			value = treeOf(n.Children)
		}
		switch count[n.Name]++; count[n.Name] {
		case 1:
			tree[n.Name] = value
		case 2:
			tree[n.Name] = []any{tree[n.Name], value}
		default:
			tree[n.Name] = append(tree[n.Name].([]any), value)
		}
	}
	return tree
}

// documents is the format Mongo: a line for each document. Times of day are texts in it, in ISO 8601.
type documents struct{ w io.Writer }

func (d *documents) head() error { return nil }
func (d *documents) tail() error { return nil }

func (d *documents) entry(e Entry) error {
	for _, document := range Documents(e) {
		if err := writeJSON(d.w, document, "\n"); err != nil {
			return err
		}
	}
	return nil
}

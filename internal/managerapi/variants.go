package managerapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Variant is the answer of /v1/namespaces/NS/tasksets/NAME/variants/N.
type Variant struct {
	Campaign    string          `json:"campaign"` // UID of the TaskSet
	Variant     uint64          `json:"variant"`
	Total       uint64          `json:"total"`
	Seed        int64           `json:"seed"`
	Values      json.RawMessage `json:"values"` // what the sweeps chose: {"task.attribute": value}
	Tasks       []Task          `json:"tasks"`
	Description string          `json:"description"` // XML, as the target reads it: everything about the tasks
	Attempts    []Attempt       `json:"attempts"`    // in order; none yet: not run
}

// Task says which number in descriptions and events is which task.
type Task struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Pkg  string `json:"pkg"`
}

// Attempt is one record.
type Attempt struct {
	Number     int32     `json:"number"`
	Final      bool      `json:"final"`
	Succeeded  bool      `json:"succeeded"`
	Reason     string    `json:"reason"`
	Message    string    `json:"message,omitempty"`
	Target     string    `json:"target"`
	Address    string    `json:"address"`
	Generation string    `json:"generation"`
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended"`
	Jobs       []Job     `json:"jobs,omitempty"`
}

// Job is one job of an attempt. Times are milliseconds of the target's clock; null: not reported.
type Job struct {
	Task    string `json:"task"`
	Number  int32  `json:"number"`
	Start   *int64 `json:"startMilliseconds"`
	End     *int64 `json:"endMilliseconds"`
	Outcome string `json:"outcome"`
	// Released is when a simulated job was released; other targets do not say it.
	Released *int64 `json:"releasedMilliseconds,omitempty"`
}

// variant answers what is known of one variant.
func (s *Server) variant(w http.ResponseWriter, r *http.Request) {
	v, err := s.describe(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	answer(w, v)
}

func (s *Server) describe(r *http.Request) (*Variant, error) {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 63)
	if err != nil {
		return nil, invalid(fmt.Sprintf("variant %.30q: give a number from 0", r.PathValue("number")))
	}
	c, err := s.campaign(r)
	if err != nil {
		return nil, err
	}
	if number >= c.Total {
		return nil, notFound(fmt.Sprintf("variant %d: the campaign has variants 0 to %d", number, c.Total-1))
	}
	var spec v1alpha1.TaskSetSpec
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		return nil, fmt.Errorf("read the spec of campaign %s: %w", c.ID, err)
	}
	spec.Seed = &c.Seed // that of the records, whatever it would be made from today
	plan, err := campaign.FromSpec(c.ID, c.Name, &spec)
	if err != nil {
		return nil, fmt.Errorf("campaign %s: %w", c.ID, err)
	}
	tasks, err := plan.Space.At(number)
	if err != nil {
		return nil, notFound(fmt.Sprintf("variant %d cannot be made: %v", number, err))
	}
	v := &Variant{
		Campaign: c.ID, Variant: number, Total: c.Total, Seed: c.Seed, Values: json.RawMessage(plan.Space.Values(number)),
		Description: string(taskset.Description(tasks)), Attempts: []Attempt{},
	}
	for _, t := range tasks {
		v.Tasks = append(v.Tasks, Task{ID: t.ID, Name: t.Name, Pkg: t.Pkg})
	}
	err = s.options.Store.Each(r.Context(), c.ID, func(rec results.Record) error {
		if rec.Variant == number {
			v.Attempts = append(v.Attempts, attemptOf(rec))
		}
		return nil
	})
	return v, err
}

func attemptOf(r results.Record) Attempt {
	a := Attempt{
		Number: r.Attempt, Final: r.Final, Succeeded: r.Succeeded, Reason: r.Reason, Message: r.Message, Target: r.Target,
		Address: r.Address, Generation: r.Generation, Started: r.Started, Ended: r.Ended,
	}
	for _, j := range r.Jobs {
		a.Jobs = append(a.Jobs, Job(j))
	}
	return a
}

// campaign finds the campaign of the TaskSet in the path, if the user may get that: the newest of the name, or
// the one that ?campaign=UID names. A TaskSet that is gone has left its campaign in the store.
func (s *Server) campaign(r *http.Request) (results.Campaign, error) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	if len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return results.Campaign{}, invalid(fmt.Sprintf("%.64q in namespace %.64q is no name of a TaskSet", name, namespace))
	}
	if err := may(r, Access{Verb: "get", Resource: "tasksets", Namespace: namespace, Name: name}); err != nil {
		return results.Campaign{}, err
	}
	all, err := s.options.Store.Campaigns(r.Context())
	if err != nil {
		return results.Campaign{}, err
	}
	id := r.URL.Query().Get("campaign")
	mine := slices.DeleteFunc(all, func(c results.Campaign) bool {
		return c.Name != namespace+"/"+name || id != "" && c.ID != id
	})
	if len(mine) == 0 {
		return results.Campaign{}, notFound(fmt.Sprintf("no campaign of TaskSet %s in namespace %s is in the results store", name, namespace))
	}
	return slices.MaxFunc(mine, func(a, b results.Campaign) int { return cmp.Compare(a.Begun.UnixMicro(), b.Begun.UnixMicro()) }), nil
}

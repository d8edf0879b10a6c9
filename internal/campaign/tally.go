package campaign

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// Bounds of what a Tally remembers of single jobs and attempts.
const (
	MaxRecentJobs     = 40
	MaxRecentFailures = 8
)

// Tally sums up the records of a campaign in bounded memory. It is not safe for concurrent use.
type Tally struct {
	Succeeded, Failed, Retried int64
	Tasks                      map[string]*TaskTally
	RecentJobs                 []RecentJob      // newest first
	RecentFailures             []results.Record // newest first, without jobs
	FirstStart, LastEnd        time.Time
	Skipped                    int64 // left out because of their analysis
	Analysis                   AnalysisTally
}

// TaskTally sums up the jobs of one task. Times are milliseconds.
type TaskTally struct {
	Jobs, Failed  int64
	Measured      int64 // jobs with a start and an end
	Min, Max, Sum int64 // of the response times of these
}

// RecentJob is a job with the record it came from.
type RecentJob struct {
	results.Job
	Record *results.Record // without jobs
}

// NewTally makes an empty Tally.
func NewTally() *Tally { return &Tally{Tasks: map[string]*TaskTally{}} }

// Add counts a record. Jobs of attempts that were not final are not counted: another attempt at the
// same variant follows.
func (t *Tally) Add(r results.Record) {
	slim := r
	slim.Jobs = nil
	if t.FirstStart.IsZero() || r.Started.Before(t.FirstStart) {
		t.FirstStart = r.Started
	}
	if r.Ended.After(t.LastEnd) {
		t.LastEnd = r.Ended
	}
	skipped := r.Reason == ReasonNotSchedulable
	if !r.Succeeded && !skipped {
		t.RecentFailures = push(t.RecentFailures, slim, MaxRecentFailures)
	}
	switch {
	case !r.Final:
		t.Retried++
		return
	case skipped:
		t.Skipped++
	case r.Succeeded:
		t.Succeeded++
	default:
		t.Failed++
	}
	t.Analysis.add(&r)
	for _, j := range r.Jobs {
		t.addJob(j)
		t.RecentJobs = push(t.RecentJobs, RecentJob{Job: j, Record: &slim}, MaxRecentJobs)
	}
}

func (t *Tally) addJob(j results.Job) {
	task := t.Tasks[j.Task]
	if task == nil {
		task = &TaskTally{}
		t.Tasks[j.Task] = task
	}
	task.Jobs++
	if j.Outcome != session.EventExit && j.Outcome != session.EventExitExternal { // which only a stop causes
		task.Failed++
	}
	if ms, ok := j.Response(); ok {
		if task.Measured == 0 || ms < task.Min {
			task.Min = ms
		}
		task.Max = max(task.Max, ms)
		task.Sum += ms
		task.Measured++
	}
}

// push puts x in front of a list of at most n.
func push[T any](list []T, x T, n int) []T {
	if len(list) < n {
		var zero T
		list = append(list, zero)
	}
	copy(list[1:], list)
	list[0] = x
	return list
}

// clone makes a copy that later Adds do not touch.
func (t *Tally) clone() Tally {
	c := *t
	c.Tasks = make(map[string]*TaskTally, len(t.Tasks))
	for name, task := range t.Tasks {
		copied := *task
		c.Tasks[name] = &copied
	}
	c.RecentJobs = append([]RecentJob(nil), t.RecentJobs...)
	c.RecentFailures = append([]results.Record(nil), t.RecentFailures...)
	return c
}

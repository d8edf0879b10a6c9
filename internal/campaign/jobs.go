package campaign

import (
	"fmt"
	"math"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// maxJobs bounds the jobs of a variant that are recorded. More are only counted.
const maxJobs = 100_000

// tracker turns the events of one variant into jobs and says when the variant is complete: every task
// has ended the wanted number of jobs, or has said that it will release no more of them. It is pure.
type tracker struct {
	tasks map[int]*taskJobs
	order []int
	seen  bool  // an event of our tasks has come
	kept  int   // jobs that are recorded
	more  int64 // jobs that are only counted
}

type taskJobs struct {
	name   string
	wanted int32
	jobs   []results.Job // ended ones, at most wanted
	open   *int64        // start of the running job
	ended  int32         // also those beyond wanted
	closed bool          // JOBS_DONE or NOT_SCHEDULED: no further job will come
	once   bool          // has no period: is released once
}

// newTracker makes the tracker of a variant. If all jobs are wanted, however many they are, it is never complete
// by their number.
func newTracker(tasks []taskset.Task, jobsPerTask int32, all bool) *tracker {
	t := &tracker{tasks: make(map[int]*taskJobs, len(tasks)), order: make([]int, 0, len(tasks))}
	for _, task := range tasks {
		wanted := int32(task.Jobs(uint32(jobsPerTask)))
		if all {
			wanted = math.MaxInt32
		}
		t.tasks[task.ID] = &taskJobs{name: task.Name, wanted: wanted, once: task.Period == 0}
		t.order = append(t.order, task.ID)
	}
	return t
}

// observe takes one event. A job that was started twice is taken to have started the second time; an
// end without a start is a job without a start.
func (t *tracker) observe(e session.Event) {
	task := t.tasks[e.TaskID]
	if task == nil {
		return // not ours, and harmless
	}
	t.seen = true
	stamp := e.Stamp
	switch {
	case e.Type == session.EventStart:
		task.open = &stamp
	case e.Type == session.EventJobsDone:
		task.closed = true
	case e.Type == session.EventNotScheduled:
		t.end(task, nil, e)
		task.closed = true
	case e.Ends():
		t.end(task, &stamp, e)
	}
}

func (t *tracker) end(j *taskJobs, at *int64, e session.Event) {
	j.ended++
	switch {
	case j.ended > j.wanted:
	case t.kept >= maxJobs:
		t.more++
	default:
		t.kept++
		j.jobs = append(j.jobs, results.Job{Task: j.name, Number: j.ended, Start: j.open, End: at, Outcome: e.Type, Released: e.Released})
	}
	j.open = nil
}

// silent reports whether nothing was heard of the tasks.
func (t *tracker) silent() bool { return !t.seen }

// remark is what the record of a complete variant has to say about its jobs; mostly nothing.
func (t *tracker) remark() string {
	if t.more == 0 {
		return ""
	}
	return fmt.Sprintf("%d further jobs were counted but not recorded: a record has room for %d", t.more, maxJobs)
}

// complete reports whether the variant is complete.
func (t *tracker) complete() bool {
	for _, task := range t.tasks {
		if !task.closed && task.ended < task.wanted {
			return false
		}
	}
	return true
}

// over reports whether no task can have a job any more.
func (t *tracker) over() bool {
	for _, task := range t.tasks {
		if !task.closed && !(task.once && task.ended > 0) {
			return false
		}
	}
	return true
}

// overdue says of a variant that took too long which task had not ended its jobs.
func (t *tracker) overdue(limit time.Duration) error {
	for _, id := range t.order {
		if task := t.tasks[id]; !task.closed && task.ended < task.wanted {
			return fmt.Errorf("task %s had ended %d of %d jobs after %s", task.name, task.ended, task.wanted, limit.Round(time.Millisecond))
		}
	}
	return fmt.Errorf("the target was not at rest after %s", limit.Round(time.Millisecond))
}

// jobs are the ended jobs, task by task.
func (t *tracker) jobs() []results.Job {
	var out []results.Job
	for _, id := range t.order {
		out = append(out, t.tasks[id].jobs...)
	}
	return out
}

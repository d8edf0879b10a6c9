package campaign

import (
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// tracker turns the events of one variant into jobs and says when the variant is complete: every task
// has ended the wanted number of jobs, or has said that it will release no more of them. It is pure.
type tracker struct {
	tasks map[int]*taskJobs
	order []int
	alien int // events of tasks that are not ours; recorded as a number, and harmless
}

type taskJobs struct {
	name   string
	wanted int32
	jobs   []results.Job // ended ones, at most wanted
	open   *int64        // start of the running job
	ended  int32         // also those beyond wanted
	closed bool          // JOBS_DONE or NOT_SCHEDULED: no further job will come
}

func newTracker(tasks []taskset.Task, jobsPerTask int32) *tracker {
	t := &tracker{tasks: map[int]*taskJobs{}}
	for _, task := range tasks {
		t.tasks[task.ID] = &taskJobs{name: task.Name, wanted: int32(task.Jobs(uint32(jobsPerTask)))}
		t.order = append(t.order, task.ID)
	}
	return t
}

// observe takes one event. A job that was started twice is taken to have started the second time; an
// end without a start is a job without a start.
func (t *tracker) observe(e session.Event) {
	task := t.tasks[e.TaskID]
	switch {
	case task == nil:
		t.alien++
	case e.Type == session.EventStart:
		stamp := e.Stamp
		task.open = &stamp
	case e.Type == session.EventJobsDone:
		task.closed = true
	case e.Type == session.EventNotScheduled:
		task.end(nil, e.Type)
		task.closed = true
	case e.Ends():
		stamp := e.Stamp
		task.end(&stamp, e.Type)
	default:
		t.alien++
	}
}

func (j *taskJobs) end(at *int64, outcome string) {
	j.ended++
	if j.ended <= j.wanted {
		j.jobs = append(j.jobs, results.Job{Task: j.name, Number: j.ended, Start: j.open, End: at, Outcome: outcome})
	}
	j.open = nil
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

// missing names a task that has not ended its jobs, with what it has; for the message of a time-out.
func (t *tracker) missing() (name string, ended, wanted int32) {
	for _, id := range t.order {
		if task := t.tasks[id]; !task.closed && task.ended < task.wanted {
			return task.name, task.ended, task.wanted
		}
	}
	return "", 0, 0
}

// jobs are the ended jobs, task by task.
func (t *tracker) jobs() []results.Job {
	var out []results.Job
	for _, id := range t.order {
		out = append(out, t.tasks[id].jobs...)
	}
	return out
}

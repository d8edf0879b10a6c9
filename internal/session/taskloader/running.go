package taskloader

import (
	"slices"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// running knows of one variant which of its tasks may still have a job. It is pure.
type running struct {
	tasks    map[int]*taskState
	stopping bool // STOP was sent
	// suspicious is true while jobs of the variant before may still report how CLEAR ended them.
	suspicious bool
}

type taskState struct {
	once   bool // has one job at most
	seen   bool // an event of it was admitted
	atRest bool // has no job and gets none
}

func newRunning(tasks []taskset.Task, generation string, suspicious bool) *running {
	r := &running{tasks: map[int]*taskState{}, suspicious: suspicious}
	for _, t := range tasks {
		r.tasks[t.ID] = &taskState{once: t.Period == 0 || generation == taskset.G2017}
	}
	return r
}

// stale is the number of leading events of a frame that belong to the variant before. A target's log is
// in order, and only our own STOP and CLEAR end a job with EXIT_EXTERNAL: up to the last one of these,
// before STOP, everything is old. The first frame without any ends the suspicion.
func (r *running) stale(events []framing.Event) int {
	if !r.suspicious || r.stopping || len(events) == 0 {
		return 0
	}
	for i, e := range slices.Backward(events) {
		if e.Type == session.EventExitExternal {
			return i + 1
		}
	}
	r.suspicious = false
	return 0
}

// admit takes note of an event. It returns false for one that belongs to the variant before: that a
// task has done all its jobs cannot be the first thing that is heard of it.
func (r *running) admit(e session.Event) bool {
	t, known := r.tasks[e.TaskID]
	if !known {
		return true // recorded, whatever it is
	}
	if e.Type == session.EventJobsDone && !t.seen {
		return false
	}
	t.seen = true
	switch {
	case e.Type == session.EventNotScheduled, e.Type == session.EventJobsDone,
		e.Ends() && t.once, e.Type == session.EventExitExternal && r.stopping:
		t.atRest = true
	}
	return true
}

// mayRun reports whether any task may have a job, now or later.
func (r *running) mayRun() bool {
	for _, t := range r.tasks {
		if !t.atRest {
			return true
		}
	}
	return false
}

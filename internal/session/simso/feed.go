package simso

import (
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Bounds of the events that wait to be fetched.
const (
	batchSize = 256
	batches   = 4
)

// feed turns what a simulation tells into events. The simulation waits while nobody fetches them.
type feed struct {
	seat   *seat
	clock  clock.PassiveClock
	tasks  []taskset.Task
	out    chan []session.Event
	batch  []session.Event
	open   []*int64 // by task: release of the job that has begun and not ended
	closed []bool
	now    sim.Time // of the newest event
}

var (
	_ sim.Observer = (*feed)(nil)
	_ sim.Beginner = (*feed)(nil)
)

func newFeed(tasks []taskset.Task, s *seat, c clock.PassiveClock) *feed {
	return &feed{
		seat: s, clock: c, tasks: tasks, out: make(chan []session.Event, batches),
		open: make([]*int64, len(tasks)), closed: make([]bool, len(tasks)),
	}
}

// Began implements sim.Beginner.
func (f *feed) Began(j *sim.Job, at sim.Time) {
	f.open[j.Index] = stamp(j.Released)
	f.put(session.EventStart, j.Index, at, f.open[j.Index])
}

// Job implements sim.Observer.
func (f *feed) Job(r *sim.Record) {
	task := &f.tasks[r.Index]
	switch {
	case r.Ended != sim.Never:
		f.put(outcome(r, task), r.Index, r.Ended, stamp(r.Released))
		f.open[r.Index] = nil
	case r.Missed: // it is late already, and the simulation is over
		f.put(session.EventExitPeriod, r.Index, f.now, stamp(r.Released))
		f.open[r.Index] = nil
	}
	if r.Number == int64(task.NumberOfJobs) || task.Period == 0 {
		f.done(r.Index)
	}
}

// outcome is how a taskloader names the end of a job.
func outcome(r *sim.Record, t *taskset.Task) string {
	switch {
	case !r.Aborted:
		return session.EventExit
	case t.CriticalTime > 0 && r.Ended-r.Released >= ms(t.CriticalTime):
		return session.EventExitCritical
	}
	return session.EventExitPeriod
}

// end tells of what is still open when the simulation is over, or was stopped.
func (f *feed) end(stopped bool) {
	for i, released := range f.open {
		if released != nil {
			f.put(session.EventExitExternal, i, f.now, released)
		}
	}
	for i := range f.tasks {
		if !stopped {
			f.done(i)
		}
	}
	f.flush()
}

func (f *feed) done(task int) {
	if !f.closed[task] {
		f.closed[task] = true
		f.put(session.EventJobsDone, task, f.now, nil)
	}
}

func (f *feed) put(kind string, task int, at sim.Time, released *int64) {
	f.now = max(f.now, at)
	if f.batch == nil {
		f.batch = make([]session.Event, 0, batchSize)
	}
	f.batch = append(f.batch, session.Event{
		Type: kind, TaskID: f.tasks[task].ID, Stamp: at / sim.Millisecond, Received: f.clock.Now(), Released: released,
	})
	if len(f.batch) == batchSize {
		f.flush()
	}
}

// flush hands a batch over. While it waits, another simulation may have the processor.
func (f *feed) flush() {
	if len(f.batch) == 0 {
		return
	}
	batch := f.batch
	f.batch = nil
	select {
	case f.out <- batch:
		return
	default:
	}
	f.seat.leave()
	defer f.seat.take()
	select {
	case f.out <- batch:
	case <-f.seat.stop:
	}
}

func stamp(t sim.Time) *int64 {
	n := t / sim.Millisecond
	return &n
}

package render

import (
	"cmp"
	"slices"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Window is a span of simulated time; both ends belong to it. To 0 is the end of the simulation.
type Window struct{ From, To sim.Time }

// DefaultLimit is the number of jobs and segments that a Recorder keeps, some 10 MB.
const DefaultLimit = 200_000

// Recorder is a sim.Observer that copies the records of one run. Records that do not touch its window are
// summed up only.
type Recorder struct {
	system  *sim.System
	window  Window
	limit   int
	jobs    []sim.Record
	items   int // jobs and their segments
	dropped int64
	known   sim.Time // everything released before was kept
	tasks   []Summary
}

// NewRecorder makes a Recorder for one run of a system. It keeps up to limit jobs and segments, 0 is
// DefaultLimit, and at times a quarter more.
func NewRecorder(s *sim.System, w Window, limit int) *Recorder {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Recorder{system: s, window: w.within(s), limit: limit, known: sim.Never, tasks: make([]Summary, len(s.Tasks))}
}

// within resolves the end of a window.
func (w Window) within(s *sim.System) Window {
	if w.To <= 0 || w.To > s.Duration {
		w.To = s.Duration
	}
	w.From = min(max(w.From, 0), w.To)
	return w
}

// Job implements sim.Observer.
func (r *Recorder) Job(j *sim.Record) {
	r.tasks[j.Index].add(j)
	if !r.window.touches(j) {
		return
	}
	if j.Released >= r.known {
		r.dropped++
		return
	}
	c := *j
	c.Segments = slices.Clone(j.Segments)
	r.jobs = append(r.jobs, c)
	r.items += weight(j)
	if r.items > r.limit+r.limit/4 {
		r.shrink()
	}
}

// touches reports whether any part of a job lies in the window: it ends with its end or its deadline,
// whichever is later, or never.
func (w Window) touches(j *sim.Record) bool {
	last := j.Ended
	if j.Deadline != sim.Never {
		last = max(last, j.Deadline)
	}
	return j.Released <= w.To && last >= w.From
}

func weight(j *sim.Record) int { return 1 + len(j.Segments) }

// shrink drops the jobs that were released last, all of an instant together, until the rest is within the
// limit.
func (r *Recorder) shrink() {
	slices.SortFunc(r.jobs, func(a, b sim.Record) int {
		return cmp.Or(cmp.Compare(a.Released, b.Released), byTask(a, b))
	})
	keep, items := 0, 0
	for keep < len(r.jobs) && items+weight(&r.jobs[keep]) <= r.limit {
		items += weight(&r.jobs[keep])
		keep++
	}
	r.known = r.jobs[keep].Released
	for keep > 0 && r.jobs[keep-1].Released == r.known {
		keep--
		items -= weight(&r.jobs[keep])
	}
	r.dropped += int64(len(r.jobs) - keep)
	clear(r.jobs[keep:])
	r.jobs, r.items = r.jobs[:keep], items
}

func byTask(a, b sim.Record) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Number, b.Number))
}

// Run is what was recorded.
type Run struct {
	System *sim.System
	// Scheduler is its name, for titles.
	Scheduler string
	// Totals are those of sim.Run, for the load of processors; without them it is left out.
	Totals sim.Totals
	// Jobs that were kept, by task and number.
	Jobs []sim.Record
	// Tasks sums up all jobs, kept or not, in the order of the system's tasks.
	Tasks []Summary
	// Window that was recorded. It ends before the one that was asked for if jobs had to be dropped.
	Window Window
	// Dropped jobs that touch the window that was asked for.
	Dropped int64
}

// Run gives what was recorded; the Recorder is used up.
func (r *Recorder) Run(scheduler string, totals sim.Totals) *Run {
	slices.SortFunc(r.jobs, byTask)
	w := r.window
	if r.dropped > 0 {
		w.To = max(w.From, min(w.To, r.known-1))
	}
	return &Run{System: r.system, Scheduler: scheduler, Totals: totals, Jobs: r.jobs, Tasks: r.tasks, Window: w, Dropped: r.dropped}
}

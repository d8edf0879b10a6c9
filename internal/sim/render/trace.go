package render

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Processes of a trace: one has a thread for each processor, the other one for each task.
const (
	traceProcessors = 1
	traceTasks      = 2
)

// traceEvent is an entry of the trace-event format (Trace Event Format, Google, 2016). Times are microseconds;
// they are written exactly, with three digits after the point.
type traceEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	At       *micros        `json:"ts,omitempty"`
	Length   *micros        `json:"dur,omitempty"`
	Process  int            `json:"pid"`
	Thread   int            `json:"tid"`
	ID       string         `json:"id,omitempty"`
	Scope    string         `json:"s,omitempty"`
	Colour   string         `json:"cname,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
}

type micros sim.Time

// MarshalJSON implements json.Marshaler.
func (m micros) MarshalJSON() ([]byte, error) {
	return []byte(microseconds.format(sim.Time(m))), nil
}

func at(t sim.Time) *micros {
	m := micros(t)
	return &m
}

// ChromeTrace writes all jobs that were kept as a trace for ui.perfetto.dev and chrome://tracing: a slice for
// each segment on its processor, and for each task the spans of its jobs from release to end, with marks for
// releases, deadlines and aborts.
func ChromeTrace(w io.Writer, r *Run) error {
	t := &tracer{w: bufio.NewWriter(w)}
	fmt.Fprint(t.w, `{"displayTimeUnit":"ns","otherData":`)
	t.json(map[string]string{"run": r.headline(), "note": r.droppedNote()})
	fmt.Fprint(t.w, `,"traceEvents":[`)
	t.names(r)
	for i := range r.Jobs {
		t.job(r, &r.Jobs[i])
	}
	fmt.Fprint(t.w, "\n]}\n")
	if t.err != nil {
		return t.err
	}
	return t.w.Flush()
}

type tracer struct {
	w     *bufio.Writer
	begun bool
	err   error
}

func (t *tracer) json(v any) {
	raw, err := json.Marshal(v)
	if err != nil && t.err == nil {
		t.err = err
	}
	_, _ = t.w.Write(raw) // a Writer keeps its error until Flush
}

func (t *tracer) add(e traceEvent) {
	if t.begun {
		fmt.Fprint(t.w, ",")
	}
	t.begun = true
	fmt.Fprint(t.w, "\n")
	t.json(e)
}

// names of processes and threads; the order of threads is that of the system.
func (t *tracer) names(r *Run) {
	meta := func(what string, process, thread int, key string, value any) {
		t.add(traceEvent{Name: what, Phase: "M", Process: process, Thread: thread, Args: map[string]any{key: value}})
	}
	meta("process_name", traceProcessors, 0, "name", "Processors")
	meta("process_name", traceTasks, 0, "name", "Tasks")
	for i := range r.System.Processors {
		meta("thread_name", traceProcessors, i+1, "name", processorName(r.System, i))
		meta("thread_sort_index", traceProcessors, i+1, "sort_index", i)
	}
	for i := range r.System.Tasks {
		meta("thread_name", traceTasks, i+1, "name", taskName(&r.System.Tasks[i]))
		meta("thread_sort_index", traceTasks, i+1, "sort_index", i)
	}
}

func (t *tracer) job(r *Run, j *sim.Record) {
	name := fmt.Sprintf("%s %d", taskName(j.Task), j.Number)
	args := map[string]any{"task": taskName(j.Task), "job": j.Number, "outcome": outcome(j)}
	colour := ""
	if j.Missed {
		colour = "terrible"
	}
	for _, s := range j.Segments {
		t.add(traceEvent{Name: name, Category: "segment", Phase: "X", At: at(s.From), Length: at(s.To - s.From), Process: traceProcessors, Thread: s.Processor + 1, Colour: colour, Args: args})
	}
	id := fmt.Sprintf("%d.%d", j.Index+1, j.Number)
	span := traceEvent{Name: name, Category: "job", Process: traceTasks, Thread: j.Index + 1, ID: id}
	span.Phase, span.At, span.Args = "b", at(j.Released), args
	t.add(span)
	span.Phase, span.At, span.Args = "e", at(min(j.Ended, r.System.Duration)), nil
	t.add(span)
	mark := func(what string, when sim.Time) {
		t.add(traceEvent{Name: what, Category: "mark", Phase: "i", At: at(when), Process: traceTasks, Thread: j.Index + 1, Scope: "t"})
	}
	mark("release", j.Released)
	if j.Deadline != sim.Never {
		what := "deadline"
		if j.Missed {
			what = "deadline missed"
		}
		mark(what, j.Deadline)
	}
	if j.Aborted {
		mark("abort", j.Ended)
	}
}

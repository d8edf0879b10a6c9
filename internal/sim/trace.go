package sim

// EventKind says what happened to a job.
type EventKind string

// Kinds of events.
const (
	Activate  EventKind = "activate"  // it is released
	Execute   EventKind = "execute"   // a processor begins or goes on with it
	Preempt   EventKind = "preempt"   // its processor stopped it, perhaps only to look for messages
	Terminate EventKind = "terminate" // its work is done
	Aborted   EventKind = "abort"     // it was ended at its deadline or critical time
)

// Event is something that happened to a job.
type Event struct {
	At        Time
	Kind      EventKind
	Task      *Task
	Index     int // of the task in the system
	Number    int64
	Processor int // that it ran on or begins to run on; -1: none
}

// Tracer is implemented by Observers that want to know of every event, in the order in which they happen.
type Tracer interface{ Event(Event) }

// Tracing is an Observer that gives jobs to one and events to another function. Either may be nil.
type Tracing struct {
	Jobs   func(*Record)
	Events func(Event)
}

// Job implements Observer.
func (t Tracing) Job(r *Record) {
	if t.Jobs != nil {
		t.Jobs(r)
	}
}

// Event implements Tracer.
func (t Tracing) Event(e Event) {
	if t.Events != nil {
		t.Events(e)
	}
}

func (e *engine) trace(kind EventKind, j *Job) {
	if e.tracer != nil {
		e.emit(kind, j)
	}
}

// emit is apart so that what nobody hears costs a comparison only.
func (e *engine) emit(kind EventKind, j *Job) {
	e.tracer.Event(Event{At: e.now, Kind: kind, Task: j.Task, Index: j.Index, Number: j.Number, Processor: j.last})
}

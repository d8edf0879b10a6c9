package sim

// Totals sums up a run, or the Window of it.
type Totals struct {
	// Jobs that were released in the window, and what became of them.
	Released, Ended, Aborted, Missed int64
	Skipped                          int64 // releases, by the policy SkipNext
	Preemptions, Migrations          int64
	// Calls of the scheduler.
	Decisions, Activations, Ends, Timers int64
	Processors                           []Load
}

// Load says what a processor did. The three times add up to the length of the window.
type Load struct {
	Busy     Time // running jobs
	Overhead Time // saving, loading, scheduling, waiting for another one to let the scheduler go, and ticks
	Idle     Time
	// Saves and Loads count how often a context was put away and taken up, at no cost, too.
	Saves, Loads int64
}

// Span is how long the window is.
func (s *System) Span() Time {
	w := s.window()
	return w.To - w.From
}

// window is the Window with its ends.
func (s *System) window() Window {
	if s.Window == (Window{}) {
		return Window{0, s.Duration}
	}
	return s.Window
}

// Observes reports whether the Totals count what happens at that time.
func (s *System) Observes(t Time) bool { return s.window().Has(t) }

// Has reports whether a time lies in the window.
func (w Window) Has(t Time) bool { return w.From <= t && t <= w.To }

// part is how much of a span lies in the window.
func (w Window) part(from, to Time) Time { return max(0, min(to, w.To)-max(from, w.From)) }

// count adds to a number if the window is now.
func (e *engine) count(number *int64) {
	if e.window.Has(e.now) {
		*number++
	}
}

// sum adds a job to the totals.
func (t *Totals) sum(r *Record) {
	t.Released++
	t.Preemptions += int64(r.Preemptions)
	t.Migrations += int64(r.Migrations)
	if r.Ended != Never {
		t.Ended++
	}
	if r.Aborted {
		t.Aborted++
	}
	if r.Missed {
		t.Missed++
	}
}

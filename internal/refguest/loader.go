package refguest

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// loader keeps tasks, binaries and the event log. Its lock is never held while something waits.
type loader struct {
	opts Options

	mu       sync.Mutex
	epoch    time.Time // zero of the stamps
	tasks    []*task
	binaries map[string]*Binary
	stored   int64
	events   []event
	due      bool    // a job has ended since the last frame went out
	out      *outbox // of the present connection, or nil
	running  sync.WaitGroup
}

// task is a description and what has become of it.
type task struct {
	Description
	name    string
	started uint32  // jobs started since the description came
	worker  *worker // while it is started and not over
	stamps  [3]uint32
	job     Job // the running one, for the live frame
}

func newLoader(opts Options) *loader {
	return &loader{opts: opts, epoch: opts.Clock.Now(), binaries: map[string]*Binary{}}
}

// reboot forgets everything, as a restart of the board would.
func (l *loader) reboot() {
	l.clear()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, l.binaries, l.stored, l.events, l.due = l.opts.Clock.Now(), map[string]*Binary{}, 0, nil, false
}

// describe appends the tasks of a description.
func (l *loader) describe(text []byte) (int, error) {
	descriptions, err := parseDescriptions(text)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tasks)+len(descriptions) > maxTasks {
		return 0, fmt.Errorf("%d more tasks than the limit of %d", len(l.tasks)+len(descriptions)-maxTasks, maxTasks)
	}
	for _, d := range descriptions {
		l.tasks = append(l.tasks, &task{Description: d, name: fmt.Sprintf("%02d.%s", d.ID, d.Pkg)})
	}
	return len(descriptions), nil
}

// store keeps a binary; one of the same name is replaced (generation 1608b overwrites the memory of
// the first, which fails when the second is larger).
func (l *loader) store(b *Binary) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	stored := l.stored + int64(len(b.Content))
	if old := l.binaries[b.Name]; old != nil {
		stored -= int64(len(old.Content))
	} else if len(l.binaries) >= l.opts.MaxBinaries {
		return fmt.Errorf("store binary %q: %d are held already: %w", b.Name, len(l.binaries), errTooLarge)
	}
	if stored > l.opts.MaxStore {
		return fmt.Errorf("store binary %q: %d bytes with the others, limit %d: %w", b.Name, stored, l.opts.MaxStore, errTooLarge)
	}
	l.binaries[b.Name], l.stored = b, stored
	return nil
}

// start releases every task; one that is started already has its timer registered anew and keeps its
// running job. Offsets add up from task to task, as the original's starter thread sleeps them in turn.
func (l *loader) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	var offset time.Duration
	for _, t := range l.tasks {
		offset += time.Duration(t.Offset) * time.Millisecond
		if t.worker != nil {
			t.worker.rearm()
			continue
		}
		if t.started >= t.NumberOfJobs {
			continue // also a task without numberofjobs: it never runs
		}
		if l.binaries[t.Pkg] == nil {
			// The original says nothing here, which leaves the client waiting.
			l.opts.Log.Info("Task refused, its binary was never sent", "Task", t.name)
			l.logLocked(true, event{kind: eventNotScheduled, id: t.ID})
			continue
		}
		t.worker = newWorker(l, t, offset)
		l.running.Go(t.worker.run)
	}
}

// stop kills every running job and returns when all of them are gone and their events are on the way.
func (l *loader) stop() {
	l.mu.Lock()
	for _, t := range l.tasks {
		if t.worker != nil {
			t.worker.cancel()
		}
	}
	l.mu.Unlock()
	l.running.Wait()
}

// clear is stop and forgets the tasks; the binaries stay.
func (l *loader) clear() {
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tasks = nil
}

// begin starts the next job of a task; the caller is its worker.
func (l *loader) begin(t *task) (Job, error) {
	l.mu.Lock()
	b := l.binaries[t.Pkg]
	t.stamps[0] = l.stampLocked()
	l.mu.Unlock()
	if b == nil {
		return nil, errors.New("its binary is gone")
	}
	job, err := l.opts.Runner.Start(Spec{
		TaskID: t.ID, Name: t.name, Binary: b, Config: t.Config, Quota: t.Quota, Priority: t.Priority,
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.logLocked(true, event{kind: eventNotScheduled, id: t.ID})
		return nil, fmt.Errorf("start job of %s: %w", t.name, err)
	}
	t.started++
	t.job = job
	t.stamps[1] = l.stampLocked()
	l.logLocked(false, event{kind: eventStart, id: t.ID})
	return job, nil
}

// end logs how a job ended, and JOBS_DONE behind the last one, and pushes. A worker that is over gives
// its task back before the client hears of the end, so that the START that follows finds it free.
func (l *loader) end(w *worker, kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := w.t
	t.job = nil
	if w.over {
		t.worker = nil
	}
	t.stamps[2] = l.stampLocked()
	events := []event{{kind: kind, id: t.ID}}
	if t.started == t.NumberOfJobs {
		events = append(events, event{kind: eventJobsDone, id: t.ID})
	}
	l.logLocked(true, events...)
}

// leave is the last act of a worker.
func (l *loader) leave(w *worker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.t.worker == w {
		w.t.worker = nil
	}
}

// stampLocked is milliseconds since the epoch. It wraps as the original's 32-bit microseconds do.
func (l *loader) stampLocked() uint32 {
	us := (l.opts.Clock.Since(l.epoch) + l.opts.StampOffset).Microseconds()
	return uint32(us) / 1000
}

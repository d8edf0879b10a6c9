package refguest

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// worker lives a task's life between START and its last job, or STOP. One goroutine per worker.
type worker struct {
	l    *loader
	t    *task
	stop chan struct{} // closed by cancel
	once sync.Once
	anew chan struct{} // one token: begin the periods anew

	next     time.Time // the next release
	released clock.Timer
	critical clock.Timer // armed while a job with a critical time runs
	job      Job
	reason   string // why the job was killed; "" while it was not
	over     bool   // no further release
}

func newWorker(l *loader, t *task, offset time.Duration) *worker {
	return &worker{
		l: l, t: t, stop: make(chan struct{}), anew: make(chan struct{}, 1),
		next:     l.opts.Clock.Now().Add(offset),
		released: l.opts.Clock.NewTimer(offset),
	}
}

func (w *worker) cancel() { w.once.Do(func() { close(w.stop) }) }

func (w *worker) rearm() {
	select {
	case w.anew <- struct{}{}:
	default:
	}
}

func (w *worker) run() {
	defer w.l.leave(w)
	defer func() { w.released.Stop() }()
	for !w.over || w.job != nil {
		select {
		case <-w.stop:
			w.abort()
			return
		case <-w.anew:
			w.schedule(w.l.opts.Clock.Now())
		case <-w.released.C():
			w.release()
		case o := <-w.done():
			w.finish(o)
		case <-w.criticalC():
			w.kill(eventExitCritical)
		}
	}
}

// release begins a job, unless the one before still runs: that one is killed and the release is lost.
// The number of jobs is looked at first, so the last job is never cut short by a release.
func (w *worker) release() {
	select { // an end that happened before the release counts as before
	case o := <-w.done():
		w.finish(o)
	default:
	}
	if w.t.Period > 0 {
		w.schedule(w.next.Add(time.Duration(w.t.Period) * time.Millisecond))
	}
	if w.t.started >= w.t.NumberOfJobs {
		w.end()
		return
	}
	if w.job != nil {
		if w.t.Period > 0 {
			w.kill(eventExitPeriod)
		}
		return
	}
	job, err := w.l.begin(w.t)
	if err != nil {
		w.l.opts.Log.Info("Task refused", "Task", w.t.name, "error", err.Error())
		w.end()
		return
	}
	w.job, w.reason = job, ""
	if w.t.CriticalTime > 0 {
		w.critical = w.l.opts.Clock.NewTimer(time.Duration(w.t.CriticalTime) * time.Millisecond)
	}
	if w.t.Period == 0 || w.t.started >= w.t.NumberOfJobs {
		w.end()
	}
}

// end stops the releases; a job that runs is left alone.
func (w *worker) end() {
	w.over = true
	w.released.Stop()
}

// schedule sets the next release. Releases that were missed altogether are left out.
func (w *worker) schedule(next time.Time) {
	now := w.l.opts.Clock.Now()
	if period := time.Duration(w.t.Period) * time.Millisecond; period > 0 && next.Before(now) {
		next = next.Add(now.Sub(next).Truncate(period))
		if next.Before(now) {
			next = next.Add(period)
		}
	}
	w.released.Stop()
	w.next = next
	w.released = w.l.opts.Clock.NewTimer(max(0, next.Sub(now)))
	w.over = false
}

func (w *worker) done() <-chan Outcome {
	if w.job == nil {
		return nil
	}
	return w.job.Done()
}

func (w *worker) criticalC() <-chan time.Time {
	if w.critical == nil {
		return nil
	}
	return w.critical.C()
}

func (w *worker) kill(reason string) {
	w.disarm()
	if w.job == nil || w.reason != "" {
		return
	}
	w.reason = reason
	w.job.Kill()
}

func (w *worker) disarm() {
	if w.critical != nil {
		w.critical.Stop()
		w.critical = nil
	}
}

func (w *worker) abort() {
	if w.job == nil {
		return
	}
	w.kill(eventExitExternal)
	w.finish(<-w.job.Done())
}

func (w *worker) finish(o Outcome) {
	w.disarm()
	w.job = nil
	w.l.end(w, ending(o, w.reason))
}

// ending names how a job ended. A job that made it to its own exit in the moment it was killed has exited.
func ending(o Outcome, reason string) string {
	switch {
	case o.Killed && reason != "":
		return reason
	case o.OutOfQuota, !o.Killed && o.Code == ExitOutOfQuota:
		return eventOutOfQuota
	case o.Killed || o.Code != 0:
		return eventExitError
	}
	return eventExit
}

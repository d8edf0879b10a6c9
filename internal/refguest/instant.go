package refguest

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// InstantRunner runs jobs without processes: each ends after a given time. Its zero value ends every
// job at once with exit value 0.
type InstantRunner struct {
	Clock    clock.WithDelayedExecution // nil: the real clock
	Duration func(Spec) time.Duration   // how long a job takes; nil: no time. Negative: until it is killed
	Outcome  func(Spec) Outcome         // how it ends; nil: exit value 0
}

// Start implements Runner; it never fails.
func (r *InstantRunner) Start(spec Spec) (Job, error) {
	var d time.Duration
	if r.Duration != nil {
		d = r.Duration(spec)
	}
	var o Outcome
	if r.Outcome != nil {
		o = r.Outcome(spec)
	}
	j := &instantJob{done: make(chan Outcome, 1)}
	switch {
	case d == 0:
		j.end(o)
	case d > 0:
		var c clock.WithDelayedExecution = clock.RealClock{}
		if r.Clock != nil {
			c = r.Clock
		}
		timer := c.AfterFunc(d, func() { j.end(o) })
		j.stop = func() { timer.Stop() }
	}
	return j, nil
}

type instantJob struct {
	once sync.Once
	done chan Outcome
	stop func()
}

func (j *instantJob) end(o Outcome) { j.once.Do(func() { j.done <- o }) }

func (j *instantJob) Done() <-chan Outcome { return j.done }

func (j *instantJob) Kill() {
	if j.stop != nil {
		j.stop()
	}
	j.end(Outcome{Killed: true})
}

func (j *instantJob) Usage() Usage { return Usage{} }

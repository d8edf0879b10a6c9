package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

const (
	queueLength  = 4096             // notices that wait for a sink
	batchLength  = 256              // of them that a sink is given at a time
	notifyLimit  = 10 * time.Second // for a sink to take them
	closeLimit   = 5 * time.Second  // for all sinks to take what waits, and to end
	reportPeriod = time.Minute      // between two logs of one sink's failures
)

var errSlow = errors.New("it is too slow")

// Fan tells several sinks of everything, each at its own pace: neither slowness nor an error nor a panic of a sink
// reaches the campaign, or another sink. What a sink cannot take in time it does not get; this is counted and
// logged, once a minute at most.
type Fan struct {
	log   logr.Logger
	clock clock.Clock
	lanes []*lane
	limit time.Duration // closeLimit, and shorter in tests

	mu     sync.RWMutex // of closed: a lane's queue is closed while nobody sends to it
	closed bool
}

// lane is the way to one sink.
type lane struct {
	name    string
	sink    Sink
	queue   chan results.Notice
	ended   chan struct{}
	dropped atomic.Int64
	trouble trouble
}

// NewFan makes a Fan of sinks by names for the log; it closes them.
func NewFan(log logr.Logger, c clock.Clock, sinks map[string]Sink) *Fan {
	f := &Fan{log: log, clock: c, limit: closeLimit}
	for name, s := range sinks {
		l := &lane{name: name, sink: s, queue: make(chan results.Notice, queueLength), ended: make(chan struct{})}
		f.lanes = append(f.lanes, l)
		go f.serve(l)
	}
	return f
}

// Observe is for campaign.Options.Observe. It never blocks. When a queue becomes long events are left out first,
// because ends of attempts tell more.
func (f *Fan) Observe(n results.Notice) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return
	}
	for _, l := range f.lanes {
		if n.Kind == results.NoticeObserved && len(l.queue) > cap(l.queue)/2 {
			f.drop(l)
			continue
		}
		select {
		case l.queue <- n:
		default:
			f.drop(l)
		}
	}
}

func (f *Fan) drop(l *lane) {
	l.trouble.add(1, errSlow)
	f.report(l, false)
	l.dropped.Add(1)
}

// Dropped is how many notices sinks did not get, by the names of the sinks.
func (f *Fan) Dropped() map[string]int64 {
	out := make(map[string]int64, len(f.lanes))
	for _, l := range f.lanes {
		out[l.name] = l.dropped.Load()
	}
	return out
}

// serve hands notices to a sink until the queue is closed and empty.
func (f *Fan) serve(l *lane) {
	defer close(l.ended)
	batch := make([]results.Notice, 0, batchLength)
	for n := range l.queue {
		batch = append(batch[:0], n)
		for len(batch) < batchLength && len(l.queue) > 0 {
			batch = append(batch, <-l.queue)
		}
		if err := l.notify(batch); err != nil {
			l.trouble.add(len(batch), err)
			f.report(l, false)
			l.dropped.Add(int64(len(batch)))
		}
		clear(batch) // for the garbage collector
	}
	if err := guarded(l.sink.Close); err != nil {
		l.trouble.add(0, err)
	}
	f.report(l, true)
}

func (l *lane) notify(batch []results.Notice) error {
	ctx, cancel := context.WithTimeout(context.Background(), notifyLimit)
	defer cancel()
	return guarded(func() error { return l.sink.Notify(ctx, batch...) })
}

// guarded turns a panic into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// Close waits a few seconds until the sinks have taken what waits and have ended. A sink that does not end is left
// behind.
func (f *Fan) Close() error {
	f.mu.Lock()
	already := f.closed
	f.closed = true
	f.mu.Unlock()
	if already {
		return nil
	}
	for _, l := range f.lanes {
		close(l.queue)
	}
	timer := f.clock.NewTimer(f.limit)
	defer timer.Stop()
	for _, l := range f.lanes {
		select {
		case <-l.ended:
		case <-timer.C():
			return fmt.Errorf("sink %s did not end within %s; %d notices that wait are lost", l.name, f.limit, len(l.queue))
		}
	}
	return nil
}

package sink

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// fake is a sink that does what a test says.
type fake struct {
	mu     sync.Mutex
	took   []results.Notice
	notify func(n int) error // called with the number of notices before it takes them
	closed bool
}

func (f *fake) Notify(_ context.Context, notices ...results.Notice) error {
	if f.notify != nil {
		if err := f.notify(len(notices)); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took = append(f.took, notices...)
	return nil
}

func (f *fake) Close() error { f.closed = true; return nil }

// journal is a log that tests read.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) logger() logr.Logger {
	return funcr.New(func(_, args string) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lines = append(j.lines, args)
	}, funcr.Options{})
}

func (j *journal) read() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

func observe(f *Fan, n int, kind results.NoticeKind) {
	for i := range n {
		f.Observe(results.Notice{Kind: kind, Variant: uint64(i)})
	}
}

func TestBadSinksDoNotDisturbAGoodOne(t *testing.T) {
	good := &fake{}
	bad := &fake{notify: func(int) error { return errors.New("no such host") }}
	mad := &fake{notify: func(int) error { panic("index out of range") }}
	var log journal
	f := NewFan(log.logger(), clock.RealClock{}, map[string]Sink{"good": good, "bad": bad, "mad": mad})
	const n = 1000
	observe(f, n, results.NoticeFinished)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if len(good.took) != n {
		t.Errorf("the good sink took %d notices, want %d", len(good.took), n)
	}
	for i, took := range good.took {
		if took.Variant != uint64(i) {
			t.Fatalf("notice %d is of variant %d", i, took.Variant)
		}
	}
	if got := f.Dropped(); got["good"] != 0 || got["bad"] != n || got["mad"] != n {
		t.Errorf("dropped: %v", got)
	}
	all := strings.Join(log.read(), "\n")
	if !strings.Contains(all, "no such host") || !strings.Contains(all, "panic: index out of range") || len(log.read()) > 4 {
		t.Errorf("log:\n%s", all)
	}
	if !good.closed || !bad.closed || !mad.closed {
		t.Error("a sink was not closed")
	}
	observe(f, 1, results.NoticeFinished) // after the end nobody is told
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestASlowSinkLosesEventsFirst(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slow := &fake{notify: func(int) error {
		once.Do(func() { close(entered) })
		<-leave
		return nil
	}}
	var log journal
	f := NewFan(log.logger(), clock.RealClock{}, map[string]Sink{"slow": slow})
	observe(f, 1, results.NoticeStarted)
	<-entered // it is at work, and the queue is empty
	observe(f, queueLength, results.NoticeObserved)
	observe(f, queueLength, results.NoticeFinished)
	close(leave)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	count := map[results.NoticeKind]int{}
	for _, n := range slow.took {
		count[n.Kind]++
	}
	const half = queueLength/2 + 1
	if count[results.NoticeObserved] != half || count[results.NoticeFinished] != queueLength-half {
		t.Errorf("taken: %v, want %d events and as many ends as there is room for", count, half)
	}
	if got := f.Dropped()["slow"]; got != int64(2*queueLength+1-len(slow.took)) {
		t.Errorf("dropped %d", got)
	}
	if !strings.Contains(strings.Join(log.read(), "\n"), "too slow") {
		t.Errorf("log: %q", log.read())
	}
}

func TestFailuresAreLoggedOnceAMinute(t *testing.T) {
	now := clocktesting.NewFakeClock(noon)
	done := make(chan struct{})
	bad := &fake{notify: func(int) error { defer func() { done <- struct{}{} }(); return errors.New("no such host") }}
	var log journal
	f := NewFan(log.logger(), now, map[string]Sink{"bad": bad})
	for round := range 3 {
		for range 5 {
			observe(f, 1, results.NoticeFinished)
			<-done
		}
		awaitDropped(t, f, int64(round+1)*5)
		now.Step(reportPeriod)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	lines := log.read()
	if len(lines) != 4 { // at once; after one minute; after two; what is left at the end
		t.Fatalf("%d lines, want 4: %q", len(lines), lines)
	}
	for i, want := range []string{`"noticesLost"=1`, `"noticesLost"=5`, `"noticesLost"=5`, `"noticesLost"=4`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %s, want %s", i, lines[i], want)
		}
	}
}

// awaitDropped waits until what its sink has refused is counted, which comes after it is logged.
func awaitDropped(t *testing.T, f *Fan, want int64) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.Dropped()["bad"] != want {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%v are counted, want %d", f.Dropped(), want)
		}
	}
}

func TestASinkThatHangsIsLeftBehind(t *testing.T) {
	leave := make(chan struct{})
	hung := &fake{notify: func(int) error { <-leave; return nil }}
	good := &fake{}
	f := NewFan(logr.Discard(), clock.RealClock{}, map[string]Sink{"hung": hung, "good": good})
	f.limit = 20 * time.Millisecond
	observe(f, 3, results.NoticeFinished)
	if err := f.Close(); err == nil || !strings.Contains(err.Error(), "hung") {
		t.Errorf("error %v does not name the sink", err)
	}
	close(leave)
	for _, l := range f.lanes {
		<-l.ended
	}
	if len(good.took) != 3 {
		t.Errorf("the good sink took %d notices", len(good.took))
	}
}

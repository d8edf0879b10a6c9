package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

const (
	// longestTurn is the longest wait of the loop, so that Turning knows it from a dead one.
	longestTurn = 500 * time.Millisecond
	// turnShare is the part (one of so many) of the echo time-out for which the loop sleeps at most once an
	// answer is overdue: while it sleeps it notices neither that the whole machine stands still, nor that QEMU
	// waits for a CPU. Answers that come in time wake it anyway.
	turnShare = 8
	// deadLoop is how long the loop may stand still before Turning says so.
	deadLoop = 15 * time.Second
	// shortestTurn keeps the loop from spinning.
	shortestTurn = time.Millisecond
	inboxSize    = 64
)

// Config is what a Supervisor works with.
type Config struct {
	Settings Settings
	// Launch starts a QEMU process under KVM or TCG. ctx bounds the start only.
	Launch  func(ctx context.Context, kvm bool) (Machine, error)
	Network Network
	Console Console
	// ReadyLine reports lines of the serial log that match Settings.ReadyLogPattern; nil without one.
	ReadyLine <-chan string
	Metrics   *Metrics // nil: none
	Log       logr.Logger
}

// Supervisor keeps one guest alive; make it with New and call Run once. Its other methods may be called
// from any goroutine.
type Supervisor struct {
	cfg    Config
	inbox  chan event
	asks   chan ask
	echoes echoRing
	turned atomic.Int64 // time of the newest turn, Unix nanoseconds
	begun  atomic.Bool  // QEMU was started

	mu        sync.Mutex // guards what follows
	published agentapi.State
	changed   chan struct{}
	diagnosis *agentapi.Diagnosis

	// What follows belongs to the loop alone.
	state    state
	machine  Machine            // nil: none
	waiting  map[int]chan error // clients that wait for the end of a job
	slowDown context.CancelFunc // ends the quick echoes
	planned  time.Time          // when the loop wanted to turn again
	running  sync.WaitGroup     // everything that the loop started
}

// ask is a request of a client.
type ask struct {
	action agentapi.Action
	answer chan error // with room for the one answer
}

// New returns a Supervisor that has not begun.
func New(cfg Config) *Supervisor {
	cfg.Settings = cfg.Settings.withDefaults()
	s := &Supervisor{
		cfg:     cfg,
		inbox:   make(chan event, inboxSize),
		asks:    make(chan ask),
		changed: make(chan struct{}),
		waiting: map[int]chan error{},
		state:   newState(cfg.Settings),
	}
	now := time.Now()
	s.state.since = now
	s.published = s.state.report(now)
	return s
}

// Run keeps the guest alive until ctx ends; QEMU and everything else that it started have ended when it
// returns. It returns nil when ctx ended.
func (s *Supervisor) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.finish()
	defer cancel()
	s.echo(ctx, s.cfg.Settings.EchoInterval)
	if s.cfg.ReadyLine != nil {
		s.spawn(func() { s.readLines(ctx) })
	}
	s.turn(ctx, begin{})
	for {
		wait := s.wait(time.Now())
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case ev := <-s.inbox:
			s.turn(ctx, ev)
		case a := <-s.asks:
			s.serveAsk(ctx, a)
		case <-timer.C:
			s.turn(ctx, tick{})
		}
		timer.Stop()
	}
}

// wait returns how long the loop may sleep, and remembers when it wants to turn again.
func (s *Supervisor) wait(now time.Time) time.Duration {
	c := s.cfg.Settings
	overdue := s.state.lastReply.Add(c.EchoInterval + c.EchoInterval/4)
	wait := min(longestTurn, max(c.Health.EchoTimeout/turnShare, overdue.Sub(now)))
	if at := s.state.wake(); !at.IsZero() {
		wait = min(max(at.Sub(now), shortestTurn), wait)
	}
	s.planned = now.Add(wait)
	return wait
}

// turn feeds one event to decide and does what follows.
func (s *Supervisor) turn(ctx context.Context, ev event) {
	_ = s.feed(ctx, ev) // only requests are refused
}

// feed is turn for requests: it returns why one was refused.
func (s *Supervisor) feed(ctx context.Context, ev event) error {
	now := time.Now()
	s.turned.Store(now.UnixNano())
	in := input{now: now, connections: s.cfg.Network.OpenConnections()}
	if late := now.Sub(s.planned); !s.planned.IsZero() && late > 0 {
		in.late = late
	}
	ev = s.takeOver(ctx, ev)
	in.cpuWait = s.cpuWait()
	next, actions, refusal := decide(s.state, s.cfg.Settings, ev, in)
	s.state = next
	for _, a := range actions {
		s.act(ctx, a)
	}
	s.publish(now) // first: who has an answer sees what it is about
	s.answerWaiting(ev)
	return refusal
}

func (s *Supervisor) cpuWait() time.Duration {
	if s.machine == nil {
		return 0
	}
	_, wait, err := s.machine.CPU()
	if err != nil {
		return 0 // without it a slow guest is judged like others
	}
	return wait
}

// serveAsk begins what a client asks for; the client waits for the end of the job, if there is one.
func (s *Supervisor) serveAsk(ctx context.Context, a ask) {
	before := s.state.jobs
	err := s.feed(ctx, asked{action: a.action})
	if err != nil || s.state.job == 0 || s.state.jobs == before {
		a.answer <- err
		return
	}
	s.waiting[s.state.job] = a.answer
}

// answerWaiting answers clients whose job has ended or was overtaken.
func (s *Supervisor) answerWaiting(ev event) {
	for job, answer := range s.waiting {
		ended, ok := ev.(done)
		switch {
		case ok && ended.job == job:
			answer <- ended.err
		case s.state.job != job:
			answer <- fmt.Errorf("%w: something more important came up", agentapi.ErrConflict)
		default:
			continue
		}
		delete(s.waiting, job)
	}
}

// publish lets clients see the state.
func (s *Supervisor) publish(now time.Time) {
	r := s.state.report(now)
	r.OpenConnections = s.cfg.Network.OpenConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	r.LastDiagnosis = s.published.LastDiagnosis
	news := !sameNews(s.published, r)
	s.published = r
	if news {
		s.tellLocked()
	}
}

func (s *Supervisor) tellLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// finish ends QEMU and waits for everything. No loop runs any more.
func (s *Supervisor) finish() {
	if s.slowDown != nil {
		s.slowDown()
	}
	if s.machine != nil {
		s.machine.Kill()
	}
	s.running.Wait()
	for _, answer := range s.waiting {
		answer <- errEnding
	}
	s.turned.Store(0)
}

var errEnding = errors.New("the agent is ending")

// spawn runs f beside the loop.
func (s *Supervisor) spawn(f func()) { s.running.Go(f) }

// post hands an event to the loop; false when the loop has ended.
func (s *Supervisor) post(ctx context.Context, ev event) bool {
	select {
	case s.inbox <- ev:
		return true
	case <-ctx.Done():
		return false
	}
}

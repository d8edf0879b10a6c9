package sim

import (
	"context"
	"fmt"
)

// Run simulates a system under a scheduler and tells the observer of every job. It stops early when ctx
// ends, with its error, and is bounded otherwise: by the duration, and by a limit of events in one instant.
func Run(ctx context.Context, s *System, scheduler Scheduler, o Observer) (Totals, error) {
	if err := s.Check(); err != nil {
		return Totals{}, err
	}
	if err := ctx.Err(); err != nil {
		return Totals{}, err
	}
	e, err := newEngine(s, scheduler, o)
	if err != nil {
		return Totals{}, err
	}
	if err := scheduler.Init(View{e}); err != nil {
		return Totals{}, err
	}
	e.boot()
	if err := e.run(ctx); err != nil {
		return Totals{}, err
	}
	e.close()
	return e.totals, nil
}

type engine struct {
	system     *System
	scheduler  Scheduler
	ticker     Ticker
	observer   Observer
	tracer     Tracer
	beginner   Beginner
	window     Window
	calendar   calendar
	now        Time
	tasks      []taskState
	processors []processor
	scale      int64 // work is counted in nanoseconds at speed 1 times this
	watcher    Watcher
	canceler   Canceler
	parallel   bool // processors decide at the same time
	tunes      bool // the scheduler sets speeds
	deciding   *processor
	fresh      []*processor // that were given a new job in this instant
	waiting    []*processor // for the lock of the scheduler
	spare      []*Job
	holders    []*Job // of resources
	serial     uint64
	record     Record
	totals     Totals
}

func newEngine(s *System, scheduler Scheduler, o Observer) (*engine, error) {
	e := &engine{
		system: s, scheduler: scheduler, observer: o, scale: 1, window: s.window(),
		tasks: make([]taskState, len(s.Tasks)), processors: make([]processor, len(s.Processors)),
	}
	e.beginner, _ = o.(Beginner)
	e.ticker, _ = scheduler.(Ticker)
	e.tracer, _ = o.(Tracer)
	e.watcher, _ = scheduler.(Watcher)
	e.canceler, _ = scheduler.(Canceler)
	_, e.parallel = scheduler.(Parallel)
	e.totals.Processors = make([]Load, len(s.Processors))
	for i := range s.Processors {
		_, d := s.Processors[i].speed()
		e.scale = lcm(e.scale, d)
	}
	const finest = 1 << 12
	if e.scale > finest {
		return nil, fmt.Errorf("%w: processors: the denominators of their speeds have the common multiple %d; use one of at most %d", ErrInvalid, e.scale, finest)
	}
	if _, e.tunes = scheduler.(Tuner); e.tunes {
		e.refine()
	}
	for i := range e.processors {
		p := &e.processors[i]
		n, d := s.Processors[i].speed()
		p.index, p.spec, p.rate = i, &s.Processors[i], n*(e.scale/d)
		p.full = p.rate
	}
	e.holders = make([]*Job, resources(s.Tasks))
	next := edges(s.Tasks)
	for i := range e.tasks {
		e.tasks[i] = taskState{task: &s.Tasks[i], index: i, next: next[i], reached: make([]int64, len(s.Tasks[i].After))}
		if s.Tasks[i].Pinned {
			e.tasks[i].processor = s.Tasks[i].Processor
		}
	}
	return e, nil
}

// refine makes the unit of work as small as the longest job allows, for speeds that are not known yet.
func (e *engine) refine() {
	const finest, most = 1 << 24, 1 << 60
	longest := Time(1)
	for i := range e.system.Tasks {
		longest = max(longest, e.system.Tasks[i].WCET)
	}
	for e.scale*2 <= finest && longest <= most/(e.scale*2) {
		e.scale *= 2
	}
}

func lcm(a, b int64) int64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// crowd is the number of events of one instant after which a run is given up: schedulers that hand a job to
// and fro would never end.
const crowd = 10_000_000

func (e *engine) run(ctx context.Context) error {
	const breath = 16 // events between two looks at ctx: few, as schedulers may take long for each
	done, here := ctx.Done(), 0
	for n := 1; ; n++ {
		ev := e.calendar.take(e.system.Duration)
		if ev == nil {
			return nil
		}
		if ev.at > e.now {
			e.settle()
			e.now, here = ev.at, 0
		}
		if here++; here > crowd {
			return fmt.Errorf("the scheduler does not get on: more than %d events at %d ns", crowd, e.now)
		}
		if n%breath == 0 && isClosed(done) {
			return ctx.Err()
		}
		e.fire(ev)
	}
}

// settle is called when an instant is over: new jobs that were not displaced in it have begun.
func (e *engine) settle() {
	for _, p := range e.fresh {
		if p.running != nil {
			e.begun(p.running)
		}
	}
	e.fresh = e.fresh[:0]
}

func (e *engine) begun(j *Job) {
	if j.begun != Never {
		return
	}
	j.begun = e.now
	if e.beginner != nil {
		e.beginner.Began(j, e.now)
	}
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (e *engine) fire(ev *event) {
	switch ev.kind {
	case eventRelease:
		e.release(&e.tasks[ev.index])
	case eventActivate:
		e.activated(ev.job)
	case eventDeadline, eventKill:
		e.overdue(ev)
	case eventHeld:
		p := &e.processors[ev.index]
		e.held(p)
		e.goOn(p)
	case eventTimer:
		e.ring(ev)
	case eventTick:
		e.tick(&e.processors[ev.index])
	case eventSeen:
		e.activate(ev.job)
	case eventWake:
		p := &e.processors[ev.index]
		e.wake(p)
		e.goOn(p)
	case eventBegin, eventDone:
		if p := &e.processors[ev.index]; p.serial == ev.serial { // otherwise it does something else by now
			e.progress(p, ev.kind)
		}
	}
}

// progress is called when a processor begins with a job, and when that has done the work up to its next border.
func (e *engine) progress(p *processor, kind eventKind) {
	switch {
	case kind == eventBegin:
		e.begin(p)
	case p.running.ahead == Never || !e.atBorder(p):
		e.complete(p)
	}
}

// tick costs a processor time; what it notices is in the calendar anyway.
func (e *engine) tick(p *processor) {
	e.post(p, message{kind: messageTick})
	e.calendar.put(event{at: e.now + e.system.Tick, kind: eventTick, index: int32(p.index)})
}

// ring tells a processor of a timer that is still wanted.
func (e *engine) ring(ev *event) {
	if name := int(ev.serial); e.canceler == nil || e.canceler.Wants(name) {
		e.post(&e.processors[ev.index], message{kind: messageTimer, name: name})
	}
}

// boot releases what begins, in order of the tasks.
func (e *engine) boot() {
	if e.system.Tick > 0 && e.system.Overheads.Timer > 0 {
		for i := range e.processors {
			e.calendar.put(event{at: e.system.Tick, kind: eventTick, index: int32(i)})
		}
	}
	for i := range e.tasks {
		e.firstRelease(&e.tasks[i])
	}
}

// close records what has not ended.
func (e *engine) close() {
	e.settle()
	e.now = e.system.Duration
	for i := range e.processors {
		e.account(&e.processors[i])
	}
	for _, p := range e.waiting {
		e.waited(p)
	}
	for i := range e.tasks {
		for _, j := range e.tasks[i].jobs.rest() {
			if j.Deadline <= e.system.Duration {
				j.missed = true
			}
			e.tell(j, Never, false)
		}
	}
	for i := range e.totals.Processors {
		l := &e.totals.Processors[i]
		l.Idle = e.system.Span() - l.Busy - l.Overhead
	}
}

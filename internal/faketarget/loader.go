package faketarget

import (
	"crypto/sha256"
	"slices"
	"time"
)

// task is a description and what has become of it.
type task struct {
	Task
	jobs         uint32 // released so far
	running      *job
	corpse       bool // an exited child waits to be destroyed
	gone         bool // cleared
	stopped      int  // counts STOPs: what the agenda holds from before is void
	began, ended uint32
}

// code is a binary as the target keeps it.
type code struct {
	content []byte
	sum     [32]byte // SHA-256
}

func newCode(content []byte) code { return code{content: content, sum: sha256.Sum256(content)} }

type job struct {
	task *task
	over bool
}

// entry is something that is due at a time.
type entry struct {
	at time.Time
	do func(at time.Time)
}

// schedule puts something on the agenda, behind what is due at the same time. The caller holds t.mu.
func (t *Target) schedule(at time.Time, do func(at time.Time)) {
	i := len(t.agenda)
	for i > 0 && t.agenda[i-1].at.After(at) {
		i--
	}
	t.agenda = slices.Insert(t.agenda, i, entry{at: at, do: do})
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// advance does what is due, in order. The caller holds t.mu.
func (t *Target) advance(now time.Time) {
	for len(t.agenda) > 0 && !t.agenda[0].at.After(now) {
		e := t.agenda[0]
		t.agenda = slices.Delete(t.agenda, 0, 1)
		e.do(e.at)
	}
}

// describe appends tasks. The caller holds t.mu.
func (t *Target) describe(tasks []Task) {
	for _, d := range tasks {
		t.tasks = append(t.tasks, &task{Task: d})
	}
}

// store keeps a binary as the generation does; it returns false when that overwrites other memory. The
// caller holds t.mu.
func (t *Target) store(name string, b code) bool {
	old, twice := t.binaries[name]
	switch {
	case twice && t.rules.keepsOldCode:
		return true
	case twice && len(b.content) > len(old.content):
		return false
	}
	t.binaries[name] = b
	return true
}

// start releases the tasks. The caller holds t.mu.
func (t *Target) start(now time.Time) {
	t.starts++
	if t.epoch.IsZero() {
		t.epoch = now
	}
	var offset time.Duration
	for _, k := range t.tasks {
		if t.rules.offsets && !t.rules.startSleeps {
			offset += time.Duration(k.Offset) * time.Millisecond
		}
		first, ever := t.rules.first(k)
		if !ever || t.rules.finished(k) {
			continue
		}
		k.stopped++ // timers are registered anew
		life := k.stopped
		t.schedule(now.Add(offset+time.Duration(first)*time.Millisecond), func(at time.Time) { t.tick(k, life, at) })
	}
	t.advance(now)
}

// offsets is how long START of this generation sleeps. The caller holds t.mu.
func (t *Target) offsets() time.Duration {
	var sum time.Duration
	for _, k := range t.tasks {
		sum += time.Duration(k.Offset) * time.Millisecond
	}
	return sum
}

// tick is one release of a task.
func (t *Target) tick(k *task, life int, at time.Time) {
	if k.gone || k.stopped != life || t.rules.finished(k) {
		return
	}
	if k.Period > 0 {
		t.schedule(at.Add(time.Duration(k.Period)*time.Millisecond), func(at time.Time) { t.tick(k, life, at) })
	}
	switch {
	case k.running != nil && t.rules.overrun != "":
		t.end(k.running, t.rules.overrun, at)
	case k.running != nil:
	case k.corpse:
		k.corpse = false
	default:
		t.release(k, at)
	}
}

func (t *Target) release(k *task, at time.Time) {
	b, there := t.binaries[k.Pkg]
	if !there {
		return // not a word, on any generation
	}
	plan := t.opts.Job(Job{Task: k.Task, Number: int(k.jobs) + 1, Start: t.starts, Binary: b.sum})
	if plan.Refused {
		k.stopped++
		if t.rules.saysRefused {
			t.log("NOT_SCHEDULED", k, at) // travels with somebody else's push
		}
		return
	}
	if plan.Outcome == "" {
		plan.Outcome = "EXIT"
	}
	j := &job{task: k}
	k.running = j
	k.jobs++
	t.running++
	t.log("START", k, at)
	k.began, k.ended = t.stamp(at), 0
	t.pass(AtRelease)
	t.act(AtRelease, plan.Do, &verdict{})
	if plan.Milliseconds >= 0 {
		t.schedule(at.Add(time.Duration(plan.Milliseconds)*time.Millisecond), func(at time.Time) { t.end(j, plan.Outcome, at) })
	}
	if k.CriticalTime > 0 {
		t.schedule(at.Add(time.Duration(k.CriticalTime)*time.Millisecond), func(at time.Time) { t.critical(j, at) })
	}
}

func (t *Target) critical(j *job, at time.Time) {
	if t.rules.strayKiller && j.task.running != nil {
		j = j.task.running
	}
	t.end(j, "EXIT_CRITICAL", at)
}

// end ends a job, unless it has ended before.
func (t *Target) end(j *job, outcome string, at time.Time) {
	if j.over {
		return
	}
	k := j.task
	j.over, k.running = true, nil
	k.corpse = t.rules.keepsChild && outcome == "EXIT"
	t.running--
	t.log(outcome, k, at)
	k.ended = t.stamp(at)
	if t.rules.countsJobs && k.jobs == k.NumberOfJobs {
		t.log("JOBS_DONE", k, at)
	}
	if t.rules.pushes {
		t.push()
	}
}

// halt kills what runs and voids what is planned. The caller holds t.mu.
func (t *Target) halt(now time.Time) {
	t.advance(now)
	for _, k := range t.tasks {
		k.stopped++
		if k.running != nil {
			t.end(k.running, "EXIT_EXTERNAL", now)
		}
	}
}

// clear is halt and forgets the tasks; binaries stay. The caller holds t.mu.
func (t *Target) clear(now time.Time) {
	t.late = t.opts.LatePushes
	t.halt(now)
	t.late = false
	for _, k := range t.tasks {
		k.gone = true
	}
	t.tasks = nil
}

func (t *Target) log(kind string, k *task, at time.Time) {
	e := Event{Type: kind, ID: k.ID, Stamp: t.stamp(at), Start: t.starts}
	t.events = append(t.events, e)
	if !t.opts.Quiet {
		t.history = append(t.history, e)
	}
}

// stamp is a 32-bit counter of microseconds divided by 1000, as on the originals.
func (t *Target) stamp(at time.Time) uint32 {
	return uint32((at.Sub(t.epoch) + t.opts.StampBase).Microseconds()) / 1000
}

// push sends the whole event log and empties it, unless a fault has it otherwise.
func (t *Target) push() {
	message := Profile(t.events...)
	t.events = nil
	if then := t.pass(AtPush); then.lost {
		return
	} else if then.instead != nil {
		message = then.instead
	}
	if t.late {
		t.held = append(t.held, message)
		return
	}
	t.out.profile(message)
}

package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/schedulability"
)

const (
	blockedPause = 3 * time.Second // before a target that lacks something is tried again
	stopLimit    = 5 * time.Second // for ending a variant on the target
	maxMessage   = 200             // characters of a record's message
)

// attempt is one attempt at one variant. It belongs to the goroutine of its worker.
type attempt struct {
	worker *worker
	plan   *Plan
	tasks  []taskset.Task
	limit  time.Duration
	jobs   *tracker
	record results.Record
	// verdict of analysis; nil: nobody asked
	verdict *schedulability.Verdict
	notice  *results.Notice // what an observer hears of it; nil: nobody observes
	begun   bool            // the observer knows of it
}

// attempt runs a variant. A session that failed is closed when it returns.
func (w *worker) attempt(ctx context.Context, o *order) ending {
	lease := o.lease
	a := &attempt{worker: w, plan: o.plan}
	a.record = results.Record{
		Campaign: o.plan.ID, Variant: lease.Variant, Attempt: lease.Attempt, Values: o.plan.Space.Values(lease.Variant),
		Target: o.target.Name, Address: o.target.Address, Started: a.now(),
	}
	a.introduce()
	var err error
	if a.tasks, err = o.plan.variant(lease.Variant); err != nil {
		return a.failed(ReasonInvalidVariant, err)
	}
	if a.judge() {
		return a.skipped()
	}
	binaries, err := w.gather(ctx, o.plan, a.tasks)
	if err != nil {
		return ending{blocked: block{reason: BlockedBinary, message: err.Error()}, avoid: true}
	}
	if err := w.line.prepare(ctx, o.plan); err != nil {
		return w.unprepared(ctx, o, err)
	}
	a.jobs = newTracker(a.tasks, a.plan.JobsPerTask, a.plan.Duration > 0)
	a.limit = o.plan.TimeLimit(a.tasks)
	err = a.run(ctx, session.Run{
		Variant: lease.Variant, Tasks: a.tasks, Binaries: binaries, Admission: o.plan.Admission,
		Seed: o.plan.seedOf(lease.Variant), Duration: o.plan.Duration,
	})
	return a.end(ctx, err)
}

// variant makes the tasks of variant n. A variant of which cannot be said whether it is to be run is invalid.
func (p *Plan) variant(n uint64) ([]taskset.Task, error) {
	if c := p.constraint(); c != nil {
		if _, err := c.Admits(n); err != nil {
			return nil, err
		}
	}
	return p.Space.At(n)
}

// seedOf is the seed of what a target draws for variant n; repetitions have numbers, and so seeds, of their own.
func (p *Plan) seedOf(n uint64) uint64 { return uint64(p.Seed) + n*0x9e3779b97f4a7c15 }

func (a *attempt) now() time.Time { return a.worker.engine.opts.Clock.Now() }

// run executes the variant between two looks at what the record tells of the session.
func (a *attempt) run(ctx context.Context, run session.Run) error {
	l, r := &a.worker.line, &a.record
	r.Generation, r.AfterRecovery, r.Incarnation = l.session.Generation(), l.standing.LastRecovery, l.standing.Incarnation
	r.ImageDigest, r.HostClass = l.standing.ImageDigest, l.standing.HostClass
	s := l.session
	received, sent := s.Traffic()
	r.Started = a.now()
	err := a.execute(ctx, run)
	r.Ended = a.now()
	in, out := s.Traffic()
	r.BytesIn, r.BytesOut = in-received, out-sent
	r.Generation = s.Generation() // it may have become clear meanwhile
	return err
}

// end makes the ending of an attempt that had a session.
func (a *attempt) end(ctx context.Context, err error) ending {
	l := &a.worker.line
	a.record.Jobs = a.jobs.jobs()
	if err == nil {
		l.silences = 0
		if a.plan.PerVariant {
			l.close()
		}
		a.record.Succeeded, a.record.Final, a.record.Reason = true, true, ReasonCompleted
		a.record.Message = a.jobs.remark()
		a.hold()
		return ending{record: &a.record, notice: a.notice}
	}
	if ctx.Err() != nil { // somebody ended it
		a.stop(ctx)
		return a.unrecorded(ending{})
	}
	if errors.Is(err, session.ErrUnsupported) {
		return a.failed(ReasonUnsupported, err)
	}
	first := !l.used
	l.close()
	if helpless := l.stalled(ctx, err); helpless && first {
		return a.unrecorded(ending{blame: ReasonInUse, avoid: true})
	}
	reason := reasonOf(err)
	if reason == ReasonTimedOut {
		err = a.jobs.overdue(a.limit)
	}
	end := a.failed(reason, err)
	end.blame = reason
	return end
}

// failed makes the ending of an attempt that is recorded as a failure.
func (a *attempt) failed(reason string, err error) ending {
	r := &a.record
	r.Reason, r.Message, r.Ended = reason, shorten(err.Error()), a.now()
	r.Final = final(r, a.plan.Retries)
	return ending{record: r, avoid: true, notice: a.notice}
}

// unrecorded completes the ending of an attempt of which no record is kept.
func (a *attempt) unrecorded(end ending) ending {
	if a.begun {
		end.notice = a.notice
	}
	return end
}

// stop ends a variant that somebody wants to be ended, and keeps the session if that goes well. A worker that was
// dismissed closes it, which ends the variant as well.
func (a *attempt) stop(ctx context.Context) {
	l := &a.worker.line
	if cause := context.Cause(ctx); !errors.Is(cause, errStopped) && !errors.Is(cause, errForgotten) {
		l.close()
		return
	}
	if err := a.halt(ctx); err != nil {
		l.close()
	}
}

// unprepared makes the ending of an attempt whose target could not be made ready: nothing was sent.
func (w *worker) unprepared(ctx context.Context, o *order, err error) ending {
	switch {
	case ctx.Err() != nil:
		return ending{}
	case errors.Is(err, ErrCannotReset):
		return ending{avoid: true, blocked: block{reason: BlockedReset, message: fmt.Sprintf(
			"spec.targetReset %s: target %s: %v; use another targetReset, None for example, or leave the target out of spec.targets.selector", o.plan.Reset, o.target.Name, err)}}
	}
	w.engine.opts.Log.Info("Making target ready for a variant failed", "target", w.target.Name, "error", err.Error())
	return ending{avoid: true, blame: ReasonResetFailed}
}

func shorten(s string) string {
	if r := []rune(s); len(r) > maxMessage {
		return string(r[:maxMessage-1]) + "…"
	}
	return s
}

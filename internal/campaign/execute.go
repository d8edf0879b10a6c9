package campaign

import (
	"context"
	"errors"
	"fmt"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// execute starts the variant, follows its events until it is complete, and stops what still runs.
func (a *attempt) execute(ctx context.Context, run session.Run) error {
	ctx, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	l := &a.worker.line
	if err := l.session.Start(ctx, run); err != nil {
		return err
	}
	l.used, l.resting = true, true
	a.tell(results.NoticeStarted, nil)
	a.begun = true
	if a.plan.Duration > 0 {
		return a.watch(ctx)
	}
	if err := a.follow(ctx); err != nil {
		return err
	}
	if a.jobs.over() {
		l.resting = false // to stop what is over is not urgent: the next Start does it on its way
		return nil
	}
	// The variant is complete: whatever happens from here on costs the session, not the result.
	if err := a.halt(ctx); err != nil {
		a.worker.engine.opts.Log.V(2).Info("Stopping variant failed", "target", a.record.Target, "error", err.Error())
		l.close()
	}
	return nil
}

// follow takes events until every task has ended its jobs.
func (a *attempt) follow(ctx context.Context) error {
	for !a.jobs.complete() {
		err := a.next(ctx)
		if err != nil && !a.jobs.complete() {
			return err
		}
	}
	return nil
}

// watch takes events until the variant has run for the plan's duration, or no task can have a job any more, and
// what the target still has to say when it is stopped. The target has to be the same one all the time: one that froze says nothing, which is no
// different from tasks that have nothing to say.
func (a *attempt) watch(ctx context.Context) error {
	during, cancel := context.WithTimeout(ctx, a.plan.Duration)
	defer cancel()
	for during.Err() == nil && !a.jobs.over() {
		if err := a.next(during); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := a.halt(ctx); err != nil {
		return err
	}
	switch l := &a.worker.line; {
	case !l.sound():
		return fmt.Errorf("%w: the target was brought back from a breakdown meanwhile", session.ErrLost)
	case a.jobs.silent() && a.expectsJobs():
		return fmt.Errorf("%w: no task has reported anything in %s", session.ErrTimeout, a.plan.Duration)
	}
	return nil
}

// expectsJobs reports whether a task should have been released within half of the plan's duration.
func (a *attempt) expectsJobs() bool {
	for _, t := range a.tasks {
		if int64(t.Offset)+int64(t.Period) < a.plan.Duration.Milliseconds()/2 {
			return true
		}
	}
	return false
}

// next waits for events.
func (a *attempt) next(ctx context.Context) error {
	events, err := a.worker.line.session.Next(ctx)
	a.observe(events)
	return err
}

// halt stops what runs on the target. It does so even when ctx has ended.
func (a *attempt) halt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	events, err := a.worker.line.session.Stop(ctx)
	a.observe(events)
	return err
}

func (a *attempt) observe(events []session.Event) {
	if len(events) == 0 {
		return
	}
	for _, e := range events {
		a.jobs.observe(e)
	}
	a.tell(results.NoticeObserved, events)
}

// introduce prepares what an observer hears of the attempt.
func (a *attempt) introduce() {
	if a.worker.engine.opts.Observe == nil {
		return
	}
	r := &a.record
	a.notice = &results.Notice{
		Campaign: a.plan.ID, Name: a.plan.Name, Variant: r.Variant, Attempt: r.Attempt, Target: r.Target, Address: r.Address,
	}
}

// tell tells the observer of the attempt while it goes on.
func (a *attempt) tell(kind results.NoticeKind, events []session.Event) {
	if a.notice == nil {
		return
	}
	a.notice.Tasks = a.tasks
	n := *a.notice
	n.Kind, n.Time, n.Events = kind, a.now(), events
	a.worker.engine.opts.Observe(n)
}

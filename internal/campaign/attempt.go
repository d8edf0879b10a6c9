package campaign

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

const (
	blockedPause = 3 * time.Second // before a campaign with a missing binary is tried again
	stopLimit    = 5 * time.Second // for ending a variant on the target
	maxMessage   = 200             // characters of a record's message
)

// ending is how an attempt ended.
type ending struct {
	record   results.Record
	recorded bool   // the record is in the store
	blocked  string // nothing was sent: this has to be mended first
}

// serve runs one leased variant and ends the lease.
func (w *worker) serve(ctx context.Context, c *running, lease Lease) {
	actx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	plan := w.begin(c, abort)
	end := w.attempt(actx, plan, lease)
	w.engine.mu.Lock()
	w.abort, w.serving = nil, ""
	w.engine.mu.Unlock()
	if end.blocked == "" && (end.record.Succeeded || actx.Err() == nil) {
		end.record.Final = final(&end.record, plan.Retries)
		end.recorded = w.engine.record(ctx, c, end.record)
	}
	w.engine.finish(c, lease, w.target.Name, end)
}

func (w *worker) begin(c *running, abort context.CancelCauseFunc) Plan {
	w.engine.mu.Lock()
	defer w.engine.mu.Unlock()
	w.abort, w.serving = abort, c.plan.ID
	return c.plan
}

// attempt runs the variant. A session that failed is closed when it returns.
func (w *worker) attempt(ctx context.Context, plan Plan, lease Lease) ending {
	r := results.Record{
		Campaign: plan.ID, Variant: lease.Variant, Attempt: lease.Attempt, Values: plan.Space.Values(lease.Variant),
		Target: w.target.Name, Address: w.target.Address, Generation: w.session.Generation(),
		AfterRecovery: w.standing.LastRecovery, Incarnation: w.standing.Incarnation, Started: w.engine.opts.Clock.Now(),
	}
	tasks, err := plan.Space.At(lease.Variant)
	if err != nil {
		r.Reason, r.Message, r.Ended = ReasonInvalidVariant, shorten(err.Error()), w.engine.opts.Clock.Now()
		return ending{record: r}
	}
	binaries, err := w.gather(ctx, plan, tasks)
	if err != nil {
		return ending{record: r, blocked: err.Error()}
	}
	jobs := newTracker(tasks, plan.JobsPerTask)
	limit := plan.TimeLimit(tasks)
	err = w.execute(ctx, session.Run{Tasks: tasks, Binaries: binaries}, jobs, limit)
	r.Ended, r.Jobs = w.engine.opts.Clock.Now(), jobs.jobs()
	if err == nil {
		w.silences = 0
		r.Succeeded, r.Reason = true, ReasonCompleted
		return ending{record: r}
	}
	r.Reason, r.Message = reasonOf(err), shorten(err.Error())
	if r.Reason == ReasonTimedOut {
		name, ended, wanted := jobs.missing()
		r.Message = shorten(fmt.Sprintf("task %s had ended %d of %d jobs after %s", name, ended, wanted, limit.Round(time.Millisecond)))
	}
	if r.Reason != ReasonUnsupported {
		w.disconnect()
		w.stalled(ctx, err)
	}
	return ending{record: r}
}

// execute starts the variant, follows its events until it is complete, and stops what still runs.
func (w *worker) execute(ctx context.Context, run session.Run, jobs *tracker, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := w.session.Start(ctx, run); err != nil {
		return err
	}
	for !jobs.complete() {
		events, err := w.session.Next(ctx)
		for _, e := range events {
			jobs.observe(e)
		}
		if err != nil && !jobs.complete() {
			return err
		}
	}
	// The variant is complete: whatever happens from here on costs the session, not the result.
	sctx, stop := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer stop()
	if _, err := w.session.Stop(sctx); err != nil {
		w.engine.opts.Log.V(2).Info("Stopping variant failed", "target", w.target.Name, "error", err.Error())
		w.disconnect()
	}
	return nil
}

// gather finds the binaries of the tasks: those of the campaign, then those that come with the target.
func (w *worker) gather(ctx context.Context, plan Plan, tasks []taskset.Task) (map[string]session.Binary, error) {
	if w.shelfOf != w.standing.Incarnation {
		clear(w.shelf)
		w.shelfOf = w.standing.Incarnation
	}
	out := map[string]session.Binary{}
	for _, t := range tasks {
		if b, ok := plan.Binaries[t.Pkg]; ok {
			out[t.Pkg] = b
			continue
		}
		b, ok := w.shelf[t.Pkg]
		if !ok {
			content, err := w.engine.opts.Fleet.Binary(ctx, w.target.Name, t.Pkg)
			switch {
			case errors.Is(err, ErrNoBinary):
				return nil, fmt.Errorf("pkg %q of task %s: neither in spec.binaries of the TaskSet nor among the binaries of target %s", t.Pkg, t.Name, w.target.Name)
			case err != nil:
				return nil, fmt.Errorf("pkg %q of task %s: fetching it from target %s: %w", t.Pkg, t.Name, w.target.Name, err)
			}
			b = session.Binary{Name: t.Pkg, Content: content, SHA256: sha256.Sum256(content)}
			w.shelf[t.Pkg] = b
		}
		out[t.Pkg] = b
	}
	return out, nil
}

// record writes until the store has taken it; false only when the engine or the worker ends first.
func (e *Engine) record(ctx context.Context, c *running, r results.Record) bool {
	pause := 50 * time.Millisecond
	for {
		err := e.opts.Store.Put(context.WithoutCancel(ctx), r)
		if err == nil {
			return true
		}
		e.storeFailed(c, err)
		e.opts.Log.Error(err, "Writing result failed, trying again", "campaign", c.plan.Name, "variant", r.Variant)
		if !e.sleep(ctx, pause) {
			return false
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func shorten(s string) string {
	if r := []rune(s); len(r) > maxMessage {
		return string(r[:maxMessage-1]) + "…"
	}
	return s
}

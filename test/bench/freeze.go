package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/health"
	"github.com/genode-operator/genode-operator/internal/target/supervisor"
)

// setting is how a guest is watched.
type setting struct {
	Name              string
	Interval, Timeout time.Duration
}

var settings = []setting{
	{"default", supervisor.DefaultEchoInterval, health.DefaultEchoTimeout},
	{"fast", 50 * time.Millisecond, 250 * time.Millisecond},
}

func (s setting) String() string {
	return fmt.Sprintf("%s (%d/%d ms)", s.Name, s.Interval.Milliseconds(), s.Timeout.Milliseconds())
}

// relapseWindow is the time after a recovery in which a further freeze counts as a relapse; three of them
// in a row, and the agent skips the step. Freezes keep out of it.
const relapseWindow = 10500 * time.Millisecond

// relapseLimit is the number of freezes that may fall into it.
const relapseLimit = 3

// FreezeSeries are the freezes of one guest, all ended by the same step. Times are milliseconds.
type FreezeSeries struct {
	Step         string       `json:"step"`
	Setting      string       `json:"setting"`
	IntervalMS   int64        `json:"echoIntervalMilliseconds"`
	TimeoutMS    int64        `json:"echoTimeoutMilliseconds"`
	Silence      Distribution `json:"lastAnswerToVerdict"`
	Detection    Distribution `json:"freezeToVerdict"`
	Outage       Distribution `json:"verdictToAnswer"`
	Total        Distribution `json:"freezeToAnswer"`
	Ready        Distribution `json:"freezeToReady"`
	FalseAlarms  int          `json:"falseAlarms"` // verdicts that no freeze had caused
	Failure      string       `json:"failure,omitempty"`
	Measurements []freeze     `json:"measurements"`
}

// freeze is one measurement, in milliseconds.
type freeze struct {
	Silence   float64 `json:"lastAnswerToVerdict"`
	Detection float64 `json:"freezeToVerdict"`
	Outage    float64 `json:"verdictToAnswer"`
	Ready     float64 `json:"freezeToReady"`
}

// rig is a guest that is frozen again and again.
type rig struct {
	*target
	setting setting
	step    supervisor.Step
	rest    time.Time // when the next freeze is no relapse any more
	done    []freeze
	failure error
}

// measureFreezes boots a guest for each step and setting, and freezes them in turn: one at a time, the
// others idle. A guest that does not come back fails its series and no other.
func (b *bench) measureFreezes(ctx context.Context) ([]FreezeSeries, error) {
	rigs, err := b.bootRigs(ctx)
	defer func() {
		for _, r := range rigs {
			r.stop()
		}
	}()
	if err != nil {
		return nil, err
	}
	p := b.progress.begin("Freezing guests", b.options.freezes*len(rigs))
	defer p.end()
	for range b.options.freezes {
		for _, r := range rigs {
			if r.failure == nil {
				r.failure = r.measure(ctx, b.random, b.options.freezes > relapseLimit)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			p.step(r.label())
		}
	}
	var all []FreezeSeries
	for _, r := range rigs {
		all = append(all, r.series(ctx))
	}
	return all, nil
}

func (b *bench) bootRigs(ctx context.Context) ([]*rig, error) {
	var rigs []*rig
	for _, s := range []struct {
		part string
		step supervisor.Step
	}{{partRestore, supervisor.StepRestore}, {partReset, supervisor.StepReset}, {partRelaunch, supervisor.StepRelaunch}} {
		if !b.options.wants(s.part) {
			continue
		}
		for _, setting := range settings {
			r := &rig{setting: setting, step: s.step}
			b.progress.say("Booting a guest for " + r.label())
			var err error
			if r.target, err = b.options.boot(ctx, &b.lodging, setting, string(s.step)); err != nil {
				return rigs, fmt.Errorf("%s: %w", r.label(), err)
			}
			rigs = append(rigs, r)
		}
	}
	return rigs, nil
}

func (r *rig) label() string { return fmt.Sprintf("%s, %s", r.step, r.setting.Name) }

// measure freezes the guest once and waits until it is back.
func (r *rig) measure(ctx context.Context, random *rand.Rand, keepOut bool) error {
	if wait := time.Until(r.rest); keepOut && wait > 0 {
		pause(ctx, wait)
	}
	pause(ctx, time.Duration(random.Int64N(int64(2*r.setting.Interval)))) // any phase of the echoes
	said, err := r.hang(ctx)
	if err != nil {
		return err
	}
	back, err := r.await(ctx, fmt.Sprintf("the guest is back by %s", r.step), readyTimeout, func(s agentapi.State) bool {
		return s.Ready && s.LastRecovery != nil && s.LastRecovery.Done && s.LastRecovery.Time.After(said)
	})
	if err != nil {
		return err
	}
	r.rest = time.Now().Add(relapseWindow)
	if by := back.LastRecovery.Step; by != string(r.step) {
		return r.explain(fmt.Errorf("the guest came back by %s, not by %s", by, r.step))
	}
	r.done = append(r.done, timesOf(said, *back.LastRecovery, back.Time))
	return nil
}

// hang freezes the guest, and returns when it had said its last word. A false alarm right then cuts the
// connection: the guest is asked again when it is back.
func (r *rig) hang(ctx context.Context) (time.Time, error) {
	for {
		if _, err := r.await(ctx, "the guest is ready for the next freeze", readyTimeout, func(s agentapi.State) bool { return s.Ready }); err != nil {
			return time.Time{}, err
		}
		asked := time.Now()
		said, err := r.command(ctx, "hang")
		if err == nil {
			return said, nil
		}
		if s, _ := r.now(); s.LastRecovery == nil || s.LastRecovery.Time.Before(asked) {
			return time.Time{}, err
		}
	}
}

// timesOf are the times of one recovery. The guest said its last word at said and froze hangDelay later, or
// after its last echo if that was later still.
func timesOf(said time.Time, r agentapi.Recovery, ready time.Time) freeze {
	silence := time.Duration(r.SilentMilliseconds) * time.Millisecond
	froze := said.Add(hangDelay)
	if last := r.Time.Add(-silence); last.After(froze) {
		froze = last
	}
	return freeze{
		Silence: milliseconds(silence), Detection: milliseconds(r.Time.Sub(froze)),
		Outage: float64(r.OutageMilliseconds), Ready: milliseconds(ready.Sub(froze)),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// series sums the measurements up, and asks the agent whether it saw freezes that there were not.
func (r *rig) series(ctx context.Context) FreezeSeries {
	of := func(value func(freeze) float64) Distribution {
		var values []float64
		for _, f := range r.done {
			values = append(values, value(f))
		}
		return distribution(values)
	}
	s := FreezeSeries{
		Step: string(r.step), Setting: r.setting.Name,
		IntervalMS: r.setting.Interval.Milliseconds(), TimeoutMS: r.setting.Timeout.Milliseconds(),
		Silence:      of(func(f freeze) float64 { return f.Silence }),
		Detection:    of(func(f freeze) float64 { return f.Detection }),
		Outage:       of(func(f freeze) float64 { return f.Outage }),
		Total:        of(func(f freeze) float64 { return f.Detection + f.Outage }),
		Ready:        of(func(f freeze) float64 { return f.Ready }),
		Measurements: r.done,
	}
	m, err := r.metrics(ctx)
	switch failure := errors.Join(r.failure, err); {
	case failure != nil:
		s.Failure = failure.Error()
	default:
		s.FalseAlarms = m.alarms().verdicts - len(r.done)
	}
	return s
}

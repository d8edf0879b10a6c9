package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/addresspool"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
)

// Options of a run. Plan, Class, ClassName and Store are required.
type Options struct {
	// Plan of the campaign, as campaign.FromSpec makes it, with binaries; its targets are found.
	Plan campaign.Plan
	// Class opens sessions; ClassName is the class of all targets.
	Class     session.Class
	ClassName string
	// Fixed targets, of classes that need no looking for them: Stdio and SimSo. Without them there are Addresses.
	Fixed []session.Target
	// Addresses and Port of the targets.
	Addresses *addresspool.Ranges
	Port      uint16
	// Generation of the targets' taskloaders, "Auto" to ask each.
	Generation string
	Store      results.Store
	// Observe is told of every attempt; see campaign.Options.
	Observe func(results.Notice)
	// Progress is told how far the campaign is when that has changed, at most twice a second, and at the end.
	Progress func(Progress)
	Log      logr.Logger
}

// Progress says how far a campaign is.
type Progress struct {
	campaign.Snapshot
	Targets int // that answer
}

// ErrStopped is returned by Run when its context ended before the campaign was complete.
var ErrStopped = errors.New("the campaign was stopped")

const (
	pool = "pool" // the scanner's only set
	// stopping is how long targets have to end what they run.
	stopping = 10 * time.Second
)

// runner is one run.
type runner struct {
	options Options
	engine  *campaign.Engine
	scanner *addresspool.Scanner
	news    chan struct{}        // a token: the campaign or the targets have changed
	inUse   map[string]time.Time // targets that the scanner was told to leave alone, and until when the engine does
}

// Run runs the campaign until every variant has its result. When ctx ends before that, what runs is stopped on its
// target, everything is closed, and the error is ErrStopped; another Run with the same store goes on. Other
// errors: what the store knows is another campaign, or there is nothing to look for targets at.
func Run(ctx context.Context, o Options) (Progress, error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	r := &runner{options: o, news: make(chan struct{}, 1), inUse: map[string]time.Time{}}
	r.scanner = addresspool.NewScanner(addresspool.ScannerOptions{
		Changed: func(string) { r.tell() }, First: 250 * time.Millisecond, Recheck: 5 * time.Second,
	})
	r.engine = campaign.New(campaign.Options{
		Store: o.Store, Class: o.Class, Fleet: fleet{r}, Log: o.Log, Observe: o.Observe, Changed: func(string) { r.tell() },
	})
	if len(o.Fixed) == 0 {
		if o.Addresses.Empty() {
			return Progress{}, errors.New("there are no addresses to look for targets at; name at least one, for example 172.25.1.0/24")
		}
		if err := r.scanner.Set(pool, o.Addresses, r.check); err != nil {
			return Progress{}, err
		}
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	parts.Go(func() { _ = r.scanner.Start(life) })
	parts.Go(func() { _ = r.engine.Start(life) })
	last, err := r.follow(ctx)
	end()
	parts.Wait()
	o.Progress(last)
	return last, err
}

func (r *runner) tell() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// follow keeps the engine's targets in step with those that answer, until the campaign is over or ctx ends.
func (r *runner) follow(ctx context.Context) (Progress, error) {
	for {
		plan := r.options.Plan
		plan.Targets = r.targets()
		r.engine.Apply(plan)
		now := r.progress(len(plan.Targets))
		r.leaveAlone(now.Quarantined)
		switch now.State {
		case campaign.StateComplete:
			return now, nil
		case campaign.StateRefused:
			return now, fmt.Errorf("%s", now.Blocked)
		}
		r.options.Progress(now)
		select {
		case <-r.news:
		case <-ctx.Done():
			return r.stop(plan)
		}
	}
}

// leaveAlone keeps the scanner, too, from targets that serve somebody else: each connection costs them memory.
func (r *runner) leaveAlone(bad []campaign.Quarantined) {
	for _, q := range bad {
		a, err := netip.ParseAddr(q.Target)
		if err != nil || q.Reason != campaign.ReasonInUse || r.inUse[q.Target].Equal(q.Until) {
			continue
		}
		r.inUse[q.Target] = q.Until
		r.scanner.Taken(pool, a)
		r.options.Log.Info("Leaving a target alone, because it serves another client", "target", q.Target)
	}
}

// stop ends what runs on its targets.
func (r *runner) stop(plan campaign.Plan) (Progress, error) {
	plan.Suspended, plan.Stopped = true, true
	r.engine.Apply(plan)
	limit := time.NewTimer(stopping)
	defer limit.Stop()
	for {
		now := r.progress(len(plan.Targets))
		if now.State == campaign.StateComplete {
			return now, nil
		}
		if now.Running == 0 {
			return now, ErrStopped
		}
		select {
		case <-r.news:
		case <-limit.C:
			return now, fmt.Errorf("%w; %d targets did not end what they run within %s", ErrStopped, now.Running, stopping)
		}
	}
}

func (r *runner) progress(targets int) Progress {
	s, _ := r.engine.Snapshot(r.options.Plan.ID)
	return Progress{Snapshot: s, Targets: targets}
}

// targets are those that answer now.
func (r *runner) targets() []session.Target {
	if len(r.options.Fixed) > 0 {
		return r.options.Fixed
	}
	var all []session.Target
	for _, a := range r.scanner.Found(pool) {
		all = append(all, r.target(a))
	}
	return all
}

func (r *runner) target(a netip.Addr) session.Target {
	return session.Target{
		Name: a.String(), Class: r.options.ClassName, Generation: r.options.Generation,
		Address: net.JoinHostPort(a.String(), strconv.Itoa(int(r.options.Port))),
	}
}

// check asks whether there is a target at the address.
func (r *runner) check(ctx context.Context, a netip.Addr) error {
	return r.options.Class.Available(ctx, r.target(a))
}

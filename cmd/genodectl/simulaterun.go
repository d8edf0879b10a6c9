package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// apply puts flags in place of what the file says. What says nothing about its duration gets one if it is needed.
func (o *simulateOptions) apply(cmd *cobra.Command, f *simfile.File, duration bool) error {
	given := cmd.Flags().Changed
	o.input.override(f)
	if given("option") {
		f.Options = o.options
	}
	if given("seed") {
		f.System.Seed = o.seed
	}
	return errors.Join(o.howLong(&f.System, duration), o.look(&f.System))
}

func (o *simulateOptions) howLong(s *sim.System, needed bool) error {
	var err error
	switch {
	case o.duration != "":
		var ok bool
		if s.Duration, ok = simfile.ParseTime(o.duration); !ok {
			err = fmt.Errorf("--duration %q: use a number with ns, us, ms or s, such as 1.5s", o.duration)
		}
	case needed && (o.hyperperiod || s.Duration == 0):
		s.Duration, err = hyperperiod(s)
	}
	return err
}

// look sets the window of time that is looked at.
func (o *simulateOptions) look(s *sim.System) error {
	if o.window == "" {
		return nil
	}
	from, to, _ := strings.Cut(o.window, "-")
	var ok, too bool
	s.Window.From, ok = simfile.ParseTime(from)
	s.Window.To, too = simfile.ParseTime(to)
	if !ok || !too {
		return fmt.Errorf("--window %q: use two times, such as 100ms-200ms", o.window)
	}
	return nil
}

// simulate runs the simulation and shows it.
func (o *simulateOptions) simulate(ctx context.Context, f *simfile.File, show shower, out, log io.Writer) (missed int64, err error) {
	scheduler, err := sched.NewWith(f.Scheduler, f.Options)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	view := show(f, out, cancel)
	bar := newSimulationBar(log, view, f.System.Duration)
	totals, err := sim.Run(ctx, &f.System, scheduler, bar)
	bar.end()
	if err != nil {
		return 0, stopped(ctx, err, log)
	}
	return totals.Missed, view.end(totals)
}

// stopped is why a simulation has ended early: what it was cancelled for, or somebody who stopped it.
func stopped(ctx context.Context, err error, log io.Writer) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return err
	case errors.Is(cause, context.Canceled):
		fmt.Fprintln(log, "stopped")
		return errFailed
	default:
		return cause
	}
}

// Command bench measures the product on real parts: how fast a frozen guest is found and brought back, whether
// busy guests are mistaken for frozen ones, what a target costs, and how many variants a second go through.
//
//	agents (bin/agent) with reference guests in QEMU ──► freezes, busy guests, footprint, echoes
//	targets in this process, engine, SQLite          ──► variants per second, beside a raw loop
//	fake targets in a process of their own, engine   ──► whole campaigns beside a raw loop, very long ones, 1,000 targets
//	stores                                           ──► records per second
//	simulator, a plain loop                          ──► jobs per second
//
// It needs no Kubernetes. docs/benchmarks.md says how to read what it prints.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := command().ExecuteContext(ctx)
	if err == nil {
		return
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted; everything was stopped")
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

func command() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure detection, outage, false alarms, throughput and the agent's footprint",
		Long: `Bench measures the product on real parts and prints tables. Progress goes to standard error.

All of it takes about half an hour, most of which are the freezes and the busy guests. The exit status is
not 0 when something failed, for example a guest that did not come back or a false alarm; never because of
slow numbers: those depend on the machine, which the first line describes.`,
		Example: `  make bench                                     # everything, with what it needs
  go run ./test/bench --quick                    # one or two minutes, to see that it works
  go run ./test/bench --only restore --freezes 200 -o json > restore.json`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.complete(cmd.Flags().Changed); err != nil {
				return err
			}
			return new(bench).measure(cmd.Context(), o, cmd.OutOrStdout(), newProgress(os.Stderr))
		},
	}
	o.register(cmd)
	cmd.AddCommand(fakesCommand())
	return cmd
}

// bench is one run.
type bench struct {
	options  *options
	progress *progress
	lodging  lodging
	random   *rand.Rand
	report   Report
}

// measure runs every part that is wanted. Nothing of it is left when it returns, apart from the report.
func (b *bench) measure(ctx context.Context, o *options, out io.Writer, p *progress) (err error) {
	dir, err := os.MkdirTemp("", "genode-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b.options, b.progress, b.lodging = o, p, lodging{dir: dir}
	b.random = rand.New(rand.NewPCG(o.seed, 0))
	b.report.Machine = machineFacts(ctx, o)
	if o.output == "text" {
		fmt.Fprintln(out, b.report.Machine)
	}
	for _, part := range []struct {
		names []string
		run   func(context.Context) error
		print func(io.Writer)
		load  *Load
	}{
		{[]string{partRestore, partReset, partRelaunch}, b.freezes, b.report.printFreezes, &b.report.FreezesLoad},
		{[]string{partBusy}, b.busy, b.report.printBusy, &b.report.BusyLoad},
		{[]string{partFootprint, partEcho}, b.idle, b.report.printIdle, &b.report.IdleLoad},
		{[]string{partVariants}, b.variants, b.report.printVariants, &b.report.VariantsLoad},
		{[]string{partHey6}, b.hey6, b.report.printHey6, &b.report.Hey6Load},
		{[]string{partSpace}, b.space, b.report.printSpace, &b.report.SpaceLoad},
		{[]string{partStore}, b.store, b.report.printStore, &b.report.StoreLoad},
		{[]string{partFleet}, b.fleet, b.report.printFleet, &b.report.FleetLoad},
		{[]string{partSimulator}, b.simulator, b.report.printSimulator, &b.report.SimulatorLoad},
	} {
		if !b.wantsAny(part.names) {
			continue
		}
		meter := newLoadMeter()
		if err := profiled(o.profiles, part.names[0], func() error { return part.run(ctx) }); err != nil {
			return err
		}
		*part.load = meter.end()
		if o.output == "text" {
			part.print(out)
		}
	}
	if o.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(b.report); err != nil {
			return err
		}
	}
	return b.report.failure()
}

func (b *bench) wantsAny(names []string) bool {
	for _, n := range names {
		if b.options.wants(n) {
			return true
		}
	}
	return false
}

func (b *bench) freezes(ctx context.Context) (err error) {
	b.report.Freezes, err = b.measureFreezes(ctx)
	return err
}

func (b *bench) busy(ctx context.Context) (err error) {
	b.report.Busy, err = b.measureBusy(ctx)
	return err
}

func (b *bench) idle(ctx context.Context) (err error) {
	b.report.Footprint, b.report.Echoes, err = b.measureIdle(ctx)
	return err
}

func (b *bench) variants(ctx context.Context) (err error) {
	b.report.Throughput, err = b.measureVariants(ctx)
	return err
}

func (b *bench) hey6(ctx context.Context) (err error) {
	b.report.Hey6, err = b.measureHey6(ctx)
	return err
}

func (b *bench) space(ctx context.Context) (err error) {
	b.report.Space, err = b.measureSpace(ctx)
	return err
}

func (b *bench) store(ctx context.Context) (err error) {
	b.report.Stores, err = b.measureStore(ctx)
	return err
}

func (b *bench) simulator(ctx context.Context) (err error) {
	b.report.Simulator, err = b.measureSimulator(ctx)
	return err
}

func (b *bench) fleet(ctx context.Context) (err error) {
	b.report.Fleet, err = b.measureFleet(ctx)
	return err
}

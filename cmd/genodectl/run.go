package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/addresspool"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/local"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// runOptions are the flags of run, and of what goes on with a campaign.
type runOptions struct {
	taskset, file string
	name          string
	fresh, dryRun bool
	seed          int64
	repeat        int32
	parallelism   int32
	timeout       int32
	retries       int32
	target        targetOptions
	monitors      []string
	output        string
	store         string
	debug         bool
}

// targetOptions say where the targets are.
type targetOptions struct {
	Class      string   `json:"class"`
	Addresses  []string `json:"addresses"`
	Exclude    []string `json:"exclude,omitempty"`
	Port       uint16   `json:"port"`
	Generation string   `json:"generation"`
	Binaries   string   `json:"binaries"`

	Simulation simulationOptions `json:"simulation,omitzero"`
}

func runCommand(plugin bool) *cobra.Command {
	o := &runOptions{}
	c := &clusterOptions{}
	cmd := &cobra.Command{
		Use:   "run -t TASK-SET | -f FILE [ADDRESS...]",
		Short: "Run a campaign",
		Long: `Run runs every variant of a task-set on the targets that answer at the addresses: single ones, networks such as
172.25.1.0/24, and ranges such as 172.25.1.10-172.25.1.20. Results are kept; the same command goes on where an
earlier one was stopped. Ctrl-C stops what runs on the targets.

With --cluster it creates a TaskSet instead and follows it.`,
		Example: `  genodectl run -t example.Hey6TaskSet 172.25.1.0/24
  genodectl run -t example.Hey6TaskSet -s genode.GenodeSession -p 3001 127.0.0.1 127.0.0.2
  genodectl run -f taskset.yaml --class Genode --address 172.25.1.7 --binaries bin -o csv > results.csv
  genodectl run -f taskset.yaml --dry-run        # print what would be sent
  genodectl run -f taskset.yaml --class SimSo --scheduler EDF -o table   # simulate every variant
  kubectl genode run -f taskset.yaml -n lab      # in the cluster`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.target.Addresses = append(o.target.Addresses, args...)
			l, err := load(o.taskset, o.file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			o.override(cmd, l)
			if c.wanted {
				return c.run(cmd.Context(), l, cmd.ErrOrStderr())
			}
			return o.run(cmd, l)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.taskset, "task-set", "t", "", "task-set of the library, for example example.Hey6 (see list -t)")
	f.StringVarP(&o.file, "file", "f", "", `file with a TaskSet or its spec, "-" for standard input`)
	f.StringVar(&o.name, "name", "", "name of the campaign; that of the task-set by default")
	f.BoolVar(&o.fresh, "fresh", false, "begin anew instead of going on with an earlier campaign of this name")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be sent; the same as --class Stdio, and nothing is recorded")
	f.Int64Var(&o.seed, "seed", 0, "seed of everything that is random; made from the name by default")
	f.Int32Var(&o.repeat, "repeat", 1, "how often everything is run")
	f.Int32Var(&o.parallelism, "parallelism", 0, "variants that run at a time; one for each target by default")
	f.Int32Var(&o.timeout, "timeout", 0, "seconds that a variant may take; derived from its periods and critical times by default")
	f.Int32Var(&o.retries, "retries", 3, "further attempts at a variant that failed")
	f.StringArrayVarP(&o.monitors, "monitor", "m", nil, "where events and results go while the campaign runs (see list -m); may be given several times")
	f.StringVarP(&o.output, "output", "o", "", "print the results at the end: table, csv, json, jsonl, mongo or text")
	f.BoolVarP(&o.debug, "debug", "d", false, "details on standard error")
	o.target.flags(cmd)
	storeFlag(cmd, &o.store)
	c.flags(cmd, plugin)
	complete(cmd)
	return cmd
}

func (t *targetOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&t.Class, "class", "s", string(v1alpha1.ClassPing), "session class: Ping, Genode, SimSo or Stdio (see list -s)")
	f.StringVar(&t.Class, "session", string(v1alpha1.ClassPing), "the same as --class")
	f.StringArrayVar(&t.Addresses, "address", nil, "address, network or range; the same as an argument")
	f.StringArrayVar(&t.Exclude, "exclude", nil, "address, network or range that is never contacted")
	f.Uint16VarP(&t.Port, "port", "p", v1alpha1.TaskloaderPort, "port of the taskloaders")
	f.StringVar(&t.Generation, "generation", string(v1alpha1.GenerationAuto), "generation of the taskloaders: Auto, 2017, 1608a, 1608b or 1802")
	t.Simulation.flags(f)
	f.StringVar(&t.Binaries, "binaries", "bin", "folder with the tasks' binaries, one file for each pkg")
}

func storeFlag(cmd *cobra.Command, dsn *string) {
	cmd.Flags().StringVar(dsn, "store", "", "results store: a file, or postgres://...; the user's own by default")
}

// override puts flags in place of what the spec says.
func (o *runOptions) override(cmd *cobra.Command, l *loaded) {
	given := cmd.Flags().Changed
	if o.name != "" {
		l.name = o.name
	}
	if given("seed") {
		l.spec.Seed = &o.seed
	}
	if given("repeat") {
		l.spec.Repeat = o.repeat
	}
	if given("parallelism") {
		l.spec.Parallelism = &o.parallelism
	}
	if given("timeout") {
		l.spec.TimeoutSeconds = &o.timeout
	}
	if given("retries") {
		l.spec.Retries.Limit = &o.retries
	}
}

// run runs the campaign here.
func (o *runOptions) run(cmd *cobra.Command, l *loaded) error {
	ctx := cmd.Context()
	if o.output != "" {
		if _, err := export.ParseFormat(o.output); err != nil {
			return fmt.Errorf("-o: %w", err)
		}
	}
	if o.dryRun {
		o.target.Class = string(v1alpha1.ClassStdio)
	}
	prepared, err := o.prepare(l, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if prepared.ClassName == string(v1alpha1.ClassStdio) {
		o.store = dryStore
	}
	return withStore(ctx, o.store, func(store results.Store) error {
		if o.fresh {
			id, err := freshID(ctx, store, prepared.Plan.Name)
			if err != nil {
				return err
			}
			if prepared.Plan, err = planOf(id, l, prepared.Plan.Binaries); err != nil {
				return err
			}
		}
		return o.follow(cmd, prepared, store)
	})
}

// prepare checks everything that can be checked before anything is contacted.
func (o *runOptions) prepare(l *loaded, log io.Writer) (*local.Options, error) {
	class, err := classOf(o.target.Class)
	if err != nil {
		return nil, err
	}
	if generations := []string{"Auto", "2017", "1608a", "1608b", "1802"}; !slices.Contains(generations, o.target.Generation) {
		return nil, fmt.Errorf("--generation %q is not known; use one of %s", o.target.Generation, strings.Join(generations, ", "))
	}
	p := &local.Options{ClassName: string(class), Port: o.target.Port, Generation: o.target.Generation, Log: o.log()}
	space, err := variant.Build(&l.spec)
	if err != nil {
		return nil, err
	}
	binaries, err := o.binaries(class, space.Pkgs(), log)
	if err != nil {
		return nil, err
	}
	if p.Fixed, err = o.target.fixed(class); err != nil {
		return nil, err
	}
	if len(p.Fixed) == 0 {
		if len(o.target.Addresses) == 0 {
			return nil, errors.New("where are the targets? Name addresses, for example 172.25.1.7 or 172.25.1.0/24; --dry-run does without")
		}
		if p.Addresses, err = addresspool.Parse(o.target.Addresses, o.target.Exclude); err != nil {
			return nil, err
		}
		if p.Addresses.Count().Cmp(big.NewInt(addresspool.MaxAddresses)) > 0 {
			return nil, fmt.Errorf("%v addresses are too many to look at; name at most %d", p.Addresses.Count(), addresspool.MaxAddresses)
		}
	}
	p.Plan, err = planOf(l.name, l, binaries)
	return p, err
}

// binaries of the campaign; where nothing is sent, placeholders do.
func (o *runOptions) binaries(class v1alpha1.SessionClass, pkgs []string, log io.Writer) (campaignBinaries, error) {
	if class == v1alpha1.ClassSimSo {
		return placeholders(pkgs), nil
	}
	all, err := local.Binaries(o.target.Binaries, pkgs)
	if err != nil && class == v1alpha1.ClassStdio {
		fmt.Fprintf(log, "%v; the dry run goes on with placeholders\n", err)
		return placeholders(pkgs), nil
	}
	return all, err
}

// follow runs the campaign and prints what was asked for.
func (o *runOptions) follow(cmd *cobra.Command, p *local.Options, store results.Store) (err error) {
	ctx := cmd.Context()
	if why := p.Plan.Rejection(ctx); why != "" {
		return errors.New(why)
	}
	lock, err := lockCampaign(o.store, p.Plan.ID, &o.target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	all, end := classes(cmd.OutOrStdout(), p.Log)
	defer func() { err = errors.Join(err, end()) }()
	watching, err := openMonitors(ctx, o.monitors, cmd.OutOrStdout(), sinkLog(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, watching.Close()) }()
	show := newMeter(cmd.ErrOrStderr())
	p.Class, p.Store, p.Observe, p.Progress = all, store, watching.Observe, show.show
	if p.Plan.Random {
		fmt.Fprintf(cmd.ErrOrStderr(), "seed %d\n", p.Plan.Seed)
	}
	last, runErr := local.Run(ctx, *p)
	show.end()
	return errors.Join(o.report(context.WithoutCancel(ctx), cmd.OutOrStdout(), store, p.Plan.ID), verdict(cmd.ErrOrStderr(), last, runErr))
}

// report prints the results in the wanted format.
func (o *runOptions) report(ctx context.Context, out io.Writer, store results.Store, id string) error {
	if o.output == "" {
		return nil
	}
	format, err := export.ParseFormat(o.output)
	if err != nil {
		return err
	}
	c, err := find(ctx, store, id)
	if err != nil {
		return nil // stopped before its first variant: there is nothing to print
	}
	return export.Write(ctx, out, format, store, c, nil)
}

// verdict says how it ended.
func verdict(log io.Writer, last local.Progress, err error) error {
	switch {
	case errors.Is(err, local.ErrStopped):
		fmt.Fprintf(log, "stopped: %d of %d variants have their results; the same command goes on\n", last.Finished+last.Skipped, last.Total)
		return errFailed
	case err != nil:
		return err
	case last.Tally.Failed > 0:
		fmt.Fprintf(log, "%d of %d variants failed; genodectl results shows why, genodectl retry runs them again\n", last.Tally.Failed, last.Total)
		return errFailed
	}
	return nil
}

// sinkLog says what sinks could not take; that is no detail.
func sinkLog(log io.Writer) logr.Logger {
	return funcr.New(func(prefix, args string) { fmt.Fprintln(log, "monitor:", prefix, args) }, funcr.Options{})
}

func (o *runOptions) log() logr.Logger { return debugLog(o.debug) }

// debugLog writes to standard error when details are wanted.
func debugLog(wanted bool) logr.Logger {
	if !wanted {
		return logr.Discard()
	}
	return funcr.New(func(prefix, args string) { errorLine(prefix, args) }, funcr.Options{Verbosity: 4, LogTimestamp: true})
}

func planOf(id string, l *loaded, binaries campaignBinaries) (campaign.Plan, error) {
	p, err := campaign.FromSpec(id, l.name, &l.spec)
	p.Binaries = binaries
	return p, err
}

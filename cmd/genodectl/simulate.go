package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	input       inputOptions
	cases       []string
	options     map[string]string
	duration    string
	hyperperiod bool
	seed        uint64
	output      string
	by          string
	window      string
	failOnMiss  bool
}

func simulateCommand() *cobra.Command {
	o := &simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate -f FILE | -t TASK-SET | --simso-json FILE...",
		Short: "Simulate how tasks are scheduled",
		Long: `Simulate runs a system of tasks and processors in a simulation and shows its schedule. FILE is one of

  a TaskSet or its spec; one of its variants is simulated, as a target of class SimSo does it
  tasks as YAML or JSON: {tasks: [{name: a, period: 10ms, wcet: 2ms}, ...]}, or only the list; it may also have
  cpus, overheads, scheduler, duration and seed. -o yaml prints any other file in this form
  a model of SimSo: its XML, or the input of a recorded run

Times without a unit are milliseconds. Without --duration, and if the file says nothing about it, the hyperperiod
is simulated: once, or with offsets the largest offset and twice the hyperperiod; of a TaskSet, all jobs.

-o table sums up; json and jsonl have every job, with times in nanoseconds; svg and html draw a Gantt chart;
chrome-trace is for ui.perfetto.dev.

--simso-json reads recorded runs of SimSo, or their inputs, and prints a line for each as jsonl, with times in cycles
which are cut from milliseconds as SimSo does it. A file that cannot be simulated has a line with an error.

Exit codes: 0; 1 a job missed its deadline, with --fail-on-miss, or it was stopped; 2 something could not be simulated.`,
		Example: `  genodectl simulate -f tasks.yaml
  genodectl simulate -f tasks.yaml --scheduler EDF --cpus 2 --duration 1s -o svg > schedule.svg
  genodectl simulate -f taskset.yaml --variant 17 --fail-on-miss
  genodectl simulate -f model.xml --scheduler PD2 --option quantum=100us -o html > schedule.html
  genodectl simulate -f tasks.yaml --duration 1000s -o jsonl > jobs.jsonl
  genodectl simulate -o jsonl --simso-json recorded/*.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.flags(cmd)
	completeSimulate(cmd)
	return cmd
}

func (o *simulateOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.input.flags(cmd)
	f.StringArrayVar(&o.cases, "simso-json", nil, "recorded runs of SimSo, or their inputs; further ones may follow as arguments")
	f.StringVar(&o.input.scheduler, "scheduler", "", "scheduler, by its name here or in SimSo; that of the file, or EDF, by default")
	f.StringToStringVar(&o.options, "option", nil, "option of the scheduler, for example quantum=100us; may be given several times")
	f.StringVar(&o.duration, "duration", "", "how long is simulated, for example 1s or 420ms")
	f.BoolVar(&o.hyperperiod, "hyperperiod", false, "simulate until everything repeats")
	f.Uint64Var(&o.seed, "seed", 0, "seed of everything that is drawn; that of the file, or 0, by default")
	f.StringVarP(&o.output, "output", "o", "", "table, json, jsonl, svg, html, chrome-trace or yaml; table by default, jsonl with --simso-json")
	f.StringVar(&o.by, "by", string(rowsByTask), "rows of charts: task or cpu")
	f.StringVar(&o.window, "window", "", "part of the time that sums and charts are about, for example 100ms-200ms")
	f.BoolVar(&o.failOnMiss, "fail-on-miss", false, "exit with 1 if a job missed its deadline")
	f.IntVar(&o.input.cpus, "cpus", 0, "number of processors; that of the file, or 1, by default")
	cmd.MarkFlagsMutuallyExclusive("duration", "hyperperiod")
	for _, other := range []string{"file", "task-set", "scheduler", "option", "duration", "hyperperiod", "seed", "by", "window", "cpus", "variant"} {
		cmd.MarkFlagsMutuallyExclusive("simso-json", other)
	}
}

func (o *inputOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", `file with the tasks, "-" for standard input`)
	f.StringVarP(&o.taskset, "task-set", "t", "", "task-set of the library, for example example.Hey6 (see list -t)")
	f.Uint64Var(&o.variant, "variant", 0, "variant of the task-set")
}

func (o *simulateOptions) run(cmd *cobra.Command, args []string) error {
	if len(o.cases) > 0 {
		return o.runCases(cmd, args)
	}
	if err := o.check(cmd, args); err != nil {
		return err
	}
	if o.output == "yaml" {
		return o.convert(cmd)
	}
	show, err := o.showing()
	if err != nil {
		return err
	}
	f, err := o.input.read(cmd.InOrStdin())
	if err != nil {
		return err
	}
	if err := o.apply(cmd, f, true); err != nil {
		return err
	}
	missed, err := o.simulate(cmd.Context(), f, show, cmd.OutOrStdout(), cmd.ErrOrStderr())
	return o.verdict(cmd.ErrOrStderr(), missed, err)
}

func (o *simulateOptions) runCases(cmd *cobra.Command, args []string) error {
	if o.output != "" && o.output != "jsonl" {
		return fmt.Errorf("-o %s: --simso-json is printed as jsonl; use -f for one file in another format", o.output)
	}
	missed, err := simulateCases(cmd.Context(), append(o.cases, args...), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	return o.verdict(cmd.ErrOrStderr(), missed, err)
}

// check refuses what is wrong with the command itself.
func (o *simulateOptions) check(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("%q: name one file, with -f", args[0])
	case o.input.file == "" && o.input.taskset == "":
		return errors.New("what shall be simulated? Name a file with -f, a task-set with -t, or recorded runs with --simso-json")
	}
	return o.input.checkCPUs(cmd)
}

// convert prints what would be simulated.
func (o *simulateOptions) convert(cmd *cobra.Command) error {
	f, err := o.input.read(cmd.InOrStdin())
	if err != nil {
		return err
	}
	if err := o.apply(cmd, f, o.hyperperiod); err != nil {
		return err
	}
	text, err := simfile.Marshal(f)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(text)
	return err
}

func (o *simulateOptions) verdict(log io.Writer, missed int64, err error) error {
	if err != nil || missed == 0 || !o.failOnMiss {
		return err
	}
	if missed == 1 {
		fmt.Fprintln(log, "1 job missed its deadline")
	} else {
		fmt.Fprintf(log, "%d jobs missed their deadlines\n", missed)
	}
	return errFailed
}

package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// analyzeOptions are the flags of analyze.
type analyzeOptions struct {
	input  inputOptions
	golden []string
	tests  []string
	output string
	strict bool
}

func analyzeCommand() *cobra.Command {
	o := &analyzeOptions{}
	cmd := &cobra.Command{
		Use:   "analyze -f FILE | -t TASK-SET | --golden-jsonl FILE...",
		Short: "Say without running it whether a task-set meets its deadlines",
		Long: `Analyze runs schedulability tests over a system of tasks and processors; see simulate for what FILE may be. Fixed
priorities are those of the file if its scheduler has such (FP, Genode-FP, RM), else deadline-monotonic ones. Tasks are
taken as sporadic; overheads and the number of jobs are not looked at. "yes" is certain; "no" is certain of exact
tests, others do not know; "-": the test says nothing about such a task-set.

--golden-jsonl reads task-sets, {"id": 1, "cpus": 2, "tasks": [[C, T, D], ...]} in each line, and prints them with
verdicts, bounds, and what a simulation of 1.2 s shows if times are microseconds (simso_..., priorities by deadline;
jobs that have not ended are no misses there). Its keys on one processor: liu_layland, hyperbolic, rta,
fp_dm_schedulable, pycpa_wcrt, edf_schedulable, simso_fp_max_response, simso_edf_missed; on several: gfb, bak, bcl,
bcl_iterative, gedf_rta, gfp_bertogna and gfp_guan with their _bounds, gedf_tardiness_x, simso_gedf_missed,
simso_gedf_max_response, simso_gfp_missed, simso_gfp_max_response. Left out is bar, which is always null.

Exit codes: 0; 1 a test that was asked for by --test said no, with --strict; 2 something could not be analysed.`,
		Example: `  genodectl analyze -f tasks.yaml
  genodectl analyze -f taskset.yaml --variant 17 --cpus 2
  genodectl analyze -f tasks.yaml --test QPA --strict
  genodectl analyze --golden-jsonl analysis.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	o.input.flags(cmd)
	f.IntVar(&o.input.cpus, "cpus", 0, "number of processors; that of the file, or 1, by default")
	f.StringVar(&o.input.scheduler, "scheduler", "", "scheduler whose priorities count; that of the file by default")
	f.StringArrayVar(&o.golden, "golden-jsonl", nil, "task-sets as JSON Lines; further files may follow as arguments")
	f.StringSliceVar(&o.tests, "test", nil, "tests, for example RTA,QPA; all by default")
	f.StringVarP(&o.output, "output", "o", "table", "table or json")
	f.BoolVar(&o.strict, "strict", false, "exit with 1 if a test says no")
	for _, other := range []string{"file", "task-set", "variant", "cpus", "scheduler", "test", "strict", "output"} {
		cmd.MarkFlagsMutuallyExclusive("golden-jsonl", other)
	}
	completeAnalyze(cmd)
	return cmd
}

func (o *analyzeOptions) run(cmd *cobra.Command, args []string) error {
	if len(o.golden) > 0 {
		return analyzeLines(cmd.Context(), append(o.golden, args...), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	if err := o.check(cmd, args); err != nil {
		return err
	}
	tests, err := o.chosen()
	if err != nil {
		return err
	}
	f, err := o.input.read(cmd.InOrStdin())
	if err != nil {
		return err
	}
	o.input.override(f)
	a, err := analyze(f, tests)
	if err != nil {
		return err
	}
	if err := o.print(cmd.OutOrStdout(), a); err != nil {
		return err
	}
	if o.strict && slices.ContainsFunc(a.Tests, func(t testVerdict) bool { return t.Verdict == verdictNo }) {
		return errFailed
	}
	return nil
}

// check refuses what is wrong with the command itself.
func (o *analyzeOptions) check(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("%q: name one file, with -f", args[0])
	case o.input.file == "" && o.input.taskset == "":
		return errors.New("what shall be analysed? Name a file with -f, a task-set with -t, or task-sets with --golden-jsonl")
	case o.output != "table" && o.output != "json":
		return fmt.Errorf("-o %q: use table or json", o.output)
	}
	return o.input.checkCPUs(cmd)
}

func (o *analyzeOptions) chosen() ([]analysis.Test, error) {
	if len(o.tests) == 0 {
		return analysis.Tests(), nil
	}
	var tests []analysis.Test
	for _, name := range o.tests {
		t, err := analysis.FindTest(name)
		if err != nil {
			return nil, fmt.Errorf("--test: %w", err)
		}
		tests = append(tests, t)
	}
	return tests, nil
}

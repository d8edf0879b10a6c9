package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
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

func completeAnalyze(cmd *cobra.Command) {
	var tests []string
	for _, t := range analysis.Tests() {
		tests = append(tests, t.Name+"\t"+t.Policy+"; "+t.Source)
	}
	words := func(words []string) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = cmd.RegisterFlagCompletionFunc("test", words(tests))
	_ = cmd.RegisterFlagCompletionFunc("scheduler", words(schedulerNames()))
	_ = cmd.RegisterFlagCompletionFunc("output", words([]string{"table", "json"}))
	complete(cmd) // does not replace what there is
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

// Verdicts as they are printed.
const (
	verdictYes  = "yes"
	verdictNo   = "no"
	verdictNone = "-"
)

// analysisOf is what tests say about a system. Times are nanoseconds.
type analysisOf struct {
	Name        string         `json:"name"`
	CPUs        int            `json:"cpus"`
	Utilization float64        `json:"utilization"`
	Density     float64        `json:"density"`
	Tests       []testVerdict  `json:"tests"`
	Tasks       []taskAnalysis `json:"tasks"` // by priority
}

type testVerdict struct {
	Name    string `json:"name"`
	Policy  string `json:"policy"`
	Exact   bool   `json:"exact"`
	Verdict string `json:"verdict"`
	Source  string `json:"source"`
}

type taskAnalysis struct {
	ID       int                 `json:"id"`
	Name     string              `json:"name"`
	WCET     sim.Time            `json:"wcet"`
	Period   sim.Time            `json:"period"`
	Deadline sim.Time            `json:"deadline"`
	Bounds   map[string]sim.Time `json:"bounds"` // of the response time, by test
}

func analyze(f *simfile.File, tests []analysis.Test) (*analysisOf, error) {
	set, indices, err := simfile.SetOf(f)
	if err != nil {
		return nil, err
	}
	a := &analysisOf{Name: f.Name, CPUs: len(f.System.Processors)}
	a.Utilization, _ = set.Utilization().Float64()
	a.Density, _ = set.Density().Float64()
	for at, i := range indices {
		t := &f.System.Tasks[i]
		a.Tasks = append(a.Tasks, taskAnalysis{ID: t.ID, Name: t.Name, WCET: t.WCET, Period: t.Period, Deadline: set[at].D, Bounds: map[string]sim.Time{}})
	}
	for _, test := range tests {
		v := test.Run(set, a.CPUs)
		said := testVerdict{test.Name, test.Policy, test.Exact, verdictNone, test.Source}
		switch {
		case v.Schedulable:
			said.Verdict = verdictYes
		case v.Applies:
			said.Verdict = verdictNo
		}
		a.Tests = append(a.Tests, said)
		for i, bound := range v.Bounds {
			if bound >= 0 && (v.Schedulable || test.Exact) {
				a.Tasks[i].Bounds[test.Name] = bound
			}
		}
	}
	return a, nil
}

func (o *analyzeOptions) print(out io.Writer, a *analysisOf) error {
	if o.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(a)
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "TEST\tFOR\tVERDICT\tKIND\tSOURCE")
	columns := []string{}
	for _, t := range a.Tests {
		kind := "sufficient"
		if t.Exact {
			kind = "exact"
		}
		fmt.Fprintln(table, strings.Join([]string{t.Name, t.Policy, t.Verdict, kind, t.Source}, "\t"))
		for i := range a.Tasks {
			if _, has := a.Tasks[i].Bounds[t.Name]; has {
				columns = append(columns, t.Name)
				break
			}
		}
	}
	fmt.Fprintln(table)
	fmt.Fprintln(table, strings.Join(append([]string{"TASK", "WCET", "PERIOD", "DEADLINE"}, columns...), "\t"))
	for i := range a.Tasks {
		fmt.Fprintln(table, a.Tasks[i].row(columns))
	}
	fmt.Fprintf(table, "\nutilization %.4f of %d, density %.4f; tasks by priority; times and bounds of response times in ms\n", a.Utilization, a.CPUs, a.Density)
	return table.Flush()
}

func (t *taskAnalysis) row(columns []string) string {
	ms := func(n sim.Time) string { return strings.TrimSuffix(simfile.FormatTime(n), "ms") }
	cells := []string{t.Name, ms(t.WCET), ms(t.Period), ms(t.Deadline)}
	for _, name := range columns {
		cell := verdictNone
		if bound, has := t.Bounds[name]; has {
			cell = ms(bound)
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, "\t")
}

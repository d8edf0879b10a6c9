package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// schedulerNames are those of all schedulers with their summaries, for the shell.
func schedulerNames() []string {
	var names []string
	for _, p := range sched.All() {
		names = append(names, p.Name+"\t"+p.Summary)
	}
	return names
}

func completeSimulate(cmd *cobra.Command) {
	words := func(words []string) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = cmd.RegisterFlagCompletionFunc("scheduler", words(schedulerNames()))
	_ = cmd.RegisterFlagCompletionFunc("by", words([]string{string(rowsByTask), string(rowsByCPU)}))
	_ = cmd.RegisterFlagCompletionFunc("output", words(strings.Fields("table json jsonl svg html chrome-trace yaml")))
	complete(cmd) // does not replace what there is
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

package main

import (
	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

// complete says what the shell may offer for flags.
func complete(cmd *cobra.Command) {
	offer := func(flag string, words func() []string) {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words(), cobra.ShellCompDirectiveNoFileComp
		}) // it fails for an unknown flag, or twice for one: then there is nothing to offer
	}
	offer("task-set", func() []string {
		var names []string
		for _, e := range library.TaskSets() {
			names = append(names, e.Name+"\t"+e.Description)
		}
		return names
	})
	offer("class", func() []string {
		var names []string
		for _, c := range sessionClasses {
			names = append(names, string(c.name)+"\t"+c.says)
		}
		return names
	})
	offer("output", formats)
	offer("generation", func() []string { return []string{"Auto", "2017", "1608a", "1608b", "1802"} })
}

func formats() []string {
	var names []string
	for _, f := range export.Formats() {
		names = append(names, string(f))
	}
	return names
}

// completeCampaigns offers the names of campaigns in the user's own store.
func completeCampaigns(cmd *cobra.Command) {
	complete(cmd)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		_ = withStore(cmd.Context(), "", func(store results.Store) error {
			all, err := store.Campaigns(cmd.Context())
			for _, c := range all {
				names = append(names, c.ID)
			}
			return err
		}) // without a store there is nothing to offer
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

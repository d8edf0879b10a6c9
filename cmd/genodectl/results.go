package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
)

func resultsCommand(plugin bool) *cobra.Command {
	var dsn, output, where string
	m := &managerOptions{}
	cmd := &cobra.Command{
		Use:   "results NAME",
		Short: "Print the results of a campaign",
		Example: `  genodectl results example-hey6
  genodectl results example-hey6 -o csv > hey6.csv
  genodectl results example-hey6 -o jsonl --where '!succeeded'
  genodectl results example-hey6 -o mongo | mongoimport -d tasksets -c taskset.task
  kubectl genode results load-sweep -n lab --manager http://127.0.0.1:8082`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := export.ParseFormat(output)
			if err != nil {
				return fmt.Errorf("-o: %w", err)
			}
			if m.url != "" || plugin && dsn == "" { // those of a cluster
				return m.results(cmd.Context(), cmd.OutOrStdout(), args[0], string(format), where)
			}
			return withStore(cmd.Context(), dsn, func(store results.Store) error {
				return printResults(cmd.Context(), cmd.OutOrStdout(), store, args[0], format, where)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", string(export.Table), "table, csv, json, jsonl, mongo or text")
	f.StringVar(&where, "where", "", "CEL expression: only records for which it is true, for example 'final && !succeeded'")
	storeFlag(cmd, &dsn)
	m.flags(cmd)
	completeCampaigns(cmd)
	return cmd
}

func printResults(ctx context.Context, out io.Writer, store results.Store, name string, format export.Format, where string) error {
	var filter *export.Filter
	if where != "" {
		var err error
		if filter, err = export.Compile(where); err != nil {
			return fmt.Errorf("--where: %w", err)
		}
	}
	c, err := find(ctx, store, name)
	if err != nil {
		return err
	}
	return export.Write(ctx, out, format, store, c, filter)
}

// listCampaigns prints the campaigns of a store, oldest first.
func listCampaigns(ctx context.Context, out io.Writer, dsn string) error {
	return withStore(ctx, dsn, func(store results.Store) error {
		all, err := store.Campaigns(ctx)
		if err != nil {
			return err
		}
		for _, c := range all {
			if err := row(out, c.ID, fmt.Sprintf("%d variants, begun %s", c.Total, c.Begun.Format("2006-01-02 15:04"))); err != nil {
				return err
			}
		}
		return nil
	})
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/compare"
	"github.com/genode-operator/genode-operator/internal/sim/render"
)

func compareCommand() *cobra.Command {
	var dsn, output string
	cmd := &cobra.Command{
		Use:   "compare SIMULATED MEASURED",
		Short: "Put the response times of two campaigns side by side: one simulated, one on targets",
		Long: `Compare joins two campaigns with the same variants by variant and task, and shows the longest response times, simulated
and measured, beside the bound that analysis gives and the deadline. Nothing may take longer than its bound.

The campaigns differ in their targets only; tasks, sweeps and seed have to be the same. Give the seed on the command line, if
anything is random and the file does not say it.

Exit codes: 0; 1 something took longer than its bound; 2 there is nothing to compare.`,
		Example: `  genodectl run -f taskset.yaml --name simulated --class SimSo
  genodectl run -f taskset.yaml --name measured 172.25.1.0/24
  genodectl compare simulated measured
  genodectl compare simulated measured -o html > compare.html`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "table" && output != "html" {
				return fmt.Errorf("-o %q: use table or html", output)
			}
			return withStore(cmd.Context(), dsn, func(store results.Store) error {
				rows, err := compared(cmd.Context(), store, args[0], args[1])
				if err != nil {
					return err
				}
				return printCompared(cmd.OutOrStdout(), output, args[0]+" and "+args[1], rows)
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or html")
	storeFlag(cmd, &dsn)
	completeCampaigns(cmd)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "html"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// compared joins two campaigns of a store.
func compared(ctx context.Context, store results.Store, simulated, measured string) ([]render.Compared, error) {
	a, err := find(ctx, store, simulated)
	if err != nil {
		return nil, err
	}
	b, err := find(ctx, store, measured)
	if err != nil {
		return nil, err
	}
	var spec v1alpha1.TaskSetSpec
	if err := json.Unmarshal(b.Spec, &spec); err != nil {
		return nil, fmt.Errorf("read the spec of %s in the store: %w", b.Name, err)
	}
	plan, err := campaign.FromSpec(b.ID, b.Name, &spec)
	if err != nil {
		return nil, err
	}
	if a.SpecHash != b.SpecHash || plan.Random && a.Seed != b.Seed {
		return nil, fmt.Errorf("%s (seed %d) and %s (seed %d) do not have the same variants; run both from one file, with one --seed", a.Name, a.Seed, b.Name, b.Seed)
	}
	sides := [2]compare.Longest{{}, {}}
	for i, c := range []results.Campaign{a, b} {
		if err := store.Each(ctx, c.ID, func(r results.Record) error { sides[i].Add(&r); return nil }); err != nil {
			return nil, err
		}
	}
	return compare.Rows(plan.Space.At, sides[0], sides[1])
}

func printCompared(out io.Writer, output, title string, rows []render.Compared) error {
	show := render.CompareTable
	if output == "html" {
		show = func(w io.Writer, rows []render.Compared) error { return render.ComparePage(w, title, rows) }
	}
	if err := show(out, rows); err != nil {
		return err
	}
	for _, r := range rows {
		if strings.HasSuffix(r.Verdict(), "above bound") {
			return errFailed
		}
	}
	return nil
}

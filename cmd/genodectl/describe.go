package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

func describeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "describe", Short: "Show one variant of a campaign"}
	cmd.AddCommand(describeVariantCommand())
	return cmd
}

func describeVariantCommand() *cobra.Command {
	var tasksetName, file, name, dsn string
	cmd := &cobra.Command{
		Use:   "variant N",
		Short: "Show a variant: what the sweeps chose, and the tasks as they are sent",
		Example: `  genodectl describe variant 17 -t example.Hey6
  genodectl describe variant 17 -f taskset.yaml
  genodectl describe variant 17 --campaign example-hey6    # with its results`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("variant %q is no number; variants are numbered from 0", args[0])
			}
			if name != "" {
				return withStore(cmd.Context(), dsn, func(store results.Store) error {
					return describeRecorded(cmd.Context(), cmd.OutOrStdout(), store, name, n)
				})
			}
			l, err := load(tasksetName, file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return describe(cmd.OutOrStdout(), l, l.name, n)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&tasksetName, "task-set", "t", "", "task-set of the library")
	f.StringVarP(&file, "file", "f", "", `file with a TaskSet or its spec, "-" for standard input`)
	f.StringVar(&name, "campaign", "", "campaign in the results store")
	cmd.MarkFlagsMutuallyExclusive("campaign", "task-set")
	cmd.MarkFlagsMutuallyExclusive("campaign", "file")
	storeFlag(cmd, &dsn)
	return cmd
}

// describe prints variant n of a campaign of that ID, from which the seed is made unless the spec has one.
func describe(out io.Writer, l *loaded, id string, n uint64) error {
	space, err := variant.Build(&l.spec, variant.DefaultSeed(variant.SeedOf(id)))
	if err != nil {
		return err
	}
	tasks, err := space.At(n)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "variant %d of %s, of %s\n", n, l.name, space.Count())
	if seed, random := space.Seed(); random {
		fmt.Fprintf(out, "seed %d\n", seed)
	}
	if space.Constrained() {
		admitted, err := space.Admits(n)
		if err != nil {
			return err
		}
		if !admitted {
			fmt.Fprintln(out, "left out by spec.where")
		}
	}
	for _, a := range space.Values(n) {
		fmt.Fprintf(out, "%s.%s = %s\n", a.Task, a.Attribute, a.Value)
	}
	_, err = fmt.Fprintf(out, "\n%s\n", taskset.Description(tasks))
	return err
}

// describeRecorded prints a variant of a campaign in the store, and its attempts.
func describeRecorded(ctx context.Context, out io.Writer, store results.Store, name string, n uint64) error {
	c, err := find(ctx, store, name)
	if err != nil {
		return err
	}
	l := &loaded{name: c.Name}
	if err := json.Unmarshal(c.Spec, &l.spec); err != nil {
		return fmt.Errorf("read the spec of %s in the store: %w", name, err)
	}
	if err := describe(out, l, c.ID, n); err != nil {
		return err
	}
	found := errors.New("found")
	err = store.Each(ctx, c.ID, func(r results.Record) error {
		if r.Variant != n {
			return nil
		}
		fmt.Fprintf(out, "\nattempt %d on %s: %s %s\n", r.Attempt, r.Target, r.Reason, r.Message)
		for _, j := range r.Jobs {
			fmt.Fprintf(out, "  %s job %d: %s to %s ms, %s\n", j.Task, j.Number, number(j.Start), number(j.End), j.Outcome)
		}
		if r.Final {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return nil
	}
	return err
}

func number(n *int64) string {
	if n == nil {
		return "?"
	}
	return strconv.FormatInt(*n, 10)
}

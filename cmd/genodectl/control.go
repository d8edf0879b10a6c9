package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

func stopCommand(plugin bool) *cobra.Command {
	c := &clusterOptions{}
	cmd := &cobra.Command{
		Use:   "stop NAME",
		Short: "Stop a campaign: end what runs on its targets; resume goes on",
		Example: `  genodectl stop example-hey6
  kubectl genode stop load-sweep -n lab`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.wanted {
				return c.patch(cmd.Context(), args[0], `{"spec":{"suspend":true,"suspendPolicy":"Stop"}}`)
			}
			return stopLocal(cmd.Context(), args[0])
		},
	}
	c.flags(cmd, plugin)
	completeCampaigns(cmd)
	return cmd
}

// stopLocal does what Ctrl-C does in the terminal of the campaign, and waits for its end.
func stopLocal(ctx context.Context, name string) error {
	who, err := whoRuns(name)
	if err != nil {
		return err
	}
	if who.PID == 0 {
		return fmt.Errorf("campaign %s does not run here; with --cluster the one of a cluster is stopped", name)
	}
	if err := syscall.Kill(who.PID, syscall.SIGINT); err != nil {
		return fmt.Errorf("stop process %d: %w", who.PID, err)
	}
	const limit, look = 30 * time.Second, 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if who, err = whoRuns(name); err != nil || who.PID == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("process %d has not ended campaign %s: %w", who.PID, name, ctx.Err())
		}
	}
}

func resumeCommand(plugin bool) *cobra.Command {
	return again(plugin, "resume NAME [ADDRESS...]", "Go on with a campaign that was stopped", `{"spec":{"suspend":false}}`, false)
}

func retryCommand(plugin bool) *cobra.Command {
	return again(plugin, "retry NAME [ADDRESS...]", "Run the variants again that have failed for good", "", true)
}

// again is a command that goes on with a campaign of the store, or of a cluster.
func again(plugin bool, use, short, patch string, retry bool) *cobra.Command {
	o := &runOptions{}
	c := &clusterOptions{}
	cmd := &cobra.Command{
		Use: use, Short: short,
		Long: short + ". Without addresses the targets are those of the last time.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.target.Addresses = append(o.target.Addresses, args[1:]...)
			switch {
			case c.wanted && retry:
				return c.retry(cmd.Context(), args[0])
			case c.wanted:
				return c.patch(cmd.Context(), args[0], patch)
			}
			return o.goOn(cmd, args[0], retry)
		},
	}
	o.target.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&o.monitors, "monitor", "m", nil, "where events and results go (see list -m)")
	f.StringVarP(&o.output, "output", "o", "", "print the results at the end: table, csv, json, jsonl, mongo or text")
	f.BoolVarP(&o.debug, "debug", "d", false, "details on standard error")
	storeFlag(cmd, &o.store)
	c.flags(cmd, plugin)
	completeCampaigns(cmd)
	return cmd
}

// goOn runs a campaign of the store, as it was run the last time.
func (o *runOptions) goOn(cmd *cobra.Command, name string, retry bool) error {
	l := &loaded{}
	var id string
	err := withStore(cmd.Context(), o.store, func(store results.Store) error {
		c, err := find(cmd.Context(), store, name)
		if err != nil {
			return err
		}
		l.name, id = c.Name, c.ID
		if err := json.Unmarshal(c.Spec, &l.spec); err != nil {
			return fmt.Errorf("read the spec of %s in the store: %w", name, err)
		}
		if !retry {
			return nil
		}
		n, err := store.Reopen(cmd.Context(), c.ID)
		if err == nil && n == 0 {
			return fmt.Errorf("no variant of %s has failed", name)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := o.recall(id); err != nil {
		return err
	}
	prepared, err := o.prepare(l, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if prepared.Plan, err = planOf(id, l, prepared.Plan.Binaries); err != nil {
		return err
	}
	return withStore(cmd.Context(), o.store, func(store results.Store) error { return o.follow(cmd, prepared, store) })
}

// recall takes the targets that a campaign had the last time, if none are named now.
func (o *runOptions) recall(id string) error {
	if class, err := classOf(o.target.Class); err != nil || len(o.target.Addresses) > 0 || class == v1alpha1.ClassSimSo {
		return nil // what is wrong with a class is said later
	}
	last, err := whoRuns(id)
	if err != nil {
		return err
	}
	if len(last.Target.Addresses) == 0 && last.Target.Class != string(v1alpha1.ClassSimSo) {
		return errors.New("where are the targets? Name addresses, for example 172.25.1.0/24")
	}
	o.target = last.Target
	return nil
}

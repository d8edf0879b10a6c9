package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

func listCommand() *cobra.Command {
	var tasksets, monitors, sessions, blocks, campaigns bool
	var dsn string
	cmd := &cobra.Command{
		Use:   "list -t | -m | -s | -b | -c",
		Short: "List what there is to run, and what has been run",
		Example: `  genodectl list -t    # task-sets of the library
  genodectl list -b    # blocks of the library
  genodectl list -s    # session classes
  genodectl list -c    # campaigns whose results are kept`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			switch {
			case tasksets:
				return listEntries(out, library.TaskSets())
			case blocks:
				return listEntries(out, library.Blocks())
			case sessions:
				return listSessions(out)
			case monitors:
				return listMonitors(out)
			case campaigns:
				return listCampaigns(cmd.Context(), out, dsn)
			}
			return errors.New("list: say what: -t, -m, -s, -b or -c")
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&tasksets, "tasksets", "t", false, "task-sets")
	f.BoolVarP(&monitors, "monitors", "m", false, "monitors: where events and results can go while a campaign runs")
	f.BoolVarP(&sessions, "sessions", "s", false, "session classes")
	f.BoolVarP(&blocks, "blocks", "b", false, "blocks of task-sets")
	f.BoolVarP(&campaigns, "campaigns", "c", false, "campaigns in the store")
	f.StringVar(&dsn, "store", "", "results store: a file, or postgres://...; the user's own by default")
	cmd.MarkFlagsMutuallyExclusive("tasksets", "monitors", "sessions", "blocks", "campaigns")
	return cmd
}

// row prints a name, bold on a terminal, and what it is.
func row(out io.Writer, name, says string) error {
	const width = 30
	padded := fmt.Sprintf("%-*s", width, name)
	if newMeter(out).terminal {
		padded = "\x1b[1m" + padded + "\x1b[0m"
	}
	_, err := fmt.Fprintln(out, padded, says)
	return err
}

func listEntries(out io.Writer, entries []library.Entry) error {
	for _, e := range entries {
		says := e.Description
		if e.Argument != "" {
			says += "; argument: " + e.Argument
		}
		if e.Err != nil {
			says = "cannot be used: " + e.Err.Error()
		}
		if err := row(out, e.Name, says); err != nil {
			return err
		}
	}
	return nil
}

func listSessions(out io.Writer) error {
	for _, c := range sessionClasses {
		if err := row(out, string(c.name), c.says+" (taskgen: "+c.old+")"); err != nil {
			return err
		}
	}
	return nil
}

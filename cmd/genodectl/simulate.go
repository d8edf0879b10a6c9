package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	cases      []string
	output     string
	failOnMiss bool
}

func simulateCommand() *cobra.Command {
	o := &simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate --simso-json FILE...",
		Short: "Simulate how tasks are scheduled",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(o.cases) == 0 {
				return errors.New("what shall be simulated? Name files with --simso-json")
			}
			missed, err := simulateCases(cmd.Context(), append(o.cases, args...), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err == nil && missed && o.failOnMiss {
				err = errFailed
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.cases, "simso-json", nil, "recorded runs of SimSo, or only their input; their results are printed, a line for each")
	f.StringVarP(&o.output, "output", "o", "", "jsonl")
	f.BoolVar(&o.failOnMiss, "fail-on-miss", false, "exit with 1 if a job missed its deadline")
	return cmd
}

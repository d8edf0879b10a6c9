package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/target/qemu"
)

func presetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "presets",
		Short:   "List the boards and their QEMU flags",
		Example: "  agent presets",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "PRESET\tBOARD\tPROGRAM\tFLAGS")
			for _, p := range qemu.Presets() {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, p.Description, p.Binary, strings.Join(p.Flags(), " "))
			}
			return w.Flush()
		},
	}
}

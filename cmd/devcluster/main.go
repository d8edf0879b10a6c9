// Devcluster runs a small Kubernetes cluster on this machine for development and demonstration: a
// control plane on loopback, and a node whose pods are ordinary processes. It is not for anything
// that matters: nothing is isolated.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "devcluster",
		Short:         "A Kubernetes cluster on this machine, for development and demonstration only",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(upCommand(), assetsCommand(), kubectlCommand())
	return cmd
}

// Devcluster runs a small Kubernetes cluster on this machine for development and demonstration: a
// control plane on loopback, and a node whose pods are ordinary processes; or, for tests, a node with a real
// kubelet in namespaces of its own. It is not for anything that matters.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/devcluster/realnode"
)

func main() {
	if code, is := realnode.Main(os.Args); is {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	var code exitCode
	switch {
	case errors.As(err, &code):
		os.Exit(int(code))
	case err != nil:
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
	cmd.AddCommand(upCommand(), nodeCommand(), enterCommand(), assetsCommand(), kubectlCommand())
	return cmd
}

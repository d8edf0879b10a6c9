// Command genodectl runs campaigns, with and without a cluster, and reads their results. Under the name
// kubectl-genode it is a plugin of kubectl.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed  = 1 // variants failed, or the campaign was stopped
	exitInvalid = 2 // the command was wrong, or nothing could be done
)

// errFailed ends with exitFailed; what there is to say was said.
var errFailed = errors.New("not every variant succeeded")

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func run(args []string, out, log io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second signal ends the program as it does without a handler.
	defer context.AfterFunc(ctx, stop)()
	cmd := root(pluginName(args[0]))
	cmd.SetArgs(args[1:])
	cmd.SetOut(out)
	cmd.SetErr(log)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		return exitFailed
	}
	fmt.Fprintln(log, "genodectl:", err)
	return exitInvalid
}

// pluginName reports whether the program was called as a plugin of kubectl.
func pluginName(path string) bool { return strings.HasPrefix(filepath.Base(path), "kubectl-") }

func root(plugin bool) *cobra.Command {
	use := "genodectl"
	if plugin {
		use = "kubectl-genode"
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Run real-time task-set campaigns on Genode targets, and read their results",
		Long: `genodectl runs campaigns: task-sets with everything that varies in them, on targets at addresses.

It needs no cluster: results are kept in a file of this user, and the same command goes on where an earlier one
was stopped. With --cluster the campaign runs in a Kubernetes cluster that has genode-operator.

Exit codes: 0 all variants succeeded; 1 some did not, or the campaign was stopped; 2 the command was wrong.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(
		runCommand(plugin), listCommand(), resultsCommand(plugin), describeCommand(),
		stopCommand(plugin), resumeCommand(plugin), retryCommand(plugin), sessionsCommand(), consoleCommand(), logsCommand(), versionCommand(),
		simulateCommand(), analyzeCommand(), compareCommand(),
	)
	return cmd
}

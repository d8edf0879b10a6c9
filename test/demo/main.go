// Command demo shows the main job on this machine: it starts a control plane, a node and the manager,
// applies config/samples, freezes two guests in the middle of the campaign, and shows how they are
// brought back and how the campaign ends with every job recorded once. Nothing is left behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
	"github.com/genode-operator/genode-operator/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctrl.SetLogger(logr.Discard())
	if err := command().ExecuteContext(ctx); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted; everything was stopped")
		}
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	keep := false
	limit := 10 * time.Minute
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a campaign on virtual machines that freeze and recover",
		Example: `  make demo                          # builds what is missing, then runs this
  go run ./test/demo --keep          # leave everything running at the end, to look around with kubectl`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), limit)
			defer cancel()
			return run(ctx, cmd.Context(), keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave everything running at the end until Ctrl-C")
	cmd.Flags().DurationVar(&limit, "timeout", limit, "give up after this time")
	return cmd
}

func run(ctx, forever context.Context, keep bool) error {
	repo, err := assets.RepoRoot()
	if err != nil {
		return err
	}
	fmt.Println("For demonstration and development only: containers are plain processes of this machine, on loopback.")
	l, err := lab.Start(ctx, lab.Options{
		Guest: filepath.Join(repo, ".cache", "guest"), Tasks: filepath.Join(repo, ".cache", "tasks"),
		Programs: filepath.Join(repo, "bin"), Out: os.Stdout,
	})
	if l != nil {
		defer func() {
			fmt.Println("\nStopping everything")
			l.Stop()
		}()
	}
	if err != nil {
		return err
	}
	s := &show{lab: l, begin: time.Now()}
	for _, act := range []func(context.Context) error{s.apply, s.boot, s.freezeAndRestore, s.freezeAndReset, s.finish, s.tables, s.compare} {
		if err := act(ctx); err != nil {
			s.explain()
			return err
		}
	}
	if keep {
		fmt.Printf("\nStill running; look around with: export KUBECONFIG=%s   (Ctrl-C ends it)\n", l.Kubeconfig())
		<-forever.Done()
	}
	return nil
}

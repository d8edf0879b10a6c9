package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
	"github.com/genode-operator/genode-operator/internal/devcluster/realnode"
)

// nodeOptions are the flags of "node".
type nodeOptions struct {
	dir    string
	images []string
}

func nodeCommand() *cobra.Command {
	var o nodeOptions
	cmd := &cobra.Command{
		Use:   "node --dir DIR [--image FILE.tar]... [-- COMMAND...]",
		Short: "Run a cluster with a real kubelet and containerd in namespaces of its own, until Ctrl-C or the end of a command",
		Long: "Run a one-node cluster with a real kubelet, containerd and kube-proxy in network, PID and mount namespaces\n" +
			"of its own, until Ctrl-C; or, with a command, until that has ended: it runs in these namespaces, with\n" +
			"KUBECONFIG set, and its exit code is this program's. Needs root and a few Debian packages.",
		Example: "  devcluster node --dir /tmp/node --image .cache/images/runner.tar\n" +
			"  devcluster enter --dir /tmp/node -- kubectl get pods      (in another terminal)",
		RunE: func(cmd *cobra.Command, args []string) error {
			return node(cmd.Context(), o, args, cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the cluster's state; made if it does not exist (required)")
	f.StringArrayVar(&o.images, "image", nil, "image archive that pods can use; may be given several times")
	_ = cmd.MarkFlagRequired("dir") // the flag exists
	return cmd
}

func node(ctx context.Context, o nodeOptions, command []string, out io.Writer) error {
	programs, err := assets.EnsureKubebox(ctx, out)
	if err != nil {
		return err
	}
	n, err := realnode.Start(ctx, realnode.Options{Dir: o.dir, Programs: programs, Images: o.images, Log: out})
	if err != nil {
		return err
	}
	defer n.Stop()
	if len(command) > 0 {
		return enter(ctx, n.Dir, command)
	}
	_, _ = fmt.Fprintf(out, "Enter it with: devcluster enter --dir %s -- COMMAND   Ctrl-C takes it down.\n", o.dir)
	select {
	case <-ctx.Done():
		return nil
	case <-n.Done():
		return fmt.Errorf("the node has ended by itself; see %s", filepath.Join(n.Dir, "log"))
	}
}

func enterCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "enter --dir DIR -- COMMAND...",
		Short: "Run a command in the namespaces of a cluster that \"node\" runs",
		Args:  cobra.MinimumNArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return enter(cmd.Context(), dir, args) },
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder of the cluster's state (required)")
	_ = cmd.MarkFlagRequired("dir") // the flag exists
	return cmd
}

// enter runs a command inside; kubectl and its kin are those of the cluster.
func enter(ctx context.Context, dir string, command []string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	programs, err := assets.EnsureKubebox(ctx, os.Stderr)
	if err != nil {
		return err
	}
	cmd, err := realnode.Command(ctx, dir, command[0], command[1:]...)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitCode(exit.ExitCode())
	}
	return err
}

// exitCode is the end of a command that has said itself what was wrong.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("the command ended with code %d", int(c)) }

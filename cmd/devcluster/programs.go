package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
)

func assetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "assets",
		Short: "Build etcd, kube-apiserver, kubectl, ..., if they are not built yet, and print their folder",
		Long:  "Build etcd, kube-apiserver, kubectl and the rest from their Go modules, if that has not been done\nyet, and print their folder: a value for KUBEBUILDER_ASSETS.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := assets.Ensure(cmd.Context(), os.Stderr)
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), dir)
			}
			return err
		},
	}
}

func kubectlCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "kubectl [--dir DIR] -- ARGUMENTS",
		Short: "Run the kubectl that belongs to the cluster, by $KUBECONFIG or on the cluster in DIR",
		RunE: func(cmd *cobra.Command, args []string) error {
			programs, err := assets.Ensure(cmd.Context(), os.Stderr)
			if err != nil {
				return err
			}
			env := os.Environ()
			if dir != "" {
				kubeconfig := filepath.Join(dir, "kubeconfig")
				if _, err := os.Stat(kubeconfig); err != nil {
					return fmt.Errorf("--dir %s: %w; start a cluster there with: devcluster up --dir %s", dir, err, dir)
				}
				env = append(env, "KUBECONFIG="+kubeconfig)
			}
			kubectl := filepath.Join(programs, "kubectl")
			if err := syscall.Exec(kubectl, append([]string{"kubectl"}, args...), env); err != nil {
				return fmt.Errorf("run %s: %w", kubectl, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder of a cluster that runs; default: what $KUBECONFIG names")
	return cmd
}

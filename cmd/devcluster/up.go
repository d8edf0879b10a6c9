package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/go-logr/logr/funcr"
	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/genode-operator/genode-operator/internal/devcluster"
	"github.com/genode-operator/genode-operator/internal/devcluster/localnode"
)

// upOptions are the flags of "up".
type upOptions struct {
	dir    string
	port   int
	fsync  bool
	images map[string]string
}

func upCommand() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up --dir DIR [--image REFERENCE=FOLDER]...",
		Short: "Run control plane and node until Ctrl-C; the state stays in DIR for the next time",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return up(cmd.Context(), o, cmd.ErrOrStderr()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the cluster's state; made if it does not exist (required)")
	f.IntVar(&o.port, "port", 0, "TCP port of the API on 127.0.0.1; 0 takes the one of the last time, or a free one")
	f.BoolVar(&o.fsync, "fsync", false, "flush each write to disk: slower, and safe against a crash of the machine")
	f.StringToStringVar(&o.images, "image", nil, "folder that stands for an image, as REFERENCE=FOLDER; may be given several times")
	_ = cmd.MarkFlagRequired("dir") // the flag exists
	return cmd
}

// up runs the cluster until ctx ends, or a part of it does by itself.
func up(ctx context.Context, o upOptions, out io.Writer) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	control, err := devcluster.Start(ctx, devcluster.Options{Dir: o.dir, Port: o.port, Fsync: o.fsync, Log: out})
	if err != nil {
		return err
	}
	defer control.Stop()
	config, err := clientcmd.BuildConfigFromFlags("", control.NodeKubeconfig)
	if err != nil {
		return fmt.Errorf("read the node's kubeconfig: %w", err)
	}
	cert, key, ca := control.KubeletTLS()
	node, err := localnode.Start(ctx, localnode.Options{
		RESTConfig: config, Dir: filepath.Join(control.Dir, "node"), Images: o.images,
		ServingCert: cert, ServingKey: key, ClientCA: ca,
		Log: funcr.New(func(prefix, args string) { say("node: %s %s", prefix, args) }, funcr.Options{}),
	})
	if err != nil {
		return err
	}
	say("The cluster is up: %s, node %q.", control.RESTConfig.Host, node.Name())
	say("It is for development and demonstration only: pods run as ordinary processes of this machine.")
	say("")
	say("    export KUBECONFIG=%s", control.Kubeconfig)
	say("    devcluster kubectl -- get nodes        (or any kubectl)")
	say("")
	say("Ctrl-C takes it down; its state stays in %s.", control.Dir)
	select {
	case <-ctx.Done():
		say("Stopping the pods and the control plane.")
		return node.Stop()
	case <-control.Done():
		return errors.Join(fmt.Errorf("the control plane has ended by itself; see %s", filepath.Join(control.Dir, "control-plane.log")), node.Stop())
	}
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/refguest"
	"github.com/genode-operator/genode-operator/internal/refguest/control"
	"github.com/genode-operator/genode-operator/internal/refguest/process"
)

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:          "refguest",
		Short:        "The reference target: a taskloader for people without a Genode build",
		SilenceUsage: true,
	}
	cmd.AddCommand(serveCommand(), imageCommand())
	return cmd
}

type serveFlags struct {
	listen, control, cgroup string
	realTime                bool
	verbose                 int
	opts                    refguest.Options
}

func serveCommand() *cobra.Command {
	f := serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the taskloader protocol as a plain process",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:3001", "address of the taskloader")
	cmd.Flags().StringVar(&f.control, "control", "", "address of the control port (misbehaviour on demand); empty: none")
	cmd.Flags().StringVar(&f.cgroup, "cgroup", "", "cgroup v2 folder for the memory quotas of jobs; empty: limit their address space")
	cmd.Flags().BoolVar(&f.realTime, "real-time", false, "run jobs under SCHED_FIFO, as far as permitted")
	cmd.Flags().IntVarP(&f.verbose, "verbose", "v", 0, "verbosity of the log, 0 to 4")
	cmd.Flags().DurationVar(&f.opts.ClearDelay, "clear-delay", 0, "how long CLEAR blocks (500ms: older generations, 1s: 1802)")
	return cmd
}

func (f serveFlags) run(ctx context.Context) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "refguest-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	log := console(f.verbose)
	f.opts.Log = log
	f.opts.Runner = process.New(process.Options{Dir: dir, Cgroup: f.cgroup, RealTime: f.realTime, Log: log})
	server := refguest.New(f.opts)
	ln, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("flag --listen: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	spin := process.NewSpinners(log)
	defer func() { _ = spin.Set(0, 0) }() // ending none cannot fail
	if f.control != "" {
		cl, err := net.Listen("tcp", f.control)
		if err != nil {
			return errors.Join(fmt.Errorf("flag --control: %w", err), ln.Close())
		}
		m := &local{server: server, spin: spin, exit: stop}
		group.Go(func() error { return control.New(m, log).Serve(ctx, cl) })
		fmt.Printf("refguest: control port on %s\n", cl.Addr())
	}
	fmt.Printf("refguest: ready, taskloader on %s\n", ln.Addr())
	group.Go(func() error { return server.Serve(ctx, ln) })
	return group.Wait()
}

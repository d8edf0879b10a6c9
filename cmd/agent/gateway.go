package main

import (
	"context"
	"net"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/internal/gateway"
	"github.com/genode-operator/genode-operator/internal/gateway/fixture"
	"github.com/genode-operator/genode-operator/internal/gateway/server"
	"github.com/genode-operator/genode-operator/internal/gateway/simulator"
	"github.com/genode-operator/genode-operator/internal/session/peer"
)

// maxConnections is how many connections one listener has at a time; more of them wait.
const maxConnections = 1024

func gatewayCommand(verbosity *int) *cobra.Command {
	o := gatewayOptions{}
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Serve the sessionOffload API: network sessions as a table that is told what to do and reports what was",
		Long: `Gateway serves the sessionOffload API over gRPC, in all of its dialects side by side: sessions.v1 of 2020,
openoffload.v1, v1beta1, v1_1 and v2, and genode.gateway.v1 for what these have no words for.

Clients trust the certificate in --cert-dir; it is made when there is none. Whoever can reach the gateway may change
sessions: leave it on loopback, or name with --client-ca who signs its clients' certificates.`,
		Example: `  # on the ports that the sample clients use, with their certificate in ./ssl
  agent gateway

  # for clients without TLS, and with the answers that the sample server gives
  agent gateway --plaintext-listen 127.0.0.1:50151 --backend fixture`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), newLog(*verbosity)) },
	}
	o.register(cmd)
	return cmd
}

// run is the gateway from start to end. It returns nil when ctx ends, or a client has ended it.
func (o *gatewayOptions) run(ctx context.Context, log logr.Logger) error {
	options, err := o.server()
	if err != nil {
		return configError{err}
	}
	options.Log = log.WithName("gateway")
	listeners, err := o.open(ctx, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	if o.backend == fixture.Name {
		options.Sessions, options.NoSummary = fixture.New(nil), true
	} else {
		g := gateway.New(gateway.Config{Backend: simulator.Backend{}, Table: o.table, Log: log})
		group.Go(func() error { return g.Run(ctx) })
		options.Sessions = g
	}
	group.Go(func() error {
		defer cancel()
		return server.New(options).Serve(ctx, listeners)
	})
	log.Info("Sessions are served", "backend", o.backend, "tls", addresses(listeners.Secure), "plaintext", addresses(listeners.Plain))
	return group.Wait()
}

// open opens the listeners.
func (o *gatewayOptions) open(ctx context.Context, log logr.Logger) (l server.Listeners, err error) {
	for _, at := range []struct {
		address string
		into    *[]net.Listener
	}{{o.listen, &l.Secure}, {o.stats, &l.Secure}, {o.plain, &l.Plain}} {
		if !wanted(at.address) {
			continue
		}
		listener, err := peer.Listen(ctx, at.address)
		if err != nil {
			for _, open := range append(l.Secure, l.Plain...) {
				_ = open.Close()
			}
			return server.Listeners{}, err
		}
		if o.clientCA == "" && !loopback(at.address) {
			log.Info("Whoever reaches this address may change sessions: name with --client-ca who may", "address", listener.Addr().String())
		}
		*at.into = append(*at.into, netutil.LimitListener(listener, maxConnections))
	}
	return l, nil
}

// addresses are those of listeners, with a comma between them.
func addresses(listeners []net.Listener) string {
	all := make([]string, len(listeners))
	for i, l := range listeners {
		all[i] = l.Addr().String()
	}
	return strings.Join(all, ",")
}

// Command manager runs the controllers and the campaign engine of genode-operator.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	o := options{}
	verbosity, development := 0, false
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run the controllers and the campaign engine of genode-operator",
		Long: `Manager keeps TargetPools and TargetSessions as their specs want them, and runs TaskSets on them.

It uses the cluster it runs in, or the one that $KUBECONFIG names. Results are written to a SQLite
file or a PostgreSQL database; give the manager the same one again after a restart, since campaigns go on from it.`,
		Example: `  # in a cluster, as config/manager does it
  manager --leader-elect --runner-image=registry.example/genode-runner:v1 --results=/var/lib/genode-operator/results.db

  # on a workstation, against the cluster of the current kubeconfig
  KUBECONFIG=~/.kube/config manager --runner-image=registry.example/genode-runner:v1 --results=results.db --log-level=4`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			ctrl.SetLogger(zap.New(zap.UseDevMode(development), zap.Level(zapcore.Level(-verbosity))))
			return run(ctrl.SetupSignalHandler(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.runnerImage, "runner-image", "", "image of target pods: the agent and QEMU (required)")
	f.StringVar(&o.results, "results", "results.db", "results store: a SQLite file, or postgres://user@host:5432/results without a password")
	f.StringVar(&o.resultsDSNFile, "results-dsn-file", "", "file with the URL of a PostgreSQL database, password included, in place of --results; read again for each new connection")
	f.StringArrayVar(&o.sinks, "sink", nil, "who else is told what happens: text, csv or jsonl, each with a file after a colon or standard output, or mongo:mongodb://host:27017 or mongo:@FILE with the URL; may be given several times")
	cmd.MarkFlagsMutuallyExclusive("results", "results-dsn-file")
	f.StringVar(&o.namespace, "namespace", "", "watch this namespace only; all of them by default")
	f.BoolVar(&o.leaderElect, "leader-elect", false, "run only while holding the lease, so that several replicas can stand by")
	f.StringVar(&o.leaderNamespace, "leader-election-namespace", "", "namespace of the lease; the manager's own by default")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", "127.0.0.1:8080", `address of the metrics, "0" for none; on another address than loopback they need TLS and a token that may "get" /metrics`)
	f.StringVar(&o.probeAddress, "health-probe-bind-address", "127.0.0.1:8081", `address of /healthz and /readyz, "0" for none`)
	f.StringVar(&o.apiAddress, "api-bind-address", "127.0.0.1:8082", `address of the manager's API, "0" for none; on another address than loopback it needs TLS and a token, see docs/manager-api.md`)
	f.IntVar(&verbosity, "log-level", 0, "0: changes of state, 2: what a pass does and why, 4: details")
	f.BoolVar(&development, "log-development", false, "logs for people instead of JSON")
	return cmd
}

package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// startAPIServer starts the API server; the channel is closed when it has ended. It listens to
// SIGTERM and SIGINT by itself.
func (c *cluster) startAPIServer(failed chan<- error) <-chan struct{} {
	reconciler := "lease"
	if c.alone() {
		reconciler = "none" // nobody reaches the API by the Service "kubernetes"
	}
	return start(apiserver.NewAPIServerCommand(), failed,
		"--etcd-servers=unix://etcd.sock:0",
		"--bind-address="+c.address.Addr().String(),
		"--advertise-address="+c.address.Addr().String(),
		"--secure-port="+strconv.Itoa(int(c.address.Port())),
		"--endpoint-reconciler-type="+reconciler,
		"--tls-cert-file="+c.pki("apiserver.crt"),
		"--tls-private-key-file="+c.pki("apiserver.key"),
		"--client-ca-file="+c.pki("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP", // a node's name is in no DNS
		"--kubelet-certificate-authority="+c.pki("ca.crt"),
		"--kubelet-client-certificate="+c.pki("kubelet-client.crt"),
		"--kubelet-client-key="+c.pki("kubelet-client.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.pki("sa.pub"),
		"--service-account-signing-key-file="+c.pki("sa.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		// A machine busy with compiling or guests must not have its pods evicted.
		"--default-not-ready-toleration-seconds=3600",
		"--default-unreachable-toleration-seconds=3600",
	)
}

// startControllers starts the controller-manager; it ends with the process.
func (c *cluster) startControllers(failed chan<- error) {
	start(controllers.NewControllerManagerCommand(), failed,
		"--kubeconfig="+c.path("controller-manager.kubeconfig"),
		"--controllers=*,-nodeipam", // the one node has its range of pod addresses, if any, from its own configuration
		"--use-service-account-credentials",
		"--service-account-private-key-file="+c.pki("sa.key"),
		"--root-ca-file="+c.pki("ca.crt"),
		"--leader-elect=false",
		"--secure-port=0",
		"--node-monitor-grace-period=2m", // by default 50 s without a heartbeat make a node unknown
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	)
}

// startScheduler starts the scheduler; it ends with ctx. Its parts are put together here, because
// its command sets up signal handling a second time, which panics.
func (c *cluster) startScheduler(ctx context.Context, failed chan<- error) error {
	options := scheduleroptions.NewOptions()
	flags := pflag.NewFlagSet("kube-scheduler", pflag.ContinueOnError)
	for _, set := range options.Flags.FlagSets {
		flags.AddFlagSet(set)
	}
	err := flags.Parse([]string{
		"--kubeconfig=" + c.path("scheduler.kubeconfig"),
		"--authentication-kubeconfig=" + c.path("scheduler.kubeconfig"),
		"--authorization-kubeconfig=" + c.path("scheduler.kubeconfig"),
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	})
	if err != nil {
		return fmt.Errorf("flags of the scheduler: %w", err)
	}
	completed, sched, err := scheduler.Setup(ctx, options)
	if err != nil {
		return fmt.Errorf("set up the scheduler: %w", err)
	}
	go func() { failed <- ended("kube-scheduler", scheduler.Run(ctx, completed, sched)) }()
	return nil
}

// start runs a command with arguments; its end is reported to failed, and closes the channel.
func start(cmd *cobra.Command, failed chan<- error, args ...string) <-chan struct{} {
	done := make(chan struct{})
	cmd.SetArgs(args)
	go func() {
		defer close(done)
		failed <- ended(cmd.Name(), cmd.Execute())
	}()
	return done
}

func ended(name string, err error) error {
	if err == nil {
		return fmt.Errorf("%s ended", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	logsapi "k8s.io/component-base/logs/api/v1"
)

// stopGrace bounds how long the API server may take to drain its requests after a signal.
const stopGrace = 5 * time.Second

// runServer is the program "server". Its state (etcd's data, keys, port) lives in --dir and
// survives both a clean stop and kill -9; the next run on the same directory goes on with it.
func runServer() int {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	dir := flags.String("dir", "", "directory of the cluster's state; made if it does not exist (required)")
	address := flags.String("address", loopback, "IPv4 address of the API; one that is not loopback also makes it reachable from pods as the Service \"kubernetes\"")
	port := flags.Int("port", 0, "TCP port of the API; 0 takes the port of the previous run, or a free one")
	fsync := flags.Bool("fsync", false, "let etcd flush every write to disk; without it a crash of the machine (not of this process) may lose state")
	timeout := flags.Duration("ready-timeout", 2*time.Minute, "give up when the cluster is not ready after this time")
	_ = flags.Parse(os.Args[1:]) // exits on error
	if *dir == "" || flags.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "kubebox server: --dir is required, and there are no other arguments")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, *dir, net.JoinHostPort(*address, strconv.Itoa(*port)), *fsync, *timeout); err != nil {
		fmt.Fprintln(os.Stderr, "kubebox server:", err)
		return 1
	}
	return 0
}

// serve runs the control plane until ctx ends or a part of it fails.
func serve(ctx context.Context, dir, address string, fsync bool, timeout time.Duration) error {
	start := time.Now()
	// Several components set up logging in this one process; the first one wins.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged

	c, err := openCluster(dir, address)
	if err != nil {
		return err
	}
	etcd, err := c.startEtcd(ctx, fsync, timeout)
	if err != nil {
		return err
	}
	defer etcd.Close()
	fmt.Printf("etcd is ready after %.1f s\n", time.Since(start).Seconds())

	failed := make(chan error, 3)
	apiDone := c.startAPIServer(failed)
	if err := c.awaitReady(ctx, failed, timeout); err != nil {
		return stopped(ctx, err)
	}
	fmt.Printf("API server is ready after %.1f s\n", time.Since(start).Seconds())
	c.startControllers(failed)
	if err := c.startScheduler(ctx, failed); err != nil {
		return err
	}
	if err := c.awaitDefaultServiceAccount(ctx, failed, timeout); err != nil {
		return stopped(ctx, err)
	}
	// The line below is read by whoever started this process: keep its first two words.
	fmt.Printf("cluster ready after %.1f s: %s\n", time.Since(start).Seconds(), c.path("kubeconfig"))

	select {
	case err := <-failed:
		return stopped(ctx, err)
	case <-ctx.Done():
	}
	// The API server handles the signal itself; etcd must outlive its last requests.
	select {
	case <-apiDone:
	case <-time.After(stopGrace):
	}
	return nil
}

// stopped drops errors which only say that we were asked to stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// startEtcd starts etcd inside this process, on unix sockets in DIR/run. The process
// changes into that folder, because a socket's path must not exceed 107 bytes.
func (c *cluster) startEtcd(ctx context.Context, fsync bool, timeout time.Duration) (*embed.Etcd, error) {
	if err := os.Chdir(c.path("run")); err != nil {
		return nil, fmt.Errorf("enter the folder of sockets: %w", err)
	}
	cfg := embed.NewConfig()
	cfg.Dir = c.path("etcd")
	cfg.LogLevel = "error"
	cfg.UnsafeNoFsync = !fsync
	client, peer := socketURL("etcd.sock"), socketURL("peer.sock")
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = client, client
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = peer, peer
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, fmt.Errorf("start etcd on %s: %w", cfg.Dir, err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, fmt.Errorf("etcd on %s ended: %w", cfg.Dir, err)
	case <-time.After(timeout):
		err = fmt.Errorf("etcd on %s is not ready after %s", cfg.Dir, timeout)
	case <-ctx.Done():
		err = errors.New("stopped while etcd was starting")
	}
	etcd.Close()
	return nil, err
}

// cluster is the state directory of one control plane.
type cluster struct {
	dir     string
	address netip.AddrPort // of the API
	lock    *os.File       // held for the life of the process
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) url() string { return "https://" + c.address.String() }

// alone is true when nothing but this machine's own processes can reach the API.
func (c *cluster) alone() bool { return c.address.Addr().IsLoopback() }

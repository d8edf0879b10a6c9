package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/internal/session/peer"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
	"github.com/genode-operator/genode-operator/internal/target/supervisor"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

// agent is the agent with everything ready to be started.
type agent struct {
	options
	log        logr.Logger
	machine    qemu.Config
	settings   supervisor.Settings
	network    *vnet.Network
	ring       *console.Ring
	serial     []*share.Line
	desk       *desk.Desk
	supervisor *supervisor.Supervisor
	server     agentapi.Server
	cert       tls.Certificate
	stopLines  func()
	cleanup    func() error
}

// run is the agent from start to end. It returns nil when ctx ends.
func run(ctx context.Context, o options, log logr.Logger) error {
	o.complete()
	if err := o.checkFiles(); err != nil {
		return err
	}
	a := &agent{options: o, log: log, stopLines: func() {}, cleanup: func() error { return nil }}
	err := a.prepare(ctx)
	if err == nil {
		err = a.serve(ctx)
	}
	a.stopLines()
	return errors.Join(err, a.cleanup())
}

// prepare makes the parts. What the flags say wrong is found here.
func (a *agent) prepare(ctx context.Context) error {
	pattern, err := a.prepareSettings()
	if err != nil {
		return configError{err}
	}
	if err := a.prepareWorkDir(); err != nil {
		return err
	}
	if err := a.prepareMachine(); err != nil {
		return configError{err}
	}
	if err := a.prepareServer(); err != nil {
		return err
	}
	a.probeKVM(ctx)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics := supervisor.NewMetrics(registry)
	config := supervisor.Config{
		Settings: a.settings, Launch: a.launch, Network: a.network, Console: a.ring, Metrics: metrics,
		Log: a.log.WithName("supervisor"),
	}
	if pattern != nil {
		config.ReadyLine, a.stopLines = a.ring.Match(pattern)
	}
	a.supervisor = supervisor.New(config)
	metrics.Watch(registry, a.supervisor)
	a.server.Backend = a.supervisor
	a.server.Metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return nil
}

// prepareWorkDir makes the private folder, which is also the place for temporary files: a pod's root is
// read-only.
func (a *agent) prepareWorkDir() error {
	if a.workDir == "" {
		dir, err := os.MkdirTemp("", "genode-agent-")
		if err != nil {
			return fmt.Errorf("make a working folder: %w", err)
		}
		a.workDir, a.cleanup = dir, func() error { return os.RemoveAll(dir) }
	}
	dir, err := filepath.Abs(a.workDir)
	if err != nil {
		return fmt.Errorf("--work-dir: %w", err)
	}
	a.workDir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--work-dir: %w", err)
	}
	return os.Setenv("TMPDIR", dir)
}

func (a *agent) launch(ctx context.Context, kvm bool) (supervisor.Machine, error) {
	a.begin()
	config := a.machine
	config.KVM = kvm
	for _, line := range a.serial[1:] {
		config.MoreSerial = append(config.MoreSerial, line)
	}
	vm, err := qemu.Start(ctx, config, io.MultiWriter(a.serial[0], a.ring), a.log.WithName("qemu"))
	if err != nil {
		return nil, err // not a nil *qemu.VM in an interface
	}
	a.feed(vm)
	return &machine{VM: vm, begin: a.begin}, nil
}

// begin says that the guest starts anew, to whoever keeps something of its serial line.
func (a *agent) begin() {
	a.ring.Begin()
	for _, line := range a.serial {
		line.Restarted()
	}
}

// machine tells of resets.
type machine struct {
	*qemu.VM
	begin func()
}

// Reset implements supervisor.Machine.
func (m *machine) Reset(ctx context.Context) error {
	m.begin()
	return m.VM.Reset(ctx)
}

// probeKVM asks whether Auto may try KVM. A device that opens proves nothing.
func (a *agent) probeKVM(ctx context.Context) {
	if a.accelerator != supervisor.AcceleratorAuto {
		return
	}
	if err := qemu.ProbeKVM(ctx, a.preset); err != nil {
		a.log.V(2).Info("Using TCG", "reason", err.Error())
		return
	}
	a.settings.KVMUsable = true
}

// serve runs the parts until ctx ends or one of them fails.
func (a *agent) serve(ctx context.Context) error {
	listeners, err := a.listen(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.network.Serve(ctx, listeners.guest) })
	for i, l := range listeners.forwards {
		g.Go(func() error { return a.network.Forward(ctx, l, uint16(a.forward[i])) })
	}
	if err := a.serveConsole(ctx, g, listeners); err != nil {
		return err
	}
	g.Go(func() error { return a.server.Serve(ctx, listeners.api, a.cert) })
	g.Go(func() error {
		probes := agentapi.Probes{
			Started: a.supervisor.Started,
			Ready:   func() bool { return a.supervisor.State().Ready },
			Live:    a.supervisor.Turning,
		}
		return probes.Serve(ctx, listeners.probes)
	})
	g.Go(func() error { return a.supervisor.Run(ctx) })
	g.Go(func() error { reap(ctx); return nil })
	a.log.Info("Agent is running", "preset", a.preset, "api", listeners.api.Addr().String(),
		"probes", listeners.probes.Addr().String(), "ports", fmt.Sprint(a.forward), "steps", fmt.Sprint(a.settings.Steps))
	if err := g.Wait(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// listeners are all the agent's sockets.
type listeners struct {
	guest, api, probes net.Listener
	// console and plain are those of the serial lines, in order; none: not wanted.
	console, plain, forwards []net.Listener
}

// listen opens all sockets, or none.
func (a *agent) listen(ctx context.Context) (l listeners, err error) {
	var opened []net.Listener
	open := func(network, address string) net.Listener {
		if err != nil {
			return nil
		}
		one, failed := (&net.ListenConfig{KeepAliveConfig: peer.KeepAlive}).Listen(ctx, network, address)
		if failed != nil {
			err = fmt.Errorf("open a socket: %w", failed)
			return nil
		}
		opened = append(opened, one)
		return one
	}
	if err := os.Remove(a.machine.NetSocket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return l, fmt.Errorf("an old socket is in the way: %w", err)
	}
	l.guest = open("unix", a.machine.NetSocket)
	l.api = open("tcp", a.apiListen)
	l.probes = open("tcp", a.probeAddr)
	for _, address := range a.console.ports(a.console.listen) {
		l.console = append(l.console, open("tcp", address))
	}
	for _, address := range a.console.ports(a.console.plain) {
		l.plain = append(l.plain, open("tcp", address))
	}
	for _, port := range a.forward {
		l.forwards = append(l.forwards, open("tcp", net.JoinHostPort(a.podIP, fmt.Sprint(port))))
	}
	if err != nil {
		for _, one := range opened {
			_ = one.Close()
		}
	}
	return l, err
}

// prepareServer loads the credentials, or makes some, and opens the folder of binaries.
func (a *agent) prepareServer() error {
	if a.tlsCert == "" && a.tlsKey == "" && a.tokenFile == "" {
		if err := a.makeCredentials(); err != nil {
			return err
		}
	}
	var err error
	if a.cert, err = tls.LoadX509KeyPair(a.tlsCert, a.tlsKey); err != nil {
		return fmt.Errorf("credentials of the API (--tls-cert, --tls-key): %w", err)
	}
	token, err := os.ReadFile(a.tokenFile)
	if err != nil {
		return fmt.Errorf("credentials of the API (--token-file): %w", err)
	}
	a.server.Token = strings.TrimSpace(string(token))
	if a.server.Token == "" {
		return fmt.Errorf("credentials of the API: --token-file %s is empty", a.tokenFile)
	}
	if info, err := os.Stat(a.binaries); err == nil && info.IsDir() {
		a.server.Binaries = os.DirFS(a.binaries)
	}
	return nil
}

// makeCredentials makes credentials for somebody who runs the agent by hand.
func (a *agent) makeCredentials() error {
	c, err := agentapi.NewCredentials(time.Now())
	if err != nil {
		return err
	}
	dir := filepath.Join(a.workDir, "credentials")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make credentials: %w", err)
	}
	a.tlsCert, a.tlsKey, a.tokenFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "token")
	for path, content := range map[string][]byte{a.tlsCert: c.CertPEM, a.tlsKey: c.KeyPEM, a.tokenFile: []byte(c.Token)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("make credentials: %w", err)
		}
	}
	a.log.Info("Made credentials for the API", "folder", dir)
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/addresstarget"
	"github.com/genode-operator/genode-operator/controllers/targetpool"
	"github.com/genode-operator/genode-operator/controllers/targetsession"
	"github.com/genode-operator/genode-operator/controllers/taskset"
	"github.com/genode-operator/genode-operator/internal/addresspool/echo"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/fetch"
	"github.com/genode-operator/genode-operator/internal/session"
)

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

type options struct {
	runnerImage     string
	results         string
	resultsDSNFile  string
	sinks           []string
	namespace       string
	leaderElect     bool
	leaderNamespace string
	metricsAddress  string
	probeAddress    string
	apiAddress      string
}

// run wires the parts and blocks until ctx ends.
func run(ctx context.Context, o options) (err error) {
	if o.runnerImage == "" {
		return errors.New("--runner-image is missing: name the image with the agent and QEMU that target pods shall run")
	}
	mgr, err := newManager(o)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	sinks, err := openSinks(ctx, o.sinks, mgr.GetLogger().WithName("sink"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sinks.Close()) }()
	pinger := echo.New(echo.Options{})
	defer func() { err = errors.Join(err, pinger.Close()) }()
	with := shared{store: store, pinger: pinger}
	if len(o.sinks) > 0 {
		with.observe = sinks.Observe
	}
	if err := setup(ctx, mgr, with, o); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(o options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find a cluster: set KUBECONFIG or run in a pod: %w", err)
	}
	byObject, err := targetsession.CacheByObject()
	if err != nil {
		return nil, err
	}
	cached := cache.Options{ByObject: byObject}
	if o.namespace != "" {
		cached.DefaultNamespaces = map[string]cache.Config{o.namespace: {}}
	}
	grace := 20 * time.Second
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cached,
		Metrics:                       metrics(o.metricsAddress),
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "manager.genode-operator.io",
		LeaderElectionNamespace:       o.leaderNamespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &grace,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the manager: %w", err)
	}
	return mgr, errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping))
}

// metrics serves plain HTTP on loopback and, on every other address, TLS to whom the API server allows it.
func metrics(address string) server.Options {
	o := server.Options{BindAddress: address}
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host == "localhost" || ip != nil && ip.IsLoopback() {
		return o
	}
	o.SecureServing, o.FilterProvider = true, filters.WithAuthenticationAndAuthorization
	return o
}

// shared is what lives as long as the program.
type shared struct {
	store   results.Store
	observe func(results.Notice) // nil: nobody wants to know
	pinger  *echo.Pinger
}

// setup adds the controllers and what they share.
func setup(ctx context.Context, mgr ctrl.Manager, with shared, o options) error {
	log := mgr.GetLogger()
	hub := targetsession.NewHub(targetsession.HubOptions{})
	downloads := &fetch.Background{}
	changed := make(chan string, 256)
	registry := session.NewRegistry(clock.RealClock{})
	classes, watcher := sessionClasses(registry, with.pinger, log)
	engine := campaign.New(campaign.Options{
		Store: with.store, Observe: with.observe,
		Class: classes,
		Fleet: taskset.Fleets{Cache: mgr.GetClient(), ByClass: fleets(mgr, hub, watcher, classes)},
		Log:   log.WithName("campaign"),
		Changed: func(id string) {
			select {
			case changed <- id:
			case <-ctx.Done():
			}
		},
	})
	return errors.Join(
		mgr.Add(engine),
		mgr.Add(downloads),
		addAPI(mgr, o.apiAddress, registry, with.store, hub),
		targetsession.SetupWithManager(mgr, targetsession.Options{Hub: hub, RunnerImage: o.runnerImage}),
		addresstarget.SetupWithManager(mgr, addresstarget.Options{Watcher: watcher}),
		targetpool.SetupWithManager(mgr, targetpool.Options{Class: classes}),
		taskset.SetupWithManager(mgr, taskset.Options{Engine: engine, Changed: changed, Downloads: downloads}),
	)
}

package main

import (
	"os"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/controllers/addresstarget"
	"github.com/genode-operator/genode-operator/controllers/targetsession"
	"github.com/genode-operator/genode-operator/controllers/taskset"
	"github.com/genode-operator/genode-operator/internal/addresspool/echo"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/ping"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

// sessionClasses are the classes of targets by the names that the API gives them, and the watcher of those
// without a pod.
func sessionClasses(sessions *session.Registry, pinger *echo.Pinger, log logr.Logger) (session.Classes, *addresstarget.Watcher) {
	loader := taskloader.New(taskloader.Options{Registry: sessions, Log: log.WithName("taskloader")})
	classes := session.Classes{
		string(v1alpha1.ClassQemu): loader, string(v1alpha1.ClassGenode): loader, string(v1alpha1.ClassStdio): stdio.New(os.Stdout),
		string(v1alpha1.ClassSimSo): simso.New(simso.Options{Registry: sessions}),
	}
	watcher := addresstarget.NewWatcher(addresstarget.WatcherOptions{Class: classes, Sessions: sessions})
	classes[string(v1alpha1.ClassPing)] = watcher.Guard(ping.New(loader, pinger))
	return classes, watcher
}

// fleets know the targets of each class.
func fleets(mgr ctrl.Manager, hub *targetsession.Hub, watcher *addresstarget.Watcher, class session.Class) map[v1alpha1.SessionClass]campaign.Fleet {
	remote := addresstarget.Fleet{Watcher: watcher, Class: class, Cache: mgr.GetClient()}
	return map[v1alpha1.SessionClass]campaign.Fleet{
		v1alpha1.ClassQemu:   taskset.Fleet{Agents: hub, Cache: mgr.GetClient()},
		v1alpha1.ClassPing:   remote,
		v1alpha1.ClassGenode: remote,
		v1alpha1.ClassStdio:  remote,
		v1alpha1.ClassSimSo:  remote,
	}
}
